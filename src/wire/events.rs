//! The endpoints stream, as its readers take it apart.

use crate::engine::{Event, ServiceEntry};
use crate::labels::FieldError;
use crate::model::ObjectName;

use super::endpoints::{decode_endpoint, decode_identity};
use super::faults::{Decoded, Faults, required};
use super::name::unknown_number;
use super::proto;
use super::proto::EventType;
use super::scope::{Checkpoint, decode_checkpoint};
use super::service::{decode_node, decode_service};

/// What one element of a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// Events, in the order in which they are folded.
    Events(Vec<Event>),
    /// The server asks for what is held.
    Offer,
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
        Ok(EventType::Offer) => return Ok(Delta::Offer),
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

/// Makes names whole that are given as suffixes. One that is given both ways keeps both, and is refused.
fn complete_names(event: &mut proto::EndpointsEvent) {
    let pods = &event.pod_name_prefix;
    let of_endpoints = event.endpoints.iter_mut();
    let of_endpoints = of_endpoints.filter_map(|endpoint| endpoint.identity.as_mut());
    for identity in of_endpoints.chain(&mut event.removed) {
        complete(pods, &mut identity.pod_name, &mut identity.pod_name_suffix);
    }
    let (nodes, zones) = (&event.node_name_prefix, &event.zone_prefix);
    for endpoint in &mut event.endpoints {
        complete(
            nodes,
            &mut endpoint.node_name,
            &mut endpoint.node_name_suffix,
        );
        complete(zones, &mut endpoint.zone, &mut endpoint.zone_suffix);
    }
}

fn complete(prefix: &str, name: &mut String, suffix: &mut String) {
    if name.is_empty() && !suffix.is_empty() {
        name.reserve_exact(prefix.len().saturating_add(suffix.len()));
        name.push_str(prefix);
        name.push_str(suffix);
        suffix.clear();
    }
}

fn decode_service_event(kind: EventType, mut event: proto::EndpointsEvent) -> Decoded<Vec<Event>> {
    complete_names(&mut event);
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
    } else if event.service_revision > 0 {
        events.push(Event::Rewritten {
            service: name.clone(),
            revision: event.service_revision,
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
