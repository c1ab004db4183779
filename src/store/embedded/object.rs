//! Objects as keys and values of the state, and as parts of a transaction in the journal.
//!
//! An object is the message that the API has of it, behind a byte that says which.

use prost::Message;

use crate::engine::{ObjectPlace, Restore, ServicePositions, Stored};
use crate::model::{
    Change, Kind, Object, ObjectName, ObjectRef, ResolvedTransaction, Revision, Sequence,
    ServiceSelector,
};
use crate::selector::Selector;
use crate::wire::{
    Decoded, PodReader, decode_manual, decode_node, decode_service, encode_manual, encode_node,
    encode_pod, encode_service,
};

use super::codec::{Reader, put_bytes, put_number};

/// A service with a selector that matches nothing, which the API has no message for.
const SERVICE_OF_NOTHING: u8 = 6;
/// In a transaction: what follows is the key of an object that is deleted.
const DELETED: u8 = 0;

/// Kinds with their numbers, from 1 on: objects are read back in this order.
fn numbered() -> impl Iterator<Item = (u8, Kind)> {
    (1..).zip(ObjectPlace::KINDS)
}

fn number_of(kind: Kind) -> u8 {
    let found = numbered().find(|(_, other)| *other == kind);
    found.map_or(0, |(number, _)| number)
}

fn kind_of(number: u8) -> Option<Kind> {
    let found = numbered().find(|(other, _)| *other == number);
    found.map(|(_, kind)| kind)
}

/// The key of an object.
pub(super) fn key(object: &ObjectRef) -> Vec<u8> {
    let ObjectName { namespace, name } = &object.name;
    let mut key = Vec::with_capacity(namespace.len() + name.len() + 2);
    key.push(number_of(object.kind));
    key.extend_from_slice(namespace.as_bytes());
    key.push(0);
    key.extend_from_slice(name.as_bytes());
    key
}

fn read_key(key: &[u8]) -> Option<ObjectRef> {
    let (kind, name) = key.split_first()?;
    let kind = kind_of(*kind)?;
    let (namespace, name) = std::str::from_utf8(name).ok()?.split_once('\0')?;
    Some(ObjectRef::new(kind, ObjectName::new(namespace, name)))
}

/// The value of an object; `positions` are those of a service.
pub(super) fn value(stored: &Stored<Object>, positions: Option<ServicePositions>) -> Vec<u8> {
    let mut value = Vec::with_capacity(256);
    put_number(stored.revision, &mut value);
    put_bytes(stored.source.as_bytes(), &mut value);
    if let Some(at) = positions {
        for Sequence(at) in [at.entry, at.created, at.labels, at.cluster_ip] {
            put_number(at, &mut value);
        }
    }
    put_object(&stored.object, &mut value);
    value
}

/// The value of an object that is no service, from what a transaction has of it.
pub(super) fn value_of(revision: Revision, source: &str, object: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(object.len().saturating_add(32));
    put_number(revision, &mut value);
    put_bytes(source.as_bytes(), &mut value);
    value.extend_from_slice(object);
    value
}

/// An object as the state has it.
#[derive(Debug)]
pub(super) struct KeptObject {
    stored: Stored<Object>,
    /// Of a service.
    positions: Option<ServicePositions>,
}

/// Reads an object back; pods with the one reader of all of them.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(key: &[u8], value: &[u8], pods: &mut PodReader) -> Result<KeptObject, String> {
    let kind = key.first().and_then(|kind| kind_of(*kind));
    let kind = kind.ok_or("a key of no kind")?;
    let mut reader = Reader(value);
    let head = |reader: &mut Reader<'_>| Some((reader.number()?, reader.text()?));
    let (revision, source) = head(&mut reader).ok_or("a value that is cut off")?;
    let positions = if kind == Kind::Service {
        let mut next = || Some(Sequence(reader.number()?));
        let mut read = || {
            Some(ServicePositions {
                entry: next()?,
                created: next()?,
                labels: next()?,
                cluster_ip: next()?,
            })
        };
        Some(read().ok_or("a service without positions")?)
    } else {
        None
    };
    let object = read_object(reader.0, pods)?;
    if !stands_at(&object, key) {
        return Err(format!("{} stands under another name", object.object_ref()));
    }
    Ok(KeptObject {
        stored: Stored {
            object,
            revision,
            source,
        },
        positions,
    })
}

/// Whether a key is that of an object.
fn stands_at(object: &Object, key: &[u8]) -> bool {
    let Object::Pod(pod) = object else {
        return self::key(&object.object_ref()) == key;
    };
    // The same without a copy: there are many of them.
    let ObjectName { namespace, name } = &pod.name;
    let rest = key.strip_prefix(&[number_of(Kind::Pod)]);
    let rest = rest.and_then(|rest| rest.strip_prefix(namespace.as_bytes()));
    rest.and_then(|rest| rest.strip_prefix(&[0])) == Some(name.as_bytes())
}

impl KeptObject {
    /// Puts it into an engine.
    ///
    /// # Errors
    /// Why it does not fit.
    pub(super) fn restore(self, restore: &mut Restore) -> Result<(), String> {
        let Stored {
            object,
            revision,
            source,
        } = self.stored;
        match (object, self.positions) {
            (Object::Service(service), Some(positions)) => {
                restore.service(*service, revision, source, positions);
                Ok(())
            }
            (object, _) => restore
                .object(object, revision, source)
                .map_err(|wrong| wrong.to_string()),
        }
    }
}

fn put_object(object: &Object, out: &mut Vec<u8>) {
    let nothing = ServiceSelector::Set(Selector::nothing());
    out.push(match object {
        Object::Service(service) if service.selector == nothing => SERVICE_OF_NOTHING,
        object => number_of(object.object_ref().kind),
    });
    // Writing into a vector does not fail.
    let _ = match object {
        Object::Pod(pod) => encode_pod(pod).encode(out),
        Object::Service(service) => encode_service(service).encode(out),
        Object::Node(node) => encode_node(node).encode(out),
        Object::Manual(manual) => encode_manual(manual).encode(out),
    };
}

fn read_object(bytes: &[u8], pods: &mut PodReader) -> Result<Object, String> {
    let (form, bytes) = bytes.split_first().ok_or("an object that is cut off")?;
    if *form == SERVICE_OF_NOTHING {
        let mut service = message(bytes, decode_service)?;
        service.selector = ServiceSelector::Set(Selector::nothing());
        return Ok(Object::Service(Box::new(service)));
    }
    let kind = kind_of(*form).ok_or("an object of no kind")?;
    let object = match kind {
        Kind::Node => message(bytes, decode_node).map(|node| Object::Node(Box::new(node))),
        Kind::Pod => first_fault(pods.read(bytes)).map(|pod| Object::Pod(Box::new(pod))),
        Kind::Service => message(bytes, decode_service).map(|it| Object::Service(Box::new(it))),
        Kind::Endpoints | Kind::EndpointSlice => {
            message(bytes, decode_manual).map(|manual| Object::Manual(Box::new(manual)))
        }
    };
    object.map_err(|wrong| format!("a {kind}: {wrong}"))
}

fn message<M: Message + Default, T>(
    bytes: &[u8],
    decode: impl FnOnce(M) -> Decoded<T>,
) -> Result<T, String> {
    first_fault(decode(M::decode(bytes).map_err(|error| error.to_string())?))
}

fn first_fault<T>(decoded: Decoded<T>) -> Result<T, String> {
    decoded.map_err(|faults| {
        let first = faults.first().map(ToString::to_string);
        first.unwrap_or_default()
    })
}

/// A transaction as bytes.
pub(super) fn encode_transaction(transaction: &ResolvedTransaction) -> Vec<u8> {
    let mut out = Vec::with_capacity(transaction.changes().len().saturating_mul(256));
    put_bytes(transaction.source().as_bytes(), &mut out);
    let mut part = Vec::with_capacity(256);
    for change in transaction.changes() {
        part.clear();
        match change {
            Change::Put(object) => put_object(object, &mut part),
            Change::Delete(object) => {
                part.push(DELETED);
                part.extend(key(object));
            }
        }
        put_bytes(&part, &mut out);
    }
    out
}

/// A transaction from its bytes.
///
/// # Errors
/// What is wrong with it.
pub(super) fn decode_transaction(bytes: &[u8]) -> Result<ResolvedTransaction, String> {
    let cut = || "a transaction that is cut off".to_owned();
    let mut reader = Reader(bytes);
    let source = reader.text().ok_or_else(cut)?;
    let mut changes = Vec::new();
    let mut pods = PodReader::default();
    while reader.end().is_none() {
        let part = reader.bytes().ok_or_else(cut)?;
        changes.push(match part.split_first() {
            Some((&DELETED, key)) => {
                Change::Delete(read_key(key).ok_or("a deletion of no object")?)
            }
            _ => Change::Put(read_object(part, &mut pods)?),
        });
    }
    Ok(ResolvedTransaction::new(changes, source))
}
