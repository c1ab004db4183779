//! Pods straight from bytes, without a message struct in between: a server that is filled reads a million,
//! and so does a restart.

use std::sync::Arc;

use prost::encoding::decode_varint;
use prost::{DecodeError, Message};
use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::labels::{FieldError, Key, LabelSet, Value};
use crate::model::{ContainerPort, ObjectName, Pod};

use super::faults::Decoded;
use super::name::{decode_ip, decode_protocol};
use super::pod::{decode_phase, decode_pod, decode_ready};
use super::proto;

/// Most labels of a pod that are remembered, and most ports that it may have to be read here.
const KNOWN: usize = 32;

/// Reads pods one behind the other. What one has in common with the one before, as pods of a workload
/// have most of their labels, is not checked again, and its long texts are shared.
#[derive(Debug, Default)]
pub struct PodReader {
    /// Labels of the last pods, by their place in the message.
    labels: Vec<Known<(Key, Value)>>,
    /// How many labels the last pod had.
    count: usize,
    namespace: SmolStr,
    /// Ports of the last pod.
    ports: Vec<Known<ContainerPort>>,
    /// The same, as pods have them, unless that is still to be made.
    shared_ports: Option<Arc<[ContainerPort]>>,
}

/// What was read from some bytes.
#[derive(Debug)]
struct Known<T> {
    bytes: SmallVec<[u8; 48]>,
    value: T,
}

impl<T> Known<T> {
    fn new(bytes: &[u8], value: T) -> Known<T> {
        Known {
            bytes: SmallVec::from_slice(bytes),
            value,
        }
    }
}

/// Namespace and name of a pod's message, which has more.
#[derive(Clone, PartialEq, Message)]
struct Name {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    name: String,
}

/// What the pod is called that bytes are, be it legal or not.
pub(super) fn read_name(bytes: &[u8]) -> Decoded<ObjectName> {
    // The whole message says what is wrong as it does when it is decoded.
    let refused = |error| no_message(proto::Pod::decode(bytes).err().unwrap_or(error));
    let name = Name::decode(bytes).map_err(refused)?;
    Ok(ObjectName::new(name.namespace, name.name))
}

fn no_message(error: DecodeError) -> Vec<FieldError> {
    vec![FieldError::invalid("", error.to_string())]
}

impl PodReader {
    /// The pod that bytes are: what [`super::decode_pod`] has of the message that they decode to. Linear
    /// in the bytes.
    ///
    /// # Errors
    /// They are no message, or one of a pod of which some field cannot be what it says: every such field.
    pub fn read(&mut self, bytes: &[u8]) -> Decoded<Pod> {
        self.read_good(bytes).map_or_else(|| explain(bytes), Ok)
    }

    /// None: it is not to be had that way, and the message says what is wrong.
    fn read_good(&mut self, bytes: &[u8]) -> Option<Pod> {
        let mut pod = Pod::default();
        let mut namespace: &[u8] = &[];
        let mut name = "";
        let mut labels = Vec::with_capacity(self.count.min(KNOWN));
        let mut ports = 0;
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                // What is there twice is left to the message: each would have to be looked at.
                (1, Field::Bytes(field)) if namespace.is_empty() => namespace = field,
                (2, field) => name = field.text()?,
                (3, field) => pod.uid = field.text()?.into(),
                (4, Field::Bytes(label)) => labels.push(self.label(labels.len(), label)?),
                (5, field) => {
                    let text = field.text()?;
                    pod.deletion_timestamp = (!text.is_empty()).then(|| text.into());
                }
                (6, field) => pod.node_name = field.text()?.into(),
                (7, field) => pod.hostname = field.text()?.into(),
                (8, field) => pod.subdomain = field.text()?.into(),
                (9, Field::Bytes(port)) if ports < KNOWN => {
                    self.port(ports, port)?;
                    ports += 1;
                }
                (10, field) => pod.phase = decode_phase(field.small()?).ok()?,
                (11, field) => pod.pod_ips.push(decode_ip(field.text()?).ok()?),
                (12, field) => pod.ready = decode_ready(field.small()?).ok()?,
                _ => return None,
            }
        }
        self.count = labels.len();
        pod.labels = labels.into_iter().collect::<LabelSet>();
        if pod.labels.len() != self.count {
            return None;
        }
        if self.namespace.as_bytes() != namespace {
            self.namespace = std::str::from_utf8(namespace).ok()?.into();
        }
        pod.name = ObjectName::new(self.namespace.clone(), name);
        pod.ports = self.shared_ports(ports);
        Some(pod)
    }

    /// The label at a place of a pod.
    fn label(&mut self, at: usize, bytes: &[u8]) -> Option<(Key, Value)> {
        let known = self.labels.get_mut(at);
        if let Some(known) = &known
            && *known.bytes == *bytes
        {
            return Some(known.value.clone());
        }
        let (key, value) = read_label(bytes)?;
        let key = match &known {
            Some(known) if known.value.0.as_str().as_bytes() == key => known.value.0.clone(),
            _ => Key::new(std::str::from_utf8(key).ok()?).ok()?,
        };
        let value = Value::new(std::str::from_utf8(value).ok()?).ok()?;
        let label = (key, value);
        match known {
            Some(known) => *known = Known::new(bytes, label.clone()),
            None if at < KNOWN => self.labels.push(Known::new(bytes, label.clone())),
            None => {}
        }
        Some(label)
    }

    /// Reads the port at a place of a pod.
    fn port(&mut self, at: usize, bytes: &[u8]) -> Option<()> {
        if self
            .ports
            .get(at)
            .is_none_or(|known| *known.bytes != *bytes)
        {
            self.shared_ports = None;
            self.ports.truncate(at);
            self.ports.push(Known::new(bytes, read_port(bytes)?));
        }
        Some(())
    }

    /// The first so many ports.
    fn shared_ports(&mut self, count: usize) -> Arc<[ContainerPort]> {
        if count < self.ports.len() {
            self.shared_ports = None;
            self.ports.truncate(count);
        }
        let ports = self.ports.iter();
        let shared = self.shared_ports.get_or_insert_with(|| {
            let ports = ports.map(|known| known.value.clone());
            ports.collect()
        });
        Arc::clone(shared)
    }
}

/// What the message says that bytes decode to.
fn explain(bytes: &[u8]) -> Decoded<Pod> {
    decode_pod(proto::Pod::decode(bytes).map_err(no_message)?)
}

/// Key and value as they are written.
fn read_label(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut key, mut value): (&[u8], &[u8]) = (&[], &[]);
    let mut fields = Fields(bytes);
    while let Some((number, field)) = fields.next()? {
        match (number, field) {
            (1, Field::Bytes(field)) if key.is_empty() => key = field,
            (2, Field::Bytes(field)) if value.is_empty() => value = field,
            _ => return None,
        }
    }
    Some((key, value))
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
    #[inline(always)]
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

    #[inline(always)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::mentioned_objects;
    use crate::wire::proto::operation::Operation as Step;

    /// A text in a field whose number is below 16.
    fn field(number: u8, text: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, text.len() as u8], text].concat()
    }

    #[test]
    fn a_name_that_cannot_be_read_is_refused_as_its_pod_is() {
        for number in [1, 2] {
            let bytes = [field(7, b"host"), field(number, b"\xff")].concat();
            let refused = read_name(&bytes).unwrap_err();
            assert_eq!(refused, PodReader::default().read(&bytes).unwrap_err());
            assert!(refused[0].to_string().contains("Pod."), "{refused:?}");
        }
    }

    #[test]
    fn what_stands_before_a_broken_pod_is_mentioned() {
        let put = |pod: Vec<u8>| proto::Operation {
            operation: Some(Step::PutPod(pod.into())),
        };
        let pods = [
            [field(1, b"default"), field(2, b"rng")].concat(),
            field(2, &[b'x'; 100]),
            vec![0xff],
        ];
        let transaction = proto::Transaction {
            operations: pods.map(put).into(),
            ..Default::default()
        };
        let mentioned: Vec<_> = mentioned_objects(&transaction).collect();
        let [Ok(first), .., Err(faults)] = mentioned.as_slice() else {
            panic!("{mentioned:?}")
        };
        assert_eq!(first.name, ObjectName::new("default", "rng"));
        assert!(
            faults[0].to_string().starts_with("operations[2].put_pod"),
            "{faults:?}"
        );
    }
}
