use crate::index::Index;
use crate::model::{EndpointIdentity, IpFamily};

use super::affected::{Pair, Verdict};
use super::conditions::Status;
use super::identity_key::write_identity;
use super::project::identity;
use super::reconciler::Reconciler;
use super::service_facts::ServiceFacts;
use super::services::{ServiceId, ServiceRecord};
use super::touched::Touched;

/// Who provides an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    /// Somebody wrote it by hand.
    Manual,
    /// A pod that is selected.
    Computed { pod: u32, family: IpFamily },
}

/// One side of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Side {
    pub(crate) holder: Holder,
    pub(crate) ready: bool,
}

/// Of an endpoint whose identity nobody asks for.
const NO_KEY: (u32, u32) = (0, 0);

/// One endpoint that is not what it was. None before: it is new. None after: it is gone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Difference {
    pub(crate) service: ServiceId,
    pub(crate) before: Option<Side>,
    pub(crate) after: Option<Side>,
    /// Where its key lies among the keys: first byte, and length.
    key: (u32, u32),
}

/// The differences that a transaction made, each endpoint once: by service, those that end an endpoint
/// before those that begin one, since a pod whose address changed does both. Used again and again, so
/// that most transactions allocate nothing.
#[derive(Debug, Default)]
pub(crate) struct Differences {
    pairs: Vec<Pair>,
    list: Vec<Difference>,
    /// Keys of identities: of endpoints that are gone, of new ones whose service remembers removals,
    /// and of all where hand-made endpoints are about.
    keys: Vec<u8>,
}

impl Differences {
    pub(crate) fn list(&self) -> &[Difference] {
        &self.list
    }

    /// The key of the endpoint's identity, or nothing where nobody asks for it.
    pub(crate) fn key(&self, difference: &Difference) -> &[u8] {
        let (first, len) = difference.key;
        let (first, len) = (first as usize, len as usize);
        self.keys.get(first..first + len).unwrap_or_default()
    }

    /// Adds a difference.
    pub(super) fn push(
        &mut self,
        service: ServiceId,
        before: Option<Side>,
        after: Option<Side>,
        key: (u32, u32),
    ) {
        self.list.push(Difference {
            service,
            before,
            after,
            key,
        });
    }

    /// Writes the key of an identity; `home` is the namespace of the service.
    pub(super) fn add_key(&mut self, identity: &EndpointIdentity, home: &str) -> (u32, u32) {
        let first = self.keys.len();
        write_identity(identity, home, &mut self.keys);
        (first as u32, (self.keys.len() - first) as u32)
    }

    /// Puts the differences of one service, from `first` on, in order: those that end an endpoint by
    /// its identity, so that the oldest removal is the same one wherever ids differ.
    fn order(&mut self, first: usize) {
        let Some(of_service) = self.list.get_mut(first..) else {
            return;
        };
        if of_service.len() > 1 && of_service.iter().any(|d| d.after.is_none()) {
            let key = |d: &Difference| {
                let (first, len) = (d.key.0 as usize, d.key.1 as usize);
                let ends = d.after.is_none();
                self.keys.get(first..first + len).filter(|_| ends)
            };
            of_service.sort_unstable_by(|a, b| {
                let ends = b.after.is_none().cmp(&a.after.is_none());
                ends.then_with(|| key(a).cmp(&key(b)))
                    .then_with(|| a.after.cmp(&b.after))
            });
        }
    }
}

impl Reconciler {
    /// Finds the differences that a transaction made.
    pub(crate) fn differences(
        &mut self,
        index: &Index,
        touched: &Touched,
        differences: &mut Differences,
    ) {
        differences.list.clear();
        differences.keys.clear();
        let mut pairs = std::mem::take(&mut differences.pairs);
        self.affected(index, touched, &mut pairs);
        let mut by_hand = self.touched_by_hand(touched).into_iter().peekable();
        let mut rest = pairs.as_slice();
        loop {
            let next = rest.first().map(|pair| pair.0);
            let Some(service) = next.into_iter().chain(by_hand.peek().copied()).min() else {
                break;
            };
            by_hand.next_if_eq(&service);
            let of_service = rest.iter().take_while(|pair| pair.0 == service).count();
            let (pairs, later) = rest.split_at(of_service);
            rest = later;
            let Some(record) = self.services.get(service) else {
                continue;
            };
            if self.has_manual(touched, record) {
                self.compare_by_hand(index, touched, service, pairs, differences);
                continue;
            }
            let first = differences.list.len();
            for pair in pairs {
                self.compare(index, touched, *pair, record, differences);
            }
            differences.order(first);
        }
        differences.pairs = pairs;
    }

    /// Compares the endpoints of a pair, whose service has no hand-made ones: then no two pods share an
    /// identity, and an identity is made only where it has to be kept or looked for.
    fn compare(
        &self,
        index: &Index,
        touched: &Touched,
        (service, pod, verdict): Pair,
        record: &ServiceRecord,
        differences: &mut Differences,
    ) {
        let holder = |family| Holder::Computed { pod, family };
        if let Verdict::Status { family, was, now } = verdict {
            let publish = record.service.publishes_not_ready_addresses();
            let side = |status: Status| Side {
                holder: holder(family),
                ready: status.conditions(publish).ready,
            };
            if was != now {
                differences.push(service, Some(side(was)), Some(side(now)), NO_KEY);
            }
            return;
        }
        let facts = record.service.facts();
        let facts_were = touched.facts_before(service, facts);
        let now = index.get(pod);
        let was = touched.pod_before(index, pod);
        let home = record.service.namespace();
        for family in [IpFamily::V4, IpFamily::V6] {
            let member = self.memberships.find(pod, service, family).is_some();
            let selected = verdict.selects(|| member);
            let before = was.zip(facts_were).filter(|_| member);
            let after = now.filter(|pod| selected && self.admits(facts, *pod, family));
            let side = |facts: ServiceFacts<'_>, state| Side {
                holder: holder(family),
                ready: Status::of(state)
                    .conditions(facts.publish_not_ready_addresses)
                    .ready,
            };
            let ended = before.map(|(was, facts)| side(facts, was));
            let begun = after.map(|now| side(facts, now));
            if let (Some((was, facts_were)), Some(now)) = (before, after) {
                let (differs, renamed) = if !touched.services.contains_key(&service)
                    && touched.leaves_all_but_status(was, now)
                {
                    (Status::of(was) != Status::of(now), false)
                } else {
                    let before = self.project_before(touched, facts_were, was, family);
                    let after = self.project(facts, now, family);
                    let differs = before != after;
                    (
                        differs,
                        before.map(|e| e.identity) != after.map(|e| e.identity),
                    )
                };
                if !renamed {
                    if differs {
                        differences.push(service, ended, begun, NO_KEY);
                    }
                    continue;
                }
            }
            if let Some((was, facts)) = before {
                let key = differences.add_key(&identity(facts, was, family), home);
                differences.push(service, ended, None, key);
            }
            if let Some(now) = after {
                let key = if record.set.removals.is_empty() {
                    NO_KEY
                } else {
                    differences.add_key(&identity(facts, now, family), home)
                };
                differences.push(service, None, begun, key);
            }
        }
    }
}
