use std::hint::black_box;

use crate::index::{Index, Namespaces, PodRef};
use crate::model::{IpFamily, Service};

use super::class::Generation;
use super::conditions::Status;
use super::memberships::Membership;
use super::project::MissingNode;
use super::reconciler::{Reconciler, standing_selector};
use super::service_facts::ServiceFacts;
use super::services::ServiceId;
use super::standing::Standing;
use super::stored_selector::StandingSelector;
use super::touched::Touched;

/// What is known of a pair: first of all, whether the service's selector matches the pod after the
/// transaction.
///
/// Ordered so that, of two voices on the same pair, the one that knows comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    No,
    Yes,
    /// Neither labels nor selector changed: as before.
    AsBefore,
    /// As before, and of this endpoint nothing but the pod's status differs.
    Status {
        family: IpFamily,
        was: Status,
        now: Status,
    },
}

impl Verdict {
    /// Whether the pod is selected; `member`: whether it was an endpoint.
    pub(crate) fn selects(self, member: impl FnOnce() -> bool) -> bool {
        match self {
            Verdict::No => false,
            Verdict::Yes => true,
            Verdict::AsBefore | Verdict::Status { .. } => member(),
        }
    }
}

/// A service and a pod whose endpoint may differ from what it was.
pub(crate) type Pair = (ServiceId, u32, Verdict);

impl Reconciler {
    /// The pairs a transaction may have changed, each once, by service and pod.
    ///
    /// A touched pod brings the services that it is in or, if what admits it changed, matches now; a
    /// touched service brings its pods if a field that endpoints depend on changed, and the difference
    /// of its selections if the selector did; a node that came, went or changed zone brings its pods,
    /// found by its posting.
    pub(crate) fn affected(&mut self, index: &Index, touched: &Touched, pairs: &mut Vec<Pair>) {
        pairs.clear();
        if touched.pods.iter().nth(1).is_some() {
            self.look_ahead_at_classes(index, touched);
        }
        for (pod, before) in touched.pods.iter() {
            let was = before.map(|before| index.before(before));
            self.affected_by_pod(index, touched, pod, was, pairs);
        }
        for (service, before) in &touched.services {
            self.affected_by_service(index, *service, before.as_deref(), pairs);
        }
        for (name, before) in &touched.nodes {
            let now = self.node(name);
            let came_or_went = before.is_some() != now.is_some();
            if came_or_went
                || before.as_deref().and_then(|n| n.zone()) != now.and_then(|n| n.zone())
            {
                self.affected_by_node(index, name, came_or_went, pairs);
            }
        }
        pairs.sort_unstable();
        pairs.dedup_by(|next, pair| {
            let is_of_one_family = matches!(pair.2, Verdict::Status { .. });
            (next.0, next.1) == (pair.0, pair.1) && !is_of_one_family
        });
        self.endpoints_visited += pairs.len() as u64;
    }

    /// Reads what is remembered of the label sets that pods have now and had not before, so that reads
    /// overlap.
    fn look_ahead_at_classes(&self, index: &Index, touched: &Touched) {
        let mut last: Option<(&str, Option<Generation>)> = None;
        let known = touched.pods.iter().filter(|(pod, before)| {
            let Some(now) = index.get(*pod) else {
                return false;
            };
            if before.is_some_and(|before| index.before(before).template() == now.template()) {
                return false;
            }
            let namespace = now.namespace();
            let known = last.filter(|(last, _)| last == namespace);
            let (_, generation) = *last.insert(known.unwrap_or_else(|| {
                let standing = self.standing.get(namespace);
                (namespace, standing.map(Standing::generation))
            }));
            let stamp = index.template_stamp(now.template());
            let class = generation.zip(stamp);
            class.is_some_and(|(generation, stamp)| self.classes.peek(generation, stamp).is_some())
        });
        black_box(known.count());
    }

    fn affected_by_pod(
        &mut self,
        index: &Index,
        touched: &Touched,
        pod: u32,
        was: Option<PodRef<'_>>,
        pairs: &mut Vec<Pair>,
    ) {
        if let (Some(now), Some(was)) = (index.get(pod), was)
            && now.template() == was.template()
            && self.admits_alike(was, now)
        {
            // It enters and leaves no service: those that match it are those that it is in, or keep it
            // out now as before.
            self.affected_as_before(touched, pod, was, now, pairs);
            return;
        }
        let first = pairs.len();
        self.matching(index, pod, pairs);
        let behind = pairs.len();
        for membership in self.memberships.of(pod) {
            let service = membership.service;
            // In order, so that a pod in many services costs no more for each of them.
            let matching = pairs.get(first..behind).unwrap_or_default();
            if matching
                .binary_search_by_key(&service, |pair| pair.0)
                .is_err()
            {
                pairs.push((service, pod, Verdict::No));
            }
        }
    }

    fn affected_as_before(
        &self,
        touched: &Touched,
        pod: u32,
        was: PodRef<'_>,
        now: PodRef<'_>,
        pairs: &mut Vec<Pair>,
    ) {
        let status_alone = touched.leaves_all_but_status(was, now);
        let (before, after) = (Status::of(was), Status::of(now));
        if status_alone && before == after && touched.services.is_empty() {
            return;
        }
        for membership in self.memberships.of(pod) {
            let Membership {
                service, family, ..
            } = membership;
            let verdict = if status_alone && !touched.services.contains_key(&service) {
                Verdict::Status {
                    family,
                    was: before,
                    now: after,
                }
            } else {
                Verdict::AsBefore
            };
            pairs.push((service, pod, verdict));
        }
    }

    /// Whether nothing changed that lets a pod in or keeps it out wherever its labels match.
    fn admits_alike(&self, was: PodRef<'_>, now: PodRef<'_>) -> bool {
        now.phase().is_terminal() == was.phase().is_terminal()
            && now.has_addresses_of(was)
            && (self.missing_node == MissingNode::Admit || now.node_name() == was.node_name())
    }

    /// The services that match the pod now.
    fn matching(&mut self, index: &Index, pod: u32, pairs: &mut Vec<Pair>) {
        let Some(pod_ref) = index.get(pod) else {
            return;
        };
        let Some(standing) = self.standing.get_mut(pod_ref.namespace()) else {
            return;
        };
        let Some(template) = index.template_stamp(pod_ref.template()) else {
            return;
        };
        let owners = standing.matching(
            pod_ref.template(),
            template,
            index,
            &self.services,
            &mut self.classes,
            &mut self.selectors_tested,
        );
        pairs.extend(owners.iter().map(|service| (*service, pod, Verdict::Yes)));
    }

    fn affected_by_service(
        &self,
        index: &Index,
        id: ServiceId,
        before: Option<&Service>,
        pairs: &mut Vec<Pair>,
    ) {
        let Some(record) = self.services.get(id) else {
            return;
        };
        let old = before.and_then(standing_selector);
        let new = record.service.standing().map(StandingSelector::to_selector);
        let change = before.map_or(FactChange::Admission, |before| {
            FactChange::between(ServiceFacts::of(before), record.service.facts())
        });
        if old == new {
            match change {
                FactChange::None => return,
                FactChange::Content => {
                    record
                        .set
                        .members
                        .for_each(|pod| pairs.push((id, pod, Verdict::Yes)));
                    return;
                }
                FactChange::Admission => {}
            }
        }
        let selected = match &new {
            Some(selector) => index.select(
                selector,
                &Namespaces::only([record.service.namespace().clone()]),
            ),
            None => Default::default(),
        };
        let only_selection = change == FactChange::None;
        record.set.members.for_each(|pod| {
            if !selected.contains(pod) {
                pairs.push((id, pod, Verdict::No));
            }
        });
        let newcomer = |pod: &u32| !only_selection || !record.set.members.contains(*pod);
        pairs.extend(
            selected
                .iter()
                .filter(newcomer)
                .map(|pod| (id, pod, Verdict::Yes)),
        );
    }

    fn affected_by_node(
        &mut self,
        index: &Index,
        node: &str,
        came_or_went: bool,
        pairs: &mut Vec<Pair>,
    ) {
        let mut pods = Vec::new();
        if let Some(posting) = index.on_node(node) {
            posting.for_each(|pod| pods.push(pod));
        }
        for pod in pods {
            pairs.extend(
                self.memberships
                    .of(pod)
                    .map(|m| (m.service, pod, Verdict::AsBefore)),
            );
            if came_or_went && self.missing_node == MissingNode::Withhold {
                self.matching(index, pod, pairs);
            }
        }
    }
}

/// What a change of a service's fields may do to its endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FactChange {
    /// Nothing.
    None,
    /// Change those there are.
    Content,
    /// Also let in or keep out pods that match.
    Admission,
}

impl FactChange {
    fn between(before: ServiceFacts<'_>, now: ServiceFacts<'_>) -> FactChange {
        let named = before.has_named_target_port() || now.has_named_target_port();
        if before.families != now.families
            || before.publish_not_ready_addresses != now.publish_not_ready_addresses
        {
            FactChange::Admission
        } else if named && before.ports != now.ports || before.distribution != now.distribution {
            FactChange::Content
        } else {
            FactChange::None
        }
    }
}
