//! The endpoints stream: events into messages below a set size, and back.

use std::collections::HashSet;

use prost::Message as _;
use prost::encoding::encoded_len_varint;

use crate::engine::{Event, ServiceEntry};
use crate::labels::FieldError;
use crate::model::{EndpointIdentity, ObjectName};

use super::endpoints::{decode_endpoint, decode_identity, encode_endpoint, encode_identity};
use super::faults::{Decoded, Faults, required};
use super::name::unknown_number;
use super::proto;
use super::proto::EventType;
use super::scope::{Checkpoint, decode_checkpoint, encode_checkpoint};
use super::service::{decode_node, decode_service, encode_node, encode_service};

/// Most bytes that an element adds to what it holds: its tag and its length.
const ELEMENT_OVERHEAD: usize = 6;
/// Most bytes of a field that holds a revision.
const REVISION_LEN: usize = 11;

/// Events on their way into one message.
///
/// Consecutive events of one service share an element. A message is closed when the next event would
/// push it past the limit, so that a set of any size travels in messages of bounded size; only one
/// object that is larger than the limit by itself makes a larger message.
#[derive(Debug)]
pub struct EventBatch {
    limit: usize,
    subscription: u64,
    size: usize,
    events: Vec<proto::EndpointsEvent>,
    /// The service of the last element, while it may be added to.
    open: Option<ObjectName>,
    /// What the open element removes. An element removes last, so that an endpoint that comes back
    /// needs an element of its own.
    removed: HashSet<EndpointIdentity>,
}

impl EventBatch {
    /// An empty message, to be closed before it has more than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        EventBatch {
            limit,
            subscription: 0,
            size: 0,
            events: Vec::new(),
            open: None,
            removed: HashSet::new(),
        }
    }

    /// The same, whose messages say which subscription they answer.
    pub fn answering(self, subscription: u64) -> Self {
        EventBatch {
            subscription,
            ..self
        }
    }

    /// Whether nothing was added since the last message was taken.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Adds an event; answers the message before it, if that is full. Linear in the event's size.
    pub fn push(&mut self, event: Event) -> Option<proto::WatchEndpointsResponse> {
        match event {
            Event::Reset => self.element(proto::EndpointsEvent {
                r#type: EventType::Reset.into(),
                ..Default::default()
            }),
            Event::Replace(entry) => {
                let full = self.element(of_service(
                    EventType::Replace,
                    &entry.service.name,
                    Some(&entry),
                ));
                self.open(&entry.service.name);
                full
            }
            Event::Entry(entry) => {
                let name = &entry.service.name;
                let service = encode_service(&entry.service);
                let size = field_len(service.encoded_len()).saturating_add(REVISION_LEN);
                self.part(name, size, |element| {
                    element.service = Some(service);
                    element.service_revision = entry.revision;
                })
            }
            Event::Endpoint { service, endpoint } => {
                if self.removed.contains(&endpoint.identity) {
                    self.close();
                }
                let endpoint = encode_endpoint(&endpoint, &service.namespace);
                self.part(&service, field_len(endpoint.encoded_len()), |element| {
                    element.endpoints.push(endpoint)
                })
            }
            Event::Removed { service, identity } => {
                let removed = encode_identity(&identity, &service.namespace);
                let full = self.part(&service, field_len(removed.encoded_len()), |element| {
                    element.removed.push(removed)
                });
                self.removed.insert(identity);
                full
            }
            Event::Remove(name) => self.element(of_service(EventType::Remove, &name, None)),
            Event::Node(node) => self.element(proto::EndpointsEvent {
                r#type: EventType::Update.into(),
                node: Some(encode_node(&node)),
                ..Default::default()
            }),
            Event::NodeRemoved(name) => self.element(proto::EndpointsEvent {
                r#type: EventType::Remove.into(),
                node: Some(proto::Node {
                    name: name.into(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
        }
    }

    /// The last message before a pause: what is left, and the checkpoint.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> proto::WatchEndpointsResponse {
        self.close();
        self.events.push(proto::EndpointsEvent {
            r#type: EventType::Checkpoint.into(),
            checkpoint: Some(encode_checkpoint(checkpoint)),
            ..Default::default()
        });
        self.take()
    }

    fn close(&mut self) {
        self.open = None;
        self.removed.clear();
    }

    fn open(&mut self, service: &ObjectName) {
        self.close();
        self.open = Some(service.clone());
    }

    fn is_open(&self, service: &ObjectName) -> bool {
        self.open.as_ref() == Some(service)
    }

    fn take(&mut self) -> proto::WatchEndpointsResponse {
        self.close();
        self.size = 0;
        proto::WatchEndpointsResponse {
            events: std::mem::take(&mut self.events),
            subscription: self.subscription,
        }
    }

    /// Makes room for `size` more bytes.
    fn room_for(&mut self, size: usize) -> Option<proto::WatchEndpointsResponse> {
        let full = !self.events.is_empty() && self.size.saturating_add(size) > self.limit;
        full.then(|| self.take())
    }

    /// Adds an element of its own.
    fn element(&mut self, element: proto::EndpointsEvent) -> Option<proto::WatchEndpointsResponse> {
        let size = element.encoded_len().saturating_add(ELEMENT_OVERHEAD);
        let full = self.room_for(size);
        self.close();
        self.size = self.size.saturating_add(size);
        self.events.push(element);
        full
    }

    /// Adds to the open element of a service, or to a new UPDATE.
    fn part(
        &mut self,
        service: &ObjectName,
        size: usize,
        add: impl FnOnce(&mut proto::EndpointsEvent),
    ) -> Option<proto::WatchEndpointsResponse> {
        let header = if self.is_open(service) {
            0
        } else {
            header_len(service)
        };
        let mut full = self.room_for(header.saturating_add(size));
        if !self.is_open(service) {
            full = full.or(self.element(of_service(EventType::Update, service, None)));
            self.open(service);
        }
        self.size = self.size.saturating_add(size);
        if let Some(element) = self.events.last_mut() {
            add(element);
        }
        full
    }
}

/// Bytes of an UPDATE that holds nothing yet.
fn header_len(service: &ObjectName) -> usize {
    ELEMENT_OVERHEAD + 2 + field_len(service.namespace.len()) + field_len(service.name.len())
}

/// Bytes of a field that holds a message of this length.
fn field_len(len: usize) -> usize {
    encoded_len_varint(len as u64)
        .saturating_add(len)
        .saturating_add(1)
}

fn of_service(
    kind: EventType,
    name: &ObjectName,
    entry: Option<&ServiceEntry>,
) -> proto::EndpointsEvent {
    proto::EndpointsEvent {
        r#type: kind.into(),
        namespace: name.namespace.to_string(),
        name: name.name.to_string(),
        service: entry.map(|entry| encode_service(&entry.service)),
        service_revision: entry.map(|entry| entry.revision).unwrap_or_default(),
        ..Default::default()
    }
}

/// What one element of a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// Events, in the order in which they are folded.
    Events(Vec<Event>),
    /// The commit point.
    Checkpoint(Checkpoint),
}

/// One element of a message.
///
/// # Errors
/// What a server that keeps its word does not send: an unknown type, a REPLACE without a service, a
/// checkpoint without a cursor, objects that are none.
pub fn decode_event(event: proto::EndpointsEvent) -> Decoded<Delta> {
    let about_node = event.name.is_empty();
    let events = match EventType::try_from(event.r#type) {
        Ok(EventType::Reset) => vec![Event::Reset],
        Ok(EventType::Checkpoint) => {
            let mut faults = Faults::default();
            let checkpoint = event.checkpoint.map_or_else(
                || required("", "a CHECKPOINT carries one"),
                decode_checkpoint,
            );
            let checkpoint = faults.part("checkpoint", checkpoint);
            return faults.finish(Delta::Checkpoint(checkpoint));
        }
        Ok(EventType::Replace) if event.service.is_none() => {
            return required("service", "a REPLACE carries one");
        }
        Ok(EventType::Remove) if about_node => {
            vec![Event::NodeRemoved(node_of(event)?.name.into())]
        }
        Ok(EventType::Remove) => vec![Event::Remove(ObjectName::new(event.namespace, event.name))],
        Ok(EventType::Update) if about_node => {
            let mut faults = Faults::default();
            let node = faults.part("node", decode_node(node_of(event)?));
            faults.finish(vec![Event::Node(node.into())])?
        }
        Ok(kind @ (EventType::Replace | EventType::Update)) => decode_service_event(kind, event)?,
        Ok(EventType::Unspecified) | Err(_) => {
            return unknown_number(event.r#type).map_err(|faults: Vec<FieldError>| {
                faults
                    .into_iter()
                    .map(|fault| fault.under("type"))
                    .collect()
            });
        }
    };
    Ok(Delta::Events(events))
}

fn node_of(event: proto::EndpointsEvent) -> Decoded<proto::Node> {
    event.node.map_or_else(
        || required("node", "an event without a name is about a node"),
        Ok,
    )
}

fn decode_service_event(kind: EventType, event: proto::EndpointsEvent) -> Decoded<Vec<Event>> {
    let mut faults = Faults::default();
    let name = ObjectName::new(event.namespace, event.name);
    let namespace = name.namespace.clone();
    let mut events = Vec::with_capacity(1 + event.endpoints.len() + event.removed.len());
    if let Some(service) = event.service {
        let service = faults.part("service", decode_service(service));
        if service.name != name {
            faults.push(FieldError::invalid(
                "service",
                format!("is {}, not {name}", service.name),
            ));
        }
        let entry = ServiceEntry {
            service: service.into(),
            revision: event.service_revision,
        };
        events.push(if kind == EventType::Replace {
            Event::Replace(entry)
        } else {
            Event::Entry(entry)
        });
    }
    let endpoints: Vec<_> = faults.list("endpoints", event.endpoints, |endpoint| {
        decode_endpoint(endpoint, &namespace)
    });
    events.extend(endpoints.into_iter().map(|endpoint| Event::Endpoint {
        service: name.clone(),
        endpoint,
    }));
    let removed: Vec<_> = faults.list("removed", event.removed, |identity| {
        decode_identity(Some(identity), &namespace)
    });
    events.extend(removed.into_iter().map(|identity| Event::Removed {
        service: name.clone(),
        identity,
    }));
    faults.finish(events)
}
