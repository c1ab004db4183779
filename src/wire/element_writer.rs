use std::hash::{Hash as _, Hasher as _};

use prost::Message as _;
use rustc_hash::{FxHashSet, FxHasher};

use crate::engine::{Event, ServiceEntry};
use crate::model::{EndpointIdentity, Node, ObjectName};

use super::proto::EventType;
use super::put::{begin_message, end_message, put_bytes, put_fixed64, put_message, put_number};
use super::put_endpoint::Prefixes;
use super::scope::{Checkpoint, encode_duration, encode_time};
use super::service::{encode_node, encode_service};

/// `WatchEndpointsResponse.events`.
const EVENTS: u32 = 1;

/// Elements of `WatchEndpointsResponse.events`, written one behind the other: any run of whole
/// elements is a valid message.
///
/// Consecutive events of one service share an element.
#[derive(Debug, Default)]
pub struct ElementWriter {
    pub(super) out: Vec<u8>,
    open: Option<Open>,
}

/// The last element, while it may be added to.
#[derive(Debug)]
struct Open {
    service: ObjectName,
    /// Where its length stands.
    length: usize,
    /// Whether it says the service's fields. A field of one message must not be said twice: it would
    /// be merged by whoever reads it.
    entry: bool,
    /// Hashes of what it removes. An element removes last, so that an endpoint that comes back needs
    /// an element of its own.
    removed: FxHashSet<u64>,
    prefixes: Prefixes,
}

/// Where an event was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    /// Where its own bytes begin.
    pub(super) at: usize,
    /// Whether it was added to an element that was there.
    pub(super) joined: bool,
}

impl ElementWriter {
    /// Takes back the event that was written last, and ends the element that it was added to.
    pub(super) fn undo(&mut self, last: Written) {
        self.out.truncate(last.at);
        if last.joined {
            self.close();
        }
        self.open = None;
    }

    /// Ends the open element. Linear in its size.
    pub fn close(&mut self) {
        if let Some(open) = self.open.take() {
            end_message(&mut self.out, open.length);
        }
    }

    /// Bytes written so far. While an element is open it may come to a few more.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Bytes of the element that may still be added to.
    pub fn open_len(&self) -> usize {
        let open = self.open.as_ref();
        open.map_or(0, |open| self.out.len().saturating_sub(open.length))
    }

    /// The elements, the last one ended; nothing is written afterwards.
    pub fn take(&mut self) -> Vec<u8> {
        self.close();
        std::mem::take(&mut self.out)
    }

    /// Writes an event; answers where an element begins with it, if it was not added to the one
    /// before. Linear in the event's size.
    pub fn event(&mut self, event: &Event) -> Option<usize> {
        let written = self.write(event);
        (!written.joined).then_some(written.at)
    }

    /// Writes an event, into the open element if it belongs there. Linear in the event's size.
    pub(super) fn write(&mut self, event: &Event) -> Written {
        match event {
            Event::Reset => self.alone(EventType::Reset, |_| ()),
            Event::Replace(entry) => {
                let name = &entry.service.name;
                let written = self.begin(EventType::Replace, name);
                self.entry(entry);
                written
            }
            Event::Entry(entry) => {
                let written = self.join(&entry.service.name, |open| !open.entry);
                self.entry(entry);
                written
            }
            Event::Rewritten { service, revision } => self.alone(EventType::Update, |out| {
                put_name(out, service);
                put_number(out, 5, *revision);
            }),
            Event::Endpoint { service, endpoint } => {
                let identity = &endpoint.identity;
                let back = |open: &Open| {
                    !open.removed.is_empty() && open.removed.contains(&hash(identity))
                };
                let written = self.join(service, |open| !back(open));
                if let Some(open) = &mut self.open {
                    open.prefixes
                        .endpoint(&mut self.out, endpoint, &service.namespace);
                }
                written
            }
            Event::Removed { service, identity } => {
                let written = self.join(service, |_| true);
                if let Some(open) = &mut self.open {
                    open.prefixes
                        .removed(&mut self.out, identity, &service.namespace);
                    open.removed.insert(hash(identity));
                }
                written
            }
            Event::Remove(name) => self.alone(EventType::Remove, |out| put_name(out, name)),
            Event::Node(node) => self.alone(EventType::Update, |out| put_node(out, node)),
            Event::NodeRemoved(name) => self.alone(EventType::Remove, |out| {
                put_message(out, 8, |out| put_bytes(out, 1, name.as_bytes()));
            }),
        }
    }

    /// Asks for what is held.
    pub(super) fn offer(&mut self) {
        self.alone(EventType::Offer, |_| ());
    }

    /// Writes the commit point.
    pub(super) fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        self.alone(EventType::Checkpoint, |out| {
            put_message(out, 9, |out| {
                put_message(out, 1, |out| {
                    put_bytes(out, 1, &checkpoint.cursor.epoch);
                    put_number(out, 2, checkpoint.cursor.revision);
                    put_fixed64(out, 3, checkpoint.cursor.scope);
                });
                if let Some(time) = checkpoint.commit_time.map(encode_time) {
                    put_message(out, 2, |out| put_parts(out, time.seconds, time.nanos));
                }
                let age = encode_duration(checkpoint.source_age);
                put_message(out, 3, |out| put_parts(out, age.seconds, age.nanos));
            });
        });
    }

    /// An element that nothing is added to.
    fn alone(&mut self, kind: EventType, write: impl FnOnce(&mut Vec<u8>)) -> Written {
        self.close();
        let at = self.out.len();
        put_message(&mut self.out, EVENTS, |out| {
            put_kind(out, kind);
            write(out);
        });
        Written { at, joined: false }
    }

    fn begin(&mut self, kind: EventType, service: &ObjectName) -> Written {
        self.close();
        let at = self.out.len();
        let length = begin_message(&mut self.out, EVENTS);
        put_kind(&mut self.out, kind);
        put_name(&mut self.out, service);
        self.open = Some(Open {
            service: service.clone(),
            length,
            entry: false,
            removed: FxHashSet::default(),
            prefixes: Prefixes::default(),
        });
        Written { at, joined: false }
    }

    /// Goes on in the open element, if it is the service's and fits, or begins an UPDATE.
    fn join(&mut self, service: &ObjectName, fits: impl FnOnce(&Open) -> bool) -> Written {
        if (self.open.as_ref()).is_some_and(|open| open.service == *service && fits(open)) {
            let at = self.out.len();
            return Written { at, joined: true };
        }
        self.begin(EventType::Update, service)
    }

    fn entry(&mut self, entry: &ServiceEntry) {
        let service = encode_service(&entry.service);
        put_message(&mut self.out, 4, |out| service.encode_raw(out));
        put_number(&mut self.out, 5, entry.revision);
        if let Some(open) = &mut self.open {
            open.entry = true;
        }
    }
}

fn hash(identity: &EndpointIdentity) -> u64 {
    let mut hasher = FxHasher::default();
    identity.hash(&mut hasher);
    hasher.finish()
}

fn put_kind(out: &mut Vec<u8>, kind: EventType) {
    put_number(out, 1, kind as u64);
}

fn put_name(out: &mut Vec<u8>, name: &ObjectName) {
    put_bytes(out, 2, name.namespace.as_bytes());
    put_bytes(out, 3, name.name.as_bytes());
}

fn put_node(out: &mut Vec<u8>, node: &Node) {
    let node = encode_node(node);
    put_message(out, 8, |out| node.encode_raw(out));
}

/// Seconds and nanoseconds.
fn put_parts(out: &mut Vec<u8>, seconds: i64, nanos: i32) {
    put_number(out, 1, seconds.cast_unsigned());
    put_number(out, 2, i64::from(nanos).cast_unsigned());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::arbitrary::{endpoint, node, service};
    use crate::wire::arbitrary_steps::event;
    use crate::wire::{encode_checkpoint, encode_endpoint, encode_identity, proto};

    /// The same by way of message structs, each event an element of its own.
    fn by_prost(event: &Event) -> proto::EndpointsEvent {
        let of = |kind: EventType, name: &ObjectName| proto::EndpointsEvent {
            r#type: kind.into(),
            namespace: name.namespace.to_string(),
            name: name.name.to_string(),
            ..Default::default()
        };
        let none = ObjectName::default();
        match event {
            Event::Reset => of(EventType::Reset, &none),
            Event::Replace(entry) | Event::Entry(entry) => proto::EndpointsEvent {
                service: Some(encode_service(&entry.service)),
                service_revision: entry.revision,
                ..of(
                    match event {
                        Event::Replace(_) => EventType::Replace,
                        _ => EventType::Update,
                    },
                    &entry.service.name,
                )
            },
            Event::Rewritten { service, revision } => proto::EndpointsEvent {
                service_revision: *revision,
                ..of(EventType::Update, service)
            },
            Event::Endpoint { service, endpoint } => proto::EndpointsEvent {
                endpoints: vec![encode_endpoint(endpoint, &service.namespace)],
                ..of(EventType::Update, service)
            },
            Event::Removed { service, identity } => proto::EndpointsEvent {
                removed: vec![encode_identity(identity, &service.namespace)],
                ..of(EventType::Update, service)
            },
            Event::Remove(name) => of(EventType::Remove, name),
            Event::Node(node) => proto::EndpointsEvent {
                node: Some(encode_node(node)),
                ..of(EventType::Update, &none)
            },
            Event::NodeRemoved(name) => proto::EndpointsEvent {
                node: Some(proto::Node {
                    name: name.to_string(),
                    ..Default::default()
                }),
                ..of(EventType::Remove, &none)
            },
        }
    }

    fn message(event: proto::EndpointsEvent) -> Vec<u8> {
        proto::WatchEndpointsResponse {
            events: vec![event],
            subscription: 0,
        }
        .encode_to_vec()
    }

    proptest! {
        #[test]
        fn bytes_are_those_that_prost_writes(
            event in event(), endpoint in endpoint(), service in service(), node in node(), revision: u64,
        ) {
            let name = service.name.clone();
            let entry = ServiceEntry { service: service.into(), revision };
            let others = [Event::Endpoint { service: name, endpoint }, Event::Entry(entry), Event::Node(node.into())];
            for event in others.into_iter().chain([event]) {
                let mut writer = ElementWriter::default();
                writer.event(&event);
                writer.close();
                prop_assert_eq!(writer.out, message(by_prost(&event)), "{:?}", event);
            }
        }
    }

    #[test]
    fn an_offer_is_what_prost_writes() {
        let mut writer = ElementWriter::default();
        writer.offer();
        let right = proto::EndpointsEvent {
            r#type: EventType::Offer.into(),
            ..Default::default()
        };
        assert_eq!(writer.out, message(right));
    }

    #[test]
    fn a_checkpoint_is_what_prost_writes() {
        let checkpoint = Checkpoint {
            commit_time: Some(std::time::SystemTime::now()),
            source_age: std::time::Duration::from_millis(1_500),
            ..Checkpoint::default()
        };
        let mut writer = ElementWriter::default();
        writer.checkpoint(&checkpoint);
        let right = proto::EndpointsEvent {
            r#type: EventType::Checkpoint.into(),
            checkpoint: Some(encode_checkpoint(&checkpoint)),
            ..Default::default()
        };
        assert_eq!(writer.out, message(right));
    }
}
