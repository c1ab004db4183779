use std::hint::black_box;
use std::sync::Arc;

use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::index::{Index, PodRef};
use crate::labels::LabelSet;
use crate::model::{
    Endpoint, IpFamily, ManualEndpoints, ManualKind, Node, ObjectName, Revision, Sequence, Service,
};
use crate::selector::Selector;

use super::class::ClassCache;
use super::manual::{ManualTable, endpoints};
use super::memberships::{Membership, Memberships};
use super::nodes::{NodeRecord, Nodes};
use super::project::{MissingNode, admits, project};
use super::service_facts::ServiceFacts;
use super::services::{ServiceId, ServiceRecord, Services};
use super::standing::Selectors;
use super::standings::Standings;
use super::stored_selector::StandingSelector;
use super::touched::Touched;

/// Services, nodes and hand-made endpoints, and which pods are endpoints of which services.
#[derive(Debug, Default)]
pub(crate) struct Reconciler {
    pub(crate) missing_node: MissingNode,
    pub(crate) services: Services,
    /// Selectors of services, by namespace.
    pub(crate) standing: Standings,
    pub(crate) classes: ClassCache,
    pub(crate) memberships: Memberships,
    pub(crate) manual: ManualTable,
    pub(crate) nodes: Nodes,
    /// Selectors tested, ever.
    pub(crate) selectors_tested: u64,
    /// Endpoints, or pods that might be one, looked at, ever.
    pub(crate) endpoints_visited: u64,
}

impl Reconciler {
    pub(crate) fn new(missing_node: MissingNode) -> Reconciler {
        Reconciler {
            missing_node,
            ..Reconciler::default()
        }
    }

    pub(crate) fn put_service(
        &mut self,
        index: &Index,
        service: Service,
        revision: Revision,
        source: Option<SmolStr>,
        touched: &mut Touched,
    ) {
        let namespace = service.name.namespace.clone();
        let new = standing_selector(&service);
        let (id, before) = match self.services.id(&service.name) {
            None => (self.services.insert(service, revision, source), None),
            Some(id) => (id, self.services.replace(id, service, revision, source)),
        };
        let old = before.as_ref().and_then(standing_selector);
        if old != new {
            if let Some(selector) = old {
                self.withdraw(&namespace, id, &selector);
            }
            if let Some(selector) = new
                && let Some(standing) = self.standing.enter(&namespace)
            {
                standing.insert(id, &selector, index, &mut self.classes);
            }
        }
        touched.services.insert(id, before.map(Arc::new));
    }

    pub(crate) fn delete_service(&mut self, name: &ObjectName, touched: &mut Touched) {
        let Some(id) = self.services.id(name) else {
            return;
        };
        let standing = self.services.get(id).and_then(|r| r.service.standing());
        if let Some(selector) = standing.map(StandingSelector::to_selector) {
            self.withdraw(&name.namespace, id, &selector);
        }
        touched.deleted_services.push(id);
    }

    fn withdraw(&mut self, namespace: &SmolStr, id: ServiceId, selector: &Selector) {
        if let Some(standing) = self.standing.get_mut(namespace) {
            standing.remove(id, selector, &mut self.classes);
            if standing.is_empty() {
                self.standing.remove(namespace);
            }
        }
    }

    pub(crate) fn put_node(
        &mut self,
        node: Node,
        revision: Revision,
        source: Option<SmolStr>,
        touched: &mut Touched,
    ) {
        let name = node.name.clone();
        let known = self.nodes.get(&name);
        let position = known.map_or(Sequence::START, |record| record.position);
        let stays = || known.map(|record| record.source.clone());
        let source = source.or_else(stays).unwrap_or_default();
        let record = NodeRecord {
            zone: node.zone().map(SmolStr::new).unwrap_or_default(),
            node: Arc::new(node),
            revision,
            source,
            position,
        };
        let before = self.nodes.insert(name.clone(), record);
        touched.nodes.insert(name, before.map(|record| record.node));
    }

    /// Answers what was there.
    pub(crate) fn delete_node(&mut self, name: &str, touched: &mut Touched) -> Option<NodeRecord> {
        let record = self.nodes.remove(name)?;
        touched
            .nodes
            .insert(SmolStr::new(name), Some(record.node.clone()));
        Some(record)
    }

    pub(crate) fn put_manual(
        &mut self,
        object: ManualEndpoints,
        revision: Revision,
        source: Option<SmolStr>,
        touched: &mut Touched,
    ) {
        self.touch_manual(&object, touched);
        let known = self
            .manual
            .get(object.kind, &object.name)
            .map(|record| record.source.clone());
        let source = source.or(known).unwrap_or_default();
        self.delete_manual(object.kind, &object.name, touched);
        self.manual.insert(object, revision, source);
    }

    pub(crate) fn delete_manual(
        &mut self,
        kind: ManualKind,
        name: &ObjectName,
        touched: &mut Touched,
    ) {
        let Some(record) = self.manual.get(kind, name) else {
            return;
        };
        let object = record.object.clone();
        self.touch_manual(&object, touched);
        self.manual.remove(kind, name);
    }

    /// Remembers what the object's endpoints are now, unless an earlier change has.
    fn touch_manual(&self, object: &ManualEndpoints, touched: &mut Touched) {
        let service = object.service_name();
        let identities = touched.manual.entry(service.clone()).or_default();
        for (identity, _) in endpoints(object) {
            identities
                .entry(identity)
                .or_insert_with_key(|identity| self.manual.endpoint(&service, identity).cloned());
        }
    }

    pub(crate) fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.get(name).map(|record| &*record.node)
    }

    /// Services whose selector matches these labels, in order of name.
    pub(crate) fn matching_services(&self, namespace: &str, labels: &LabelSet) -> Vec<ObjectName> {
        let owners = self
            .standing
            .get(namespace)
            .map(|s| s.matching_labels(labels, &self.services))
            .unwrap_or_default();
        let mut names: Vec<ObjectName> = owners
            .into_iter()
            .filter_map(|id| Some(self.services.get(id)?.service.name()))
            .collect();
        names.sort_unstable();
        names
    }

    /// Compares the reverse index, and what is remembered of it, with a test of every selector.
    pub(crate) fn verify_standing(&self, index: &Index, report: &mut dyn FnMut(String)) {
        let mut templates = index.templates_by_namespace();
        for (namespace, standing) in self.standing.iter() {
            let here = templates.remove(namespace.as_str()).unwrap_or_default();
            standing.verify(here, index, &self.services, &self.classes, report);
        }
    }

    /// Bytes of the reverse index, without those of long lists.
    pub(crate) fn selector_bytes(&self) -> u64 {
        self.standing.bytes()
    }

    /// A computed endpoint as it is now. The caller knows that the service has it.
    pub(crate) fn computed(
        &self,
        index: &Index,
        record: &ServiceRecord,
        pod: u32,
        family: IpFamily,
    ) -> Option<Endpoint> {
        self.project(record.service.facts(), index.get(pod)?, family)
    }

    /// Bytes of what says which pods are in which services, and of removals that are remembered.
    pub(crate) fn endpoint_bytes(&self) -> (u64, u64) {
        let sets = || self.services.iter().map(|(_, record)| &record.set);
        let members: usize = sets().map(|set| set.members.bytes()).sum();
        let removals = sets().map(|set| set.removals.bytes()).sum();
        (self.memberships.bytes() + members as u64, removals)
    }

    /// Reads what changes of these pods will read, so that reads overlap. Answers where the records of
    /// their endpoints stand.
    pub(crate) fn look_ahead(&self, pods: &[u32]) -> SmallVec<[Sequence; 64]> {
        let mut memberships: SmallVec<[Membership; 64]> = SmallVec::new();
        for pod in pods {
            memberships.extend(self.memberships.of(*pod));
        }
        let ready = memberships
            .iter()
            .filter_map(|membership| self.services.get(membership.service))
            .map(|record| record.set.ready);
        black_box(ready.fold(0, u64::wrapping_add));
        memberships.iter().map(|m| m.position).collect()
    }

    /// Whether a pod whose labels match is an endpoint of one family now.
    pub(crate) fn admits(
        &self,
        service: ServiceFacts<'_>,
        pod: PodRef<'_>,
        family: IpFamily,
    ) -> bool {
        let has_node = || self.node(pod.node_name()).is_some();
        admits(service, pod, has_node, family, self.missing_node)
    }

    /// The endpoint that a pod whose labels matched was before the transaction.
    pub(crate) fn project_before(
        &self,
        touched: &Touched,
        service: ServiceFacts<'_>,
        pod: PodRef<'_>,
        family: IpFamily,
    ) -> Option<Endpoint> {
        let zone = match touched.nodes.get(pod.node_name()) {
            Some(before) => before.as_ref().map(|n| n.zone().unwrap_or_default()),
            None => self.nodes.zone(pod.node_name()),
        };
        project(service, pod, zone, family, self.missing_node)
    }

    /// The endpoint that a pod whose labels match is, with everything as it is now.
    pub(crate) fn project(
        &self,
        service: ServiceFacts<'_>,
        pod: PodRef<'_>,
        family: IpFamily,
    ) -> Option<Endpoint> {
        project(
            service,
            pod,
            self.nodes.zone(pod.node_name()),
            family,
            self.missing_node,
        )
    }

    /// All endpoints of a service, by identity. Linear in their number.
    pub(crate) fn endpoints(&self, index: &Index, id: ServiceId) -> Vec<Endpoint> {
        let Some(record) = self.services.get(id) else {
            return Vec::new();
        };
        let mut endpoints =
            Vec::with_capacity(usize::try_from(record.set.total).unwrap_or_default());
        record.set.members.for_each(|pod| {
            let families = self
                .memberships
                .of(pod)
                .filter(|m| m.service == id)
                .map(|m| m.family);
            endpoints
                .extend(families.filter_map(|family| self.computed(index, record, pod, family)));
        });
        let name = record.service.name();
        let manual = record.set.manual.keys();
        endpoints.extend(
            manual
                .filter_map(|i| self.manual.endpoint(&name, i))
                .cloned(),
        );
        endpoints.sort_unstable_by(|a, b| a.identity.cmp(&b.identity));
        endpoints
    }
}

impl Selectors for Services {
    fn standing(&self, service: ServiceId) -> Option<StandingSelector<'_>> {
        self.get(service)?.service.standing()
    }
}

/// The selector that computes a service's endpoints, if they are computed.
pub(crate) fn standing_selector(service: &Service) -> Option<Selector> {
    if service.computes_endpoints() {
        service.selector.selector()
    } else {
        None
    }
}
