//! Records of the log as keys and values of the state.

use smol_str::SmolStr;

use crate::engine::{KeptEnd, KeptRecord, RecordOf};
use crate::model::{IpFamily, ObjectName, Revision, Sequence};
use crate::wire::{decode_identity, encode_identity, proto};
use prost::Message as _;

use super::codec::{Reader, put_bytes, put_number};
use super::state::End;

const SERVICE: u8 = 1;
const ENDPOINT_V4: u8 = 2;
const ENDPOINT_V6: u8 = 3;
const MANUAL: u8 = 4;
const REMOVAL: u8 = 5;
const DELETED_SERVICE: u8 = 6;
const NODE: u8 = 7;
const DELETED_NODE: u8 = 8;

/// The key of the record at a place: in the order of the log.
pub(super) fn key(at: Sequence) -> Vec<u8> {
    at.0.to_be_bytes().to_vec()
}

/// The value of a record.
pub(super) fn value(record: &KeptRecord) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    let (kind, service) = match &record.of {
        RecordOf::Service(name) => (SERVICE, Some(name)),
        RecordOf::Endpoint {
            service, family, ..
        } => match family {
            IpFamily::V4 => (ENDPOINT_V4, Some(service)),
            IpFamily::V6 => (ENDPOINT_V6, Some(service)),
        },
        RecordOf::Manual { service, .. } => (MANUAL, Some(service)),
        RecordOf::Removal { service, .. } => (REMOVAL, Some(service)),
        RecordOf::DeletedService(name) => (DELETED_SERVICE, Some(name)),
        RecordOf::Node(_) => (NODE, None),
        RecordOf::DeletedNode(_) => (DELETED_NODE, None),
    };
    out.push(kind);
    put_number(record.revision, &mut out);
    if let Some(ObjectName { namespace, name }) = service {
        put_bytes(namespace.as_bytes(), &mut out);
        put_bytes(name.as_bytes(), &mut out);
    }
    match &record.of {
        RecordOf::Endpoint { pod, .. } => put_bytes(pod.as_bytes(), &mut out),
        RecordOf::Manual { service, identity } => {
            let identity = encode_identity(identity, &service.namespace);
            put_bytes(&identity.encode_to_vec(), &mut out);
        }
        RecordOf::Removal { key, .. } => put_bytes(key, &mut out),
        RecordOf::Node(name) | RecordOf::DeletedNode(name) => put_bytes(name.as_bytes(), &mut out),
        RecordOf::Service(_) | RecordOf::DeletedService(_) => {}
    }
    out
}

/// A record from its key and value; none if it is not one.
pub(super) fn read(key: &[u8], value: &[u8]) -> Option<KeptRecord> {
    let at = Sequence(u64::from_be_bytes(key.try_into().ok()?));
    let mut reader = Reader(value);
    let kind = reader.byte()?;
    let revision = reader.number()?;
    let name = |reader: &mut Reader<'_>| -> Option<ObjectName> {
        let namespace: SmolStr = reader.text()?;
        Some(ObjectName::new(namespace, reader.text()?))
    };
    let endpoint = |reader: &mut Reader<'_>, family| {
        Some(RecordOf::Endpoint {
            service: name(reader)?,
            pod: reader.text()?,
            family,
        })
    };
    let of = match kind {
        SERVICE => RecordOf::Service(name(&mut reader)?),
        ENDPOINT_V4 => endpoint(&mut reader, IpFamily::V4)?,
        ENDPOINT_V6 => endpoint(&mut reader, IpFamily::V6)?,
        MANUAL => {
            let service = name(&mut reader)?;
            let identity = proto::EndpointIdentity::decode(reader.bytes()?).ok()?;
            let identity = decode_identity(Some(identity), &service.namespace).ok()?;
            RecordOf::Manual { service, identity }
        }
        REMOVAL => RecordOf::Removal {
            service: name(&mut reader)?,
            key: reader.bytes()?.to_vec(),
        },
        DELETED_SERVICE => RecordOf::DeletedService(name(&mut reader)?),
        NODE => RecordOf::Node(reader.text()?),
        DELETED_NODE => RecordOf::DeletedNode(reader.text()?),
        _ => return None,
    };
    reader.end()?;
    Some(KeptRecord { at, revision, of })
}

/// What a state is the state of, as a value.
pub(super) fn end_value(end: &End) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    let End {
        kept,
        committed,
        requests,
    } = end;
    let (Sequence(floor), floor_revision) = kept.floor;
    for number in [
        kept.head,
        kept.last.0,
        floor,
        floor_revision,
        kept.records,
        kept.objects,
        *committed,
        requests.start,
        requests.end,
    ] {
        put_number(number, &mut out);
    }
    out
}

/// What a state is the state of, from its value; none if it is not one.
pub(super) fn read_end(value: &[u8]) -> Option<End> {
    let mut reader = Reader(value);
    let head: Revision = reader.number()?;
    let last = Sequence(reader.number()?);
    let floor = (Sequence(reader.number()?), reader.number()?);
    let kept = KeptEnd {
        head,
        last,
        floor,
        records: reader.number()?,
        objects: reader.number()?,
    };
    let committed = reader.number()?;
    let requests = reader.number()?..reader.number()?;
    reader.end()?;
    Some(End {
        kept,
        committed,
        requests,
    })
}
