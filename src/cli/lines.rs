//! A watch in lines: one a change for people, one JSON object a change for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Cut, PodsCut};
use crate::engine::{Event, PodEvent};
use crate::model::{
    Conditions, Endpoint, EndpointIdentity, Object, ObjectName, Pod, ReadyCondition, Service,
};
use crate::source::manifest::{endpoint_json, identity_json, to_kubernetes};

use super::sockets::{selector_of, sockets};

/// Prints cuts of endpoints.
#[derive(Debug, Default)]
pub(super) struct EndpointLines {
    /// What has been told of each service, so that what goes can be named and what comes be told from
    /// what changes.
    told: BTreeMap<ObjectName, Told>,
}

#[derive(Debug)]
struct Told {
    service: Arc<Service>,
    endpoints: BTreeMap<EndpointIdentity, Endpoint>,
}

/// Everything that a cut says of one service, in its order.
#[derive(Debug, Default)]
struct Change<'a> {
    replace: Option<&'a Arc<Service>>,
    entry: Option<&'a Arc<Service>>,
    endpoints: Vec<&'a Endpoint>,
    removed: Vec<&'a EndpointIdentity>,
    gone: bool,
}

/// The events of a cut, service by service, and whether a reset came first. A service's events are
/// about it alone, so that their order among services does not matter.
fn by_service(cut: &Cut) -> (bool, BTreeMap<&ObjectName, Change<'_>>) {
    let mut changes: BTreeMap<&ObjectName, Change<'_>> = BTreeMap::new();
    let mut reset = false;
    for event in &cut.events {
        match event {
            Event::Reset => reset = true,
            Event::Replace(entry) => {
                changes.entry(&entry.service.name).or_default().replace = Some(&entry.service)
            }
            Event::Entry(entry) => {
                changes.entry(&entry.service.name).or_default().entry = Some(&entry.service)
            }
            Event::Endpoint { service, endpoint } => {
                changes.entry(service).or_default().endpoints.push(endpoint)
            }
            Event::Removed { service, identity } => {
                changes.entry(service).or_default().removed.push(identity)
            }
            Event::Remove(name) => changes.entry(name).or_default().gone = true,
            Event::Rewritten { .. } | Event::Node(_) | Event::NodeRemoved(_) => {}
        }
    }
    (reset, changes)
}

impl EndpointLines {
    /// One JSON object a line, the checkpoint last.
    pub(super) fn json(&mut self, cut: &Cut, out: &mut dyn Write) -> io::Result<()> {
        let (reset, changes) = by_service(cut);
        let revision = cut.revision;
        if reset {
            writeln!(out, "{}", json!({ "type": "RESET", "revision": revision }))?;
        }
        for (name, change) in changes {
            let endpoints: Vec<Value> = change
                .endpoints
                .iter()
                .map(|endpoint| endpoint_json(endpoint))
                .collect();
            let removed: Vec<Value> = change
                .removed
                .iter()
                .map(|identity| identity_json(identity))
                .collect();
            let service = name.to_string();
            let line = if change.gone {
                json!({ "type": "REMOVE", "revision": revision, "service": service })
            } else {
                let kind = if change.replace.is_some() {
                    "REPLACE"
                } else {
                    "UPDATE"
                };
                json!({
                    "type": kind,
                    "revision": revision,
                    "service": service,
                    "endpoints": endpoints,
                    "removed": removed,
                })
            };
            writeln!(out, "{line}")?;
        }
        writeln!(
            out,
            "{}",
            json!({ "type": "CHECKPOINT", "revision": revision })
        )
    }

    /// One line a change.
    pub(super) fn text(&mut self, cut: &Cut, out: &mut dyn Write) -> io::Result<()> {
        let (_, changes) = by_service(cut);
        for (name, change) in changes {
            if change.gone {
                self.gone(name, out)?;
            } else {
                self.changed(name, &change, out)?;
            }
        }
        for name in &cut.dropped {
            self.gone(name, out)?;
        }
        writeln!(out, "= checkpoint rev {}", cut.revision)
    }

    fn gone(&mut self, name: &ObjectName, out: &mut dyn Write) -> io::Result<()> {
        let Some(told) = self.told.remove(name) else {
            return Ok(());
        };
        for endpoint in told.endpoints.values() {
            writeln!(out, "- {name} {}", place(&told.service, endpoint))?;
        }
        writeln!(out, "- {name}")
    }

    fn changed(
        &mut self,
        name: &ObjectName,
        change: &Change<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let known = self.told.contains_key(name);
        let Some(service) = change
            .replace
            .or(change.entry)
            .cloned()
            .or_else(|| Some(self.told.get(name)?.service.clone()))
        else {
            return Ok(());
        };
        let told = self.told.entry(name.clone()).or_insert_with(|| Told {
            service: service.clone(),
            endpoints: BTreeMap::new(),
        });
        if !known {
            writeln!(out, "+ {name} selector {}", selector_of(&service))?;
        } else if told.service != service {
            writeln!(out, "~ {name} selector {}", selector_of(&service))?;
        }
        told.service = service;
        let service = &told.service;
        if change.replace.is_some() {
            // What is not said again is gone.
            let stays: BTreeSet<&EndpointIdentity> = change
                .endpoints
                .iter()
                .map(|endpoint| &endpoint.identity)
                .collect();
            let gone: Vec<EndpointIdentity> = told
                .endpoints
                .keys()
                .filter(|identity| !stays.contains(identity))
                .cloned()
                .collect();
            for endpoint in gone
                .iter()
                .filter_map(|identity| told.endpoints.remove(identity))
            {
                writeln!(out, "- {name} {}", place(service, &endpoint))?;
            }
        }
        for identity in &change.removed {
            if let Some(endpoint) = told.endpoints.remove(*identity) {
                writeln!(out, "- {name} {}", place(service, &endpoint))?;
            }
        }
        for endpoint in &change.endpoints {
            let before = told
                .endpoints
                .insert(endpoint.identity.clone(), Endpoint::clone(endpoint));
            let sign = match before {
                None => '+',
                Some(before) if before == **endpoint => continue,
                Some(_) => '~',
            };
            writeln!(
                out,
                "{sign} {name} {}{}",
                place(service, endpoint),
                state(endpoint.conditions)
            )?;
        }
        Ok(())
    }
}

/// Where an endpoint listens, and the pod behind it: `10.1.0.4:80 (default/rng-x)`.
fn place(service: &Service, endpoint: &Endpoint) -> String {
    let mut text = sockets(service, endpoint).join(",");
    if let Some(pod) = &endpoint.identity.pod {
        let _ = write!(text, " ({pod})");
    }
    text
}

/// Whatever keeps an endpoint from being an ordinary one.
fn state(conditions: Conditions) -> &'static str {
    match (conditions.ready, conditions.terminating) {
        (true, false) => "",
        (true, true) => " terminating, ready",
        (false, false) => " not ready",
        (false, true) => " terminating",
    }
}

/// Prints cuts of a live query.
#[derive(Debug, Default)]
pub(super) struct PodLines {
    told: BTreeMap<ObjectName, Pod>,
}

impl PodLines {
    /// Leaves in a cut only what is about wanted pods.
    pub(super) fn keep(&self, cut: &mut PodsCut, is_wanted: impl Fn(&ObjectName) -> bool) {
        cut.events.retain(|event| match event {
            PodEvent::Reset => true,
            PodEvent::Pod { pod, .. } => is_wanted(&pod.name),
            PodEvent::Removed(name) => is_wanted(name),
        });
        cut.dropped.retain(is_wanted);
    }

    /// One JSON object a line, the checkpoint last.
    pub(super) fn json(&mut self, cut: &PodsCut, out: &mut dyn Write) -> io::Result<()> {
        let at = cut.revision;
        for event in &cut.events {
            let line = match event {
                PodEvent::Reset => json!({ "type": "RESET", "revision": at }),
                PodEvent::Pod { pod, revision } => {
                    let object = to_kubernetes(&Object::Pod(Box::new(pod.clone())), *revision);
                    json!({ "type": "UPDATE", "revision": at, "pod": pod.name.to_string(), "object": object })
                }
                PodEvent::Removed(name) => {
                    json!({ "type": "REMOVE", "revision": at, "pod": name.to_string() })
                }
            };
            writeln!(out, "{line}")?;
        }
        writeln!(out, "{}", json!({ "type": "CHECKPOINT", "revision": at }))
    }

    /// One line a change.
    pub(super) fn text(&mut self, cut: &PodsCut, out: &mut dyn Write) -> io::Result<()> {
        for event in &cut.events {
            match event {
                PodEvent::Reset => {}
                PodEvent::Pod { pod, .. } => {
                    let sign = match self.told.insert(pod.name.clone(), pod.clone()) {
                        None => '+',
                        Some(before) if before == *pod => continue,
                        Some(_) => '~',
                    };
                    writeln!(out, "{sign} {}", pod_line(pod))?;
                }
                PodEvent::Removed(name) => self.gone(name, out)?,
            }
        }
        for name in &cut.dropped {
            self.gone(name, out)?;
        }
        writeln!(out, "= checkpoint rev {}", cut.revision)
    }

    fn gone(&mut self, name: &ObjectName, out: &mut dyn Write) -> io::Result<()> {
        match self.told.remove(name) {
            Some(_) => writeln!(out, "- {name}"),
            None => Ok(()),
        }
    }
}

fn pod_line(pod: &Pod) -> String {
    let mut line = pod.name.to_string();
    for ip in &pod.pod_ips {
        let _ = write!(line, " {ip}");
    }
    let _ = write!(line, " {}", pod.labels);
    if pod.ready != ReadyCondition::True {
        line.push_str(" not ready");
    }
    if pod.deletion_timestamp.is_some() {
        line.push_str(" terminating");
    }
    line
}

#[cfg(test)]
mod tests;
