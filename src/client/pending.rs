//! Events since the last checkpoint, merged so that they never outgrow the state by much.
//!
//! Under a storm a checkpoint may be long in coming, and the same endpoint may be told of many times
//! before it. Only the last word about a thing matters, so whenever the list has doubled it is
//! merged: at most twice the things it speaks of are held, at a constant cost for each event.

use std::collections::{BTreeSet, HashSet};

use smol_str::SmolStr;

use crate::engine::{Event, PodEvent};
use crate::model::{EndpointIdentity, ObjectName};

/// Shorter lists are not merged.
const SMALL: usize = 1_024;

/// Events whose earlier ones can be made void by later ones.
pub(super) trait Merge: Sized {
    /// Drops every event that a later one makes void. Folding what is left gives the same state.
    fn merge(events: &mut Vec<Self>);
    /// Whether everything that was told before it is void.
    fn begins_anew(&self) -> bool;
}

/// Events that wait for their checkpoint.
#[derive(Debug)]
pub(super) struct Pending<E> {
    events: Vec<E>,
    merge_at: usize,
}

impl<E: Merge> Pending<E> {
    pub(super) fn new() -> Self {
        Pending {
            events: Vec::new(),
            merge_at: SMALL,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn push(&mut self, event: E) {
        if self.events.len() >= self.merge_at {
            E::merge(&mut self.events);
            self.merge_at = SMALL.max(self.events.len().saturating_mul(2));
        }
        self.events.push(event);
    }

    /// What a lost connection leaves behind is worthless: the cursor is where it was.
    pub(super) fn clear(&mut self) {
        *self = Pending::new();
    }

    /// All of them, merged.
    pub(super) fn take(&mut self) -> Vec<E> {
        let mut events = std::mem::replace(self, Pending::new()).events;
        E::merge(&mut events);
        events
    }
}

impl Merge for Event {
    fn begins_anew(&self) -> bool {
        *self == Event::Reset
    }

    fn merge(events: &mut Vec<Event>) {
        let mut later = Later::default();
        let mut kept: Vec<Event> = Vec::with_capacity(events.len());
        while let Some(event) = events.pop() {
            if later.wants(&event) {
                let reset = event == Event::Reset;
                kept.push(event);
                if reset {
                    // Everything that still is comes again after a reset.
                    break;
                }
            }
        }
        kept.reverse();
        *events = kept;
    }
}

/// What the events after the one looked at say.
#[derive(Default)]
struct Later {
    /// Services whose earlier events are void.
    settled: HashSet<ObjectName>,
    entries: HashSet<ObjectName>,
    revisions: HashSet<ObjectName>,
    endpoints: HashSet<(ObjectName, EndpointIdentity)>,
    nodes: BTreeSet<SmolStr>,
}

impl Later {
    /// Whether this event still matters, given those after it.
    fn wants(&mut self, event: &Event) -> bool {
        match event {
            Event::Reset => true,
            Event::Replace(entry) => self.settled.insert(entry.service.name.clone()),
            Event::Remove(name) => self.settled.insert(name.clone()),
            Event::Entry(entry) => {
                !self.settled.contains(&entry.service.name)
                    && self.entries.insert(entry.service.name.clone())
            }
            Event::Rewritten { service, .. } => {
                !self.settled.contains(service)
                    && !self.entries.contains(service)
                    && self.revisions.insert(service.clone())
            }
            Event::Endpoint { service, endpoint } => {
                self.wants_endpoint(service, &endpoint.identity)
            }
            Event::Removed { service, identity } => self.wants_endpoint(service, identity),
            Event::Node(node) => self.nodes.insert(node.name.clone()),
            Event::NodeRemoved(name) => self.nodes.insert(name.clone()),
        }
    }

    fn wants_endpoint(&mut self, service: &ObjectName, identity: &EndpointIdentity) -> bool {
        !self.settled.contains(service)
            && self.endpoints.insert((service.clone(), identity.clone()))
    }
}

impl Merge for PodEvent {
    fn begins_anew(&self) -> bool {
        *self == PodEvent::Reset
    }

    fn merge(events: &mut Vec<PodEvent>) {
        let mut later: HashSet<ObjectName> = HashSet::new();
        let mut kept: Vec<PodEvent> = Vec::with_capacity(events.len());
        while let Some(event) = events.pop() {
            let wanted = match &event {
                PodEvent::Reset => true,
                PodEvent::Pod { pod, .. } => later.insert(pod.name.clone()),
                PodEvent::Removed(name) => later.insert(name.clone()),
            };
            if wanted {
                let reset = event == PodEvent::Reset;
                kept.push(event);
                if reset {
                    break;
                }
            }
        }
        kept.reverse();
        *events = kept;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::{ServiceEntry, View};
    use crate::model::{Conditions, Endpoint, EndpointPorts, Hints, Service};

    fn name(n: u64) -> ObjectName {
        ObjectName::new("default", format!("svc-{n}"))
    }

    fn entry(n: u64, revision: u64) -> ServiceEntry {
        let service = Service {
            name: name(n),
            ..Service::default()
        };
        ServiceEntry {
            service: Arc::new(service),
            revision,
        }
    }

    fn identity(n: u64) -> EndpointIdentity {
        EndpointIdentity {
            hostname: format!("h{n}").into(),
            ..EndpointIdentity::default()
        }
    }

    fn endpoint(n: u64, revision: u64) -> Endpoint {
        Endpoint {
            identity: identity(n),
            uid: format!("{revision}").into(),
            ports: EndpointPorts::OfService,
            conditions: Conditions {
                ready: true,
                serving: true,
                terminating: false,
            },
            node: SmolStr::default(),
            zone: SmolStr::default(),
            hints: Hints::default(),
        }
    }

    /// A small generator of its own, so that a failure can be repeated from its seed.
    fn next(state: &mut u64) -> u64 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    }

    fn random_event(state: &mut u64, revision: u64) -> Event {
        let (service, member) = (next(state) % 4, next(state) % 5);
        match next(state) % 17 {
            0 => Event::Reset,
            1 | 2 => Event::Replace(entry(service, revision)),
            3 => Event::Remove(name(service)),
            4 | 5 => Event::Entry(entry(service, revision)),
            16 => Event::Rewritten {
                service: name(service),
                revision,
            },
            6..=8 => Event::Removed {
                service: name(service),
                identity: identity(member),
            },
            _ => Event::Endpoint {
                service: name(service),
                endpoint: endpoint(member, revision),
            },
        }
    }

    #[test]
    fn merged_events_fold_to_the_same_state() {
        for seed in 0..500 {
            let mut state = seed;
            let mut view = View::default();
            for cut in 0..4 {
                let events: Vec<Event> = (0..40)
                    .map(|i| random_event(&mut state, cut * 100 + i))
                    .collect();
                let mut merged = events.clone();
                Event::merge(&mut merged);
                let mut other = view.clone();
                events.into_iter().for_each(|event| view.apply(event));
                merged.into_iter().for_each(|event| other.apply(event));
                view.checkpoint();
                other.checkpoint();
                assert_eq!(view, other, "seed {seed}, cut {cut}");
            }
        }
    }

    #[test]
    fn a_long_wait_for_a_checkpoint_holds_no_more_than_the_state_twice() {
        let mut pending = Pending::new();
        for revision in 0..100_000 {
            pending.push(Event::Endpoint {
                service: name(0),
                endpoint: endpoint(revision % 2_000, revision),
            });
        }
        assert!(pending.events.len() <= 4_000, "{}", pending.events.len());
        assert_eq!(pending.take().len(), 2_000);
    }
}
