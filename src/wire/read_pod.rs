//! Pods straight from bytes, without a message struct in between: a restart reads a million.

use prost::encoding::decode_varint;

use crate::labels::{Key, LabelSet, Value};
use crate::model::{ContainerPort, ObjectName, Pod};

use super::name::{decode_ip, decode_protocol};
use super::pod::{decode_phase, decode_ready};

/// The pod that bytes are, as [`super::decode_pod`] has it of the message that they decode to. None if it is
/// not to be had that way: then the message says what is wrong. Linear in the bytes.
pub fn read_pod(bytes: &[u8]) -> Option<Pod> {
    let mut pod = Pod::default();
    let mut name = ("", "");
    let mut labels = Vec::with_capacity(8);
    let mut ports = Vec::new();
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match (number, field) {
            (1, field) => name.0 = field.text()?,
            (2, field) => name.1 = field.text()?,
            (3, field) => pod.uid = field.text()?.into(),
            (4, Field::Bytes(label)) => labels.push(read_label(label)?),
            (5, field) => {
                let text = field.text()?;
                pod.deletion_timestamp = (!text.is_empty()).then(|| text.into());
            }
            (6, field) => pod.node_name = field.text()?.into(),
            (7, field) => pod.hostname = field.text()?.into(),
            (8, field) => pod.subdomain = field.text()?.into(),
            (9, Field::Bytes(port)) => ports.push(read_port(port)?),
            (10, field) => pod.phase = decode_phase(field.small()?).ok()?,
            (11, field) => pod.pod_ips.push(decode_ip(field.text()?).ok()?),
            (12, field) => pod.ready = decode_ready(field.small()?).ok()?,
            _ => return None,
        }
    }
    let count = labels.len();
    pod.labels = labels.into_iter().collect::<LabelSet>();
    if pod.labels.len() != count {
        return None;
    }
    pod.name = ObjectName::new(name.0, name.1);
    if !ports.is_empty() {
        pod.ports = ports.into();
    }
    Some(pod)
}

fn read_label(bytes: &[u8]) -> Option<(Key, Value)> {
    let (mut key, mut value) = ("", "");
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match number {
            1 => key = field.text()?,
            2 => value = field.text()?,
            _ => return None,
        }
    }
    Some((Key::new(key).ok()?, Value::new(value).ok()?))
}

fn read_port(bytes: &[u8]) -> Option<ContainerPort> {
    let mut name = "";
    let (mut number, mut protocol, mut sidecar) = (0, 0, 0);
    let mut fields = Fields(bytes);
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => name = value.text()?,
            2 => number = value.small()?,
            3 => protocol = value.small()?,
            4 => sidecar = value.small()?,
            _ => return None,
        }
    }
    Some(ContainerPort {
        name: name.into(),
        number: u16::try_from(number).ok()?,
        protocol: decode_protocol(protocol).ok()?,
        sidecar: sidecar != 0,
    })
}

/// What a field holds, of those forms that pods have.
enum Field<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

impl<'b> Field<'b> {
    fn text(&self) -> Option<&'b str> {
        match self {
            Field::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            Field::Number(_) => None,
        }
    }

    fn small(&self) -> Option<i32> {
        match self {
            Field::Number(number) => i32::try_from(*number).ok(),
            Field::Bytes(_) => None,
        }
    }
}

/// The fields of a message, one behind the other.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    /// The next field's number and content, or none at the end; none at all if they cannot be read.
    fn next(&mut self) -> Option<Option<(u64, Field<'b>)>> {
        if self.0.is_empty() {
            return Some(None);
        }
        let key = self.number()?;
        let field = match key & 7 {
            0 => Field::Number(self.number()?),
            2 => {
                let len = usize::try_from(self.number()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(len)?;
                self.0 = rest;
                Field::Bytes(bytes)
            }
            _ => return None,
        };
        Some(Some((key >> 3, field)))
    }

    fn number(&mut self) -> Option<u64> {
        match self.0.split_first() {
            Some((byte, rest)) if *byte < 0x80 => {
                self.0 = rest;
                Some(u64::from(*byte))
            }
            _ => decode_varint(&mut self.0).ok(),
        }
    }
}
