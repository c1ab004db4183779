use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::index::{Index, PodRef};
use crate::labels::LabelSet;
use crate::model::{
    Endpoint, IpFamily, ManualEndpoints, ManualKind, Node, ObjectName, Revision, Sequence, Service,
};

use super::manual::{ManualTable, endpoints};
use super::memberships::Memberships;
use super::nodes::{NodeRecord, Nodes};
use super::project::{MissingNode, project};
use super::services::{ServiceId, Services};
use super::standing::Standing;
use super::touched::Touched;

/// Services, nodes and hand-made endpoints, and which pods are endpoints of which services.
#[derive(Debug, Default)]
pub(crate) struct Reconciler {
    pub(crate) missing_node: MissingNode,
    pub(crate) services: Services,
    /// Selectors of services, by namespace.
    pub(crate) standing: BTreeMap<SmolStr, Standing>,
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
        source: SmolStr,
        touched: &mut Touched,
    ) {
        let service = Arc::new(service);
        let (id, before) = match self.services.id(&service.name) {
            None => (
                self.services.insert(service.clone(), revision, source),
                None,
            ),
            Some(id) => {
                let Some(record) = self.services.get_mut(id) else {
                    return;
                };
                record.revision = revision;
                if !source.is_empty() {
                    record.source = source;
                }
                (
                    id,
                    Some(std::mem::replace(&mut record.service, service.clone())),
                )
            }
        };
        let old = before.as_deref().and_then(standing_selector);
        let new = standing_selector(&service);
        if old != new {
            if old.is_some() {
                self.withdraw(&service.name.namespace, id);
            }
            if let Some(selector) = new {
                let standing = self
                    .standing
                    .entry(service.name.namespace.clone())
                    .or_default();
                standing.insert(id, selector, index);
            }
        }
        touched.services.insert(id, before);
    }

    pub(crate) fn delete_service(&mut self, name: &ObjectName, touched: &mut Touched) {
        let Some(id) = self.services.id(name) else {
            return;
        };
        self.withdraw(&name.namespace, id);
        touched.deleted_services.push(id);
    }

    fn withdraw(&mut self, namespace: &SmolStr, id: ServiceId) {
        if let Some(standing) = self.standing.get_mut(namespace) {
            standing.remove(id);
            if standing.is_empty() {
                self.standing.remove(namespace);
            }
        }
    }

    pub(crate) fn put_node(
        &mut self,
        node: Node,
        revision: Revision,
        source: SmolStr,
        touched: &mut Touched,
    ) {
        let name = node.name.clone();
        let known = self.nodes.get(&name);
        let position = known.map_or(Sequence::START, |record| record.position);
        let source = known
            .map(|record| record.source.clone())
            .filter(|_| source.is_empty())
            .unwrap_or(source);
        let record = NodeRecord {
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
        source: SmolStr,
        touched: &mut Touched,
    ) {
        self.touch_manual(&object, touched);
        let known = self
            .manual
            .get(object.kind, &object.name)
            .map(|record| record.source.clone());
        let source = known.filter(|_| source.is_empty()).unwrap_or(source);
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
            .map(|s| s.matching_labels(labels))
            .unwrap_or_default();
        let mut names: Vec<ObjectName> = owners
            .into_iter()
            .filter_map(|id| Some(self.services.get(id)?.service.name.clone()))
            .collect();
        names.sort_unstable();
        names
    }

    /// A computed endpoint as it is now.
    pub(crate) fn computed(
        &self,
        index: &Index,
        service: ServiceId,
        pod: u32,
        family: IpFamily,
    ) -> Option<Endpoint> {
        self.memberships.find(pod, service, family)?;
        let record = index.get(pod)?;
        self.project(&self.services.get(service)?.service, record, family)
    }

    /// The endpoint that a pod whose labels match is, with everything as it is now.
    pub(crate) fn project(
        &self,
        service: &Service,
        pod: PodRef<'_>,
        family: IpFamily,
    ) -> Option<Endpoint> {
        project(
            service,
            pod,
            self.node(pod.node_name()),
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
            endpoints.extend(families.filter_map(|family| self.computed(index, id, pod, family)));
        });
        let manual = record.set.manual.keys();
        endpoints.extend(
            manual
                .filter_map(|i| self.manual.endpoint(&record.service.name, i))
                .cloned(),
        );
        endpoints.sort_unstable_by(|a, b| a.identity.cmp(&b.identity));
        endpoints
    }
}

/// The selector that computes a service's endpoints, if they are computed.
pub(crate) fn standing_selector(service: &Service) -> Option<crate::selector::Selector> {
    if service.computes_endpoints() {
        service.selector.selector()
    } else {
        None
    }
}
