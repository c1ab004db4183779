use std::collections::BTreeMap;

use crate::index::Index;
use crate::model::{Endpoint, EndpointIdentity, IpFamily};

use super::affected::{Pair, Verdict};
use super::diff::{Differences, Holder, Side};
use super::reconciler::Reconciler;
use super::services::{ServiceId, ServiceRecord};
use super::touched::Touched;

/// An endpoint before and after, while it is being found out whether they differ.
#[derive(Debug, Default)]
struct Sides {
    before: Option<(Holder, Endpoint)>,
    after: Option<(Holder, Endpoint)>,
}

type AllSides = BTreeMap<EndpointIdentity, Sides>;

/// Services of which endpoints were also made by hand: few, and small. Whole endpoints are compared, by
/// identity, as a hand-made one shows where no computed one has the same.
impl Reconciler {
    /// Whether hand-made endpoints of a service are there, show, or were touched.
    pub(super) fn has_manual(&self, touched: &Touched, record: &ServiceRecord) -> bool {
        if touched.manual.is_empty() && self.manual.len() == 0 {
            return !record.set.manual.is_empty();
        }
        let name = record.service.name();
        touched.manual.contains_key(&name)
            || !record.set.manual.is_empty()
            || self.manual.any(&name)
    }

    /// Services whose hand-made endpoints may show or hide although nothing else changed.
    pub(super) fn touched_by_hand(&self, touched: &Touched) -> Vec<ServiceId> {
        let manual = touched
            .manual
            .keys()
            .filter_map(|name| self.services.id(name))
            .filter(|id| !touched.deleted_services.contains(id));
        let created = touched
            .services
            .iter()
            .filter(|(_, before)| before.is_none())
            .map(|(id, _)| *id);
        let mut services: Vec<ServiceId> = manual.chain(created).collect();
        services.sort_unstable();
        services.dedup();
        services
    }

    /// Finds the differences of a service that has hand-made endpoints.
    pub(super) fn compare_by_hand(
        &mut self,
        index: &Index,
        touched: &Touched,
        service: ServiceId,
        pairs: &[Pair],
        differences: &mut Differences,
    ) {
        let mut sides = AllSides::new();
        for pair in pairs {
            self.computed_sides(index, touched, *pair, &mut sides);
        }
        self.manual_sides(index, touched, service, pairs, &mut sides);
        self.endpoints_visited += sides.len() as u64;
        let Some(record) = self.services.get(service) else {
            return;
        };
        let begins = |sides: &Sides| matches!(sides.after, Some((Holder::Computed { .. }, _)));
        let differ = |(_, sides): &(EndpointIdentity, Sides)| sides.before != sides.after;
        let mut found: Vec<_> = sides.into_iter().filter(differ).collect();
        found.sort_by_key(|(_, sides)| begins(sides));
        for (identity, sides) in found {
            let side = |(holder, endpoint): (Holder, Endpoint)| Side {
                holder,
                ready: endpoint.conditions.ready,
            };
            let key = differences.add_key(&identity, record.service.namespace());
            differences.push(service, sides.before.map(side), sides.after.map(side), key);
        }
    }

    fn computed_sides(
        &self,
        index: &Index,
        touched: &Touched,
        (service, pod, verdict): Pair,
        sides: &mut AllSides,
    ) {
        let Some(record) = self.services.get(service) else {
            return;
        };
        let was = touched.facts_before(service, record.service.facts());
        let pod_was = touched.pod_before(index, pod);
        for family in [IpFamily::V4, IpFamily::V6] {
            let member = self.memberships.find(pod, service, family).is_some();
            let before = was
                .zip(pod_was)
                .filter(|_| member)
                .and_then(|(facts, pod)| self.project_before(touched, facts, pod, family));
            let after = self.computed_now(index, (service, pod, verdict), family);
            if before == after {
                continue;
            }
            let holder = Holder::Computed { pod, family };
            if let Some(before) = before {
                let identity = before.identity.clone();
                sides.entry(identity).or_default().before = Some((holder, before));
            }
            if let Some(after) = after {
                let identity = after.identity.clone();
                sides.entry(identity).or_default().after = Some((holder, after));
            }
        }
    }

    /// What a pair comes to, as its verdict has it.
    fn computed_now(
        &self,
        index: &Index,
        (service, pod, verdict): Pair,
        family: IpFamily,
    ) -> Option<Endpoint> {
        let member = || self.memberships.find(pod, service, family).is_some();
        let record = index.get(pod).filter(|_| verdict.selects(member))?;
        self.project(self.services.get(service)?.service.facts(), record, family)
    }

    /// Whether a computed endpoint has this identity now. Of the service's affected `pairs` the
    /// memberships are still those from before, so that there the verdict counts.
    fn is_computed(
        &self,
        index: &Index,
        service: ServiceId,
        pairs: &[Pair],
        identity: &EndpointIdentity,
    ) -> bool {
        let Some(pod) = identity.pod.as_ref().and_then(|name| index.find(name)) else {
            return false;
        };
        let affected = pairs.binary_search_by_key(&pod, |pair| pair.1);
        let verdict = match affected.ok().and_then(|at| pairs.get(at)) {
            Some((_, _, verdict)) => *verdict,
            None => Verdict::AsBefore,
        };
        self.computed_now(index, (service, pod, verdict), identity.family())
            .is_some_and(|endpoint| endpoint.identity == *identity)
    }

    /// Lets hand-made endpoints stand in where no computed one does.
    fn manual_sides(
        &self,
        index: &Index,
        touched: &Touched,
        service: ServiceId,
        pairs: &[Pair],
        sides: &mut AllSides,
    ) {
        let Some(record) = self.services.get(service) else {
            return;
        };
        let name = &record.service.name();
        let changed = touched.manual.get(name);
        let is_new = touched.services.get(&service).is_some_and(Option::is_none);
        let mut looked_at: Vec<EndpointIdentity> = Vec::new();
        if is_new {
            looked_at.extend(self.manual.identities(name).cloned());
        } else {
            looked_at.extend(changed.into_iter().flat_map(BTreeMap::keys).cloned());
        }
        for identity in looked_at {
            // An unchanged computed endpoint hides whatever was written by hand.
            if !sides.contains_key(&identity) && !self.is_computed(index, service, pairs, &identity)
            {
                sides.insert(identity, Sides::default());
            }
        }
        for (identity, sides) in sides.iter_mut() {
            let now = self.manual.endpoint(name, identity);
            let was = changed
                .and_then(|c| c.get(identity))
                .map_or(now, Option::as_ref);
            if sides.before.is_none() && !is_new {
                sides.before = was.map(|endpoint| (Holder::Manual, endpoint.clone()));
            }
            if sides.after.is_none() {
                sides.after = now.map(|endpoint| (Holder::Manual, endpoint.clone()));
            }
        }
    }
}
