use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::index::{Index, PodRecord, PodRef};
use crate::model::{Endpoint, EndpointIdentity, Node, ObjectName, Service};

use super::service_facts::ServiceFacts;
use super::services::ServiceId;

/// What a transaction touched, each with what it was before. Together with the present facts this is
/// the state before the transaction, of which a difference is taken once, at the end.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    pub(crate) pods: TouchedPods,
    /// By service id; none before: the service is new.
    pub(crate) services: BTreeMap<ServiceId, Option<Arc<Service>>>,
    /// Services that are gone now. Their ids are not reused within the transaction.
    pub(crate) deleted_services: Vec<ServiceId>,
    /// By node name; none before: the node is new.
    pub(crate) nodes: BTreeMap<SmolStr, Option<Arc<Node>>>,
    /// Hand-made endpoints, by service and identity.
    pub(crate) manual: BTreeMap<ObjectName, BTreeMap<EndpointIdentity, Option<Endpoint>>>,
}

impl Touched {
    /// What decided a service's endpoints before; none: the service is new. `now` is what decides them.
    pub(super) fn facts_before<'t>(
        &'t self,
        service: ServiceId,
        now: ServiceFacts<'t>,
    ) -> Option<ServiceFacts<'t>> {
        match self.services.get(&service) {
            Some(before) => before.as_deref().map(ServiceFacts::of),
            None => Some(now),
        }
    }

    /// A pod as it was, if it was there.
    pub(super) fn pod_before<'t>(&'t self, index: &'t Index, pod: u32) -> Option<PodRef<'t>> {
        match self.pods.get(pod) {
            Some(before) => before.map(|before| index.before(before)),
            None => index.get(pod),
        }
    }

    /// Whether an endpoint of this pod, in a service that is as it was, can differ in its conditions alone.
    pub(super) fn leaves_all_but_status(&self, was: PodRef<'_>, now: PodRef<'_>) -> bool {
        now.differs_in_status_alone(was)
            && (self.nodes.is_empty() || !self.nodes.contains_key(now.node_name()))
    }

    /// Makes it ready for the next transaction; what it has allocated for pods stays.
    pub(crate) fn clear(&mut self) {
        self.pods.before.clear();
        self.pods.order.clear();
        self.deleted_services.clear();
        // Most transactions touch none of these, and to clear an empty map is not free.
        if !self.services.is_empty() {
            self.services.clear();
        }
        if !self.nodes.is_empty() {
            self.nodes.clear();
        }
        if !self.manual.is_empty() {
            self.manual.clear();
        }
    }
}

/// The pods that a transaction touched, each once. Most transactions touch nothing else, so these are
/// plain vectors, used again and again.
#[derive(Debug, Default)]
pub(crate) struct TouchedPods {
    before: Vec<Option<PodRecord>>,
    /// Pod ids, each with its place in `before`.
    order: Vec<(u32, u32)>,
}

impl TouchedPods {
    /// Adds a pod; none before: it is new. Call [`TouchedPods::sort`] before reading.
    pub(crate) fn push(&mut self, pod: u32, before: Option<PodRecord>) {
        self.order.push((pod, self.before.len() as u32));
        self.before.push(before);
    }

    pub(crate) fn sort(&mut self) {
        self.order.sort_unstable();
    }

    /// None: it was not touched. None within: it was not there.
    pub(crate) fn get(&self, pod: u32) -> Option<Option<&PodRecord>> {
        let at = self.order.binary_search_by_key(&pod, |(pod, _)| *pod);
        let (_, place) = self.order.get(at.ok()?)?;
        Some(self.before.get(*place as usize)?.as_ref())
    }

    /// By pod id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, Option<&PodRecord>)> {
        self.order.iter().map(|(pod, place)| {
            let before = self.before.get(*place as usize);
            (*pod, before.and_then(Option::as_ref))
        })
    }
}
