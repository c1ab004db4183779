use std::collections::BTreeMap;

use crate::index::Index;
use crate::model::{Endpoint, EndpointIdentity, IpFamily};

use super::affected::{Pair, Verdict};
use super::project::project;
use super::reconciler::Reconciler;
use super::service_facts::ServiceFacts;
use super::services::ServiceId;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) holder: Holder,
    pub(crate) ready: bool,
}

/// One endpoint that is not what it was. None before: it is new. None after: it is gone.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) service: ServiceId,
    pub(crate) identity: EndpointIdentity,
    pub(crate) before: Option<Side>,
    pub(crate) after: Option<Side>,
}

/// An endpoint before and after, while it is being found out whether they differ.
#[derive(Debug, Default)]
struct Sides {
    before: Option<(Holder, Endpoint)>,
    after: Option<(Holder, Endpoint)>,
}

impl Reconciler {
    /// The differences that a transaction made, each endpoint once: by service, those that end a
    /// computed endpoint before those that begin one, since a pod whose address changed does both.
    pub(crate) fn differences(&mut self, index: &Index, touched: &Touched) -> Vec<Difference> {
        let pairs = self.affected(index, touched);
        let mut differences = Vec::new();
        let mut services: Vec<ServiceId> = pairs.iter().map(|(service, _, _)| *service).collect();
        services.dedup();
        let manual = touched
            .manual
            .keys()
            .filter_map(|name| self.services.id(name));
        services.extend(manual.filter(|id| !touched.deleted_services.contains(id)));
        services.extend(
            touched
                .services
                .iter()
                .filter(|(_, before)| before.is_none())
                .map(|(id, _)| *id),
        );
        services.sort_unstable();
        services.dedup();
        let mut rest = pairs.as_slice();
        for service in services {
            let (pairs, later) = rest.split_at(rest.partition_point(|pair| pair.0 <= service));
            rest = later;
            let mut sides: BTreeMap<EndpointIdentity, Sides> = BTreeMap::new();
            for pair in pairs {
                self.computed_sides(index, touched, *pair, &mut sides);
            }
            self.manual_sides(index, touched, service, pairs, &mut sides);
            let first = differences.len();
            differences.extend(
                sides
                    .into_iter()
                    .filter_map(|(identity, sides)| sides.difference(service, identity)),
            );
            if let Some(of_service) = differences.get_mut(first..) {
                of_service.sort_by_key(|d| {
                    matches!(
                        d.after,
                        Some(Side {
                            holder: Holder::Computed { .. },
                            ..
                        })
                    )
                });
            }
        }
        differences
    }

    fn computed_sides(
        &self,
        index: &Index,
        touched: &Touched,
        (service, pod, verdict): Pair,
        sides: &mut BTreeMap<EndpointIdentity, Sides>,
    ) {
        let Some(record) = self.services.get(service) else {
            return;
        };
        let was = match touched.services.get(&service) {
            Some(before) => before.as_deref().map(ServiceFacts::of),
            None => Some(record.service.facts()),
        };
        let pod_now = index.get(pod);
        let pod_was = touched.pods.get(&pod).map_or(pod_now, |before| {
            before.as_ref().map(|record| index.before(record))
        });
        for family in [IpFamily::V4, IpFamily::V6] {
            let member = self.memberships.find(pod, service, family).is_some();
            let before = was
                .zip(pod_was)
                .filter(|_| member)
                .and_then(|(service, pod)| {
                    let name = pod.node_name();
                    let node = touched
                        .nodes
                        .get(name)
                        .map_or(self.node(name), |before| before.as_deref());
                    project(service, pod, node, family, self.missing_node)
                });
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
        let matches = match verdict {
            Verdict::Yes => true,
            Verdict::No => false,
            Verdict::AsBefore => self.memberships.find(pod, service, family).is_some(),
        };
        let record = index.get(pod).filter(|_| matches)?;
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
        &mut self,
        index: &Index,
        touched: &Touched,
        service: ServiceId,
        pairs: &[Pair],
        sides: &mut BTreeMap<EndpointIdentity, Sides>,
    ) {
        let Some(record) = self.services.get(service) else {
            return;
        };
        let name = &record.service.name();
        let changed = touched.manual.get(name);
        if changed.is_none() && record.set.manual.is_empty() && !self.manual.any(name) {
            return;
        }
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
        self.endpoints_visited += sides.len() as u64;
    }
}

impl Sides {
    fn difference(self, service: ServiceId, identity: EndpointIdentity) -> Option<Difference> {
        if self.before == self.after {
            return None;
        }
        let side = |(holder, endpoint): (Holder, Endpoint)| Side {
            holder,
            ready: endpoint.conditions.ready,
        };
        Some(Difference {
            service,
            identity,
            before: self.before.map(side),
            after: self.after.map(side),
        })
    }
}
