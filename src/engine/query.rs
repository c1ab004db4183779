use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Included};
use std::sync::Arc;

use smol_str::SmolStr;

use crate::index::{Explanation, GroupBy, Groups, Namespaces};
use crate::labels::LabelSet;
use crate::model::{
    Endpoint, Kind, ManualEndpoints, ManualKind, Node, Object, ObjectName, ObjectRef, Pod,
    Revision, Service,
};
use crate::reconcile::ServiceRecord;
use crate::selector::Selector;

use super::state::{Engine, Stored};

/// How many endpoints a service has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndpointCounts {
    /// All of them.
    pub total: u64,
    /// Those that are ready.
    pub ready: u64,
}

impl Engine {
    /// An object of any kind.
    pub fn get(&self, object: &ObjectRef) -> Option<Stored<Object>> {
        let name = &object.name;
        match object.kind {
            Kind::Pod => Some(self.pod(name)?.map(|pod| Object::Pod(Box::new(pod)))),
            Kind::Service => Some(
                self.service(name)?
                    .map(|service| Object::Service(Box::new((*service).clone()))),
            ),
            Kind::Node => Some(
                self.node(&name.name)?
                    .map(|node| Object::Node(Box::new((*node).clone()))),
            ),
            Kind::Endpoints => self.manual_object(ManualKind::Endpoints, name),
            Kind::EndpointSlice => self.manual_object(ManualKind::EndpointSlice, name),
        }
    }

    fn manual_object(&self, kind: ManualKind, name: &ObjectName) -> Option<Stored<Object>> {
        Some(
            self.manual_endpoints(kind, name)?
                .map(|object| Object::Manual(Box::new((*object).clone()))),
        )
    }

    /// A hand-made Endpoints or EndpointSlice object.
    pub fn manual_endpoints(
        &self,
        kind: ManualKind,
        name: &ObjectName,
    ) -> Option<Stored<Arc<ManualEndpoints>>> {
        let record = self.reconciler.manual.get(kind, name)?;
        Some(Stored {
            object: record.object.clone(),
            revision: record.revision,
            source: record.source.clone(),
        })
    }

    /// A pod, whole.
    pub fn pod(&self, name: &ObjectName) -> Option<Stored<Pod>> {
        self.stored_pod(self.index.find(name)?)
    }

    fn stored_pod(&self, id: u32) -> Option<Stored<Pod>> {
        let pod = self.index.get(id)?;
        Some(Stored {
            object: pod.pod(),
            revision: pod.revision(),
            source: pod.source().clone(),
        })
    }

    /// A service.
    pub fn service(&self, name: &ObjectName) -> Option<Stored<Arc<Service>>> {
        self.reconciler.services.find(name).map(stored_service)
    }

    /// A node.
    pub fn node(&self, name: &str) -> Option<Stored<Arc<Node>>> {
        let record = self.reconciler.nodes.get(name)?;
        Some(Stored {
            object: record.node.clone(),
            revision: record.revision,
            source: record.source.clone(),
        })
    }

    /// How many pods match. The answer is not built.
    pub fn count(&self, selector: &Selector, namespaces: &Namespaces) -> u64 {
        self.index.count(selector, namespaces)
    }

    /// At most `limit` pods that match and stand behind `after`, by namespace and name.
    pub fn pods(
        &self,
        selector: &Selector,
        namespaces: &Namespaces,
        after: Option<&ObjectName>,
        limit: usize,
    ) -> Vec<Stored<Pod>> {
        let ids = self.index.page(selector, namespaces, after, limit);
        ids.into_iter()
            .filter_map(|id| self.stored_pod(id))
            .collect()
    }

    /// At most `limit` services whose own labels match and that stand behind `after`, by namespace and
    /// name. Services are not indexed by label: this passes those that do not match.
    pub fn services(
        &self,
        selector: &Selector,
        namespaces: &Namespaces,
        after: Option<&ObjectName>,
        limit: usize,
    ) -> Vec<Stored<Arc<Service>>> {
        let mut found = Vec::new();
        let all = [SmolStr::default()].into_iter().collect();
        for namespace in namespaces.names().unwrap_or(&all) {
            let everywhere = namespaces.names().is_none();
            let first = ObjectName::new(namespace.clone(), SmolStr::default());
            let from = match after {
                Some(after) if *after >= first => Excluded(after),
                _ => Included(&first),
            };
            let services = self
                .reconciler
                .services
                .from(from)
                .map(|(_, record)| record);
            let here =
                |record: &&ServiceRecord| everywhere || record.service.namespace() == namespace;
            let matches = |record: &&ServiceRecord| selector.matches(record.service.labels());
            let matching = services.take_while(here).filter(matches);
            found.extend(matching.take(limit - found.len()).map(stored_service));
        }
        found
    }

    /// At most `limit` nodes that match and stand behind `after`, by name. Nodes are not indexed by
    /// label either.
    pub fn nodes(
        &self,
        selector: &Selector,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<Stored<Arc<Node>>> {
        self.reconciler
            .nodes
            .behind(after)
            .filter(|(_, record)| selector.matches(&record.node.labels))
            .filter_map(|(name, _)| self.node(name))
            .take(limit)
            .collect()
    }

    /// How many pods name this node.
    pub fn pods_on_node(&self, node: &str) -> u64 {
        self.index.on_node(node).map_or(0, |posting| posting.len())
    }

    /// Counts the pods that match by label value, node or namespace.
    pub fn group(&self, selector: &Selector, namespaces: &Namespaces, by: &GroupBy) -> Groups {
        self.index.group(selector, namespaces, by)
    }

    /// The endpoints of a service, by identity; none if there is no such service.
    pub fn endpoints(&self, service: &ObjectName) -> Option<Vec<Endpoint>> {
        let id = self.reconciler.services.id(service)?;
        Some(self.reconciler.endpoints(&self.index, id))
    }

    /// How many endpoints a service has. Constant time.
    pub fn endpoint_counts(&self, service: &ObjectName) -> Option<EndpointCounts> {
        let record = self.reconciler.services.find(service)?;
        Some(EndpointCounts {
            total: record.set.total,
            ready: record.set.ready,
        })
    }

    /// The services of a namespace that select, or would select, a pod with these labels, by name.
    pub fn matching_services(&self, namespace: &str, labels: &LabelSet) -> Vec<ObjectName> {
        self.reconciler.matching_services(namespace, labels)
    }

    /// How a selector is evaluated, step by step.
    pub fn explain(&self, selector: &Selector, namespaces: &Namespaces) -> Explanation {
        self.index.explain(selector, namespaces)
    }

    /// The objects of `source` of these kinds and namespaces that were last written at or before
    /// `began` and are not mentioned: what a sync of that source, begun at that revision, deletes.
    /// Cluster-scoped objects are spoken for only where all namespaces are. Linear in the objects.
    pub fn unmentioned(
        &self,
        source: &str,
        kinds: &BTreeSet<Kind>,
        namespaces: &Namespaces,
        began: Revision,
        mentioned: &dyn Fn(&ObjectRef) -> bool,
    ) -> Vec<ObjectRef> {
        let mut found = Vec::new();
        let of_kind = |kind: Kind| kinds.contains(&kind);
        // Names are made of the few that are left.
        let old = |of: &str, revision: Revision| of == source && revision <= began;
        let mut look = |kind: Kind, name: ObjectName| {
            let spoken_for = if kind.is_namespaced() {
                namespaces.contains(&name.namespace)
            } else {
                namespaces.names().is_none()
            };
            let object = ObjectRef::new(kind, name);
            if spoken_for && !mentioned(&object) {
                found.push(object);
            }
        };
        if of_kind(Kind::Node) {
            let nodes = self.reconciler.nodes.iter().map(|(_, record)| record);
            for record in nodes.filter(|record| old(&record.source, record.revision)) {
                look(Kind::Node, ObjectName::cluster(record.node.name.clone()));
            }
        }
        if of_kind(Kind::Service) {
            let services = self.reconciler.services.iter().map(|(_, record)| record);
            for record in services.filter(|record| old(record.source(), record.revision)) {
                look(Kind::Service, record.service.name());
            }
        }
        if of_kind(Kind::Pod) {
            let pods = self.index.pods().map(|(_, pod)| pod);
            for pod in pods.filter(|pod| old(pod.source(), pod.revision())) {
                look(Kind::Pod, pod.name());
            }
        }
        for record in self.reconciler.manual.objects() {
            let kind = record.object.kind.kind();
            if of_kind(kind) && old(&record.source, record.revision) {
                look(kind, record.object.name.clone());
            }
        }
        found.sort_unstable();
        found
    }
}

fn stored_service(record: &ServiceRecord) -> Stored<Arc<Service>> {
    Stored {
        object: Arc::new(record.service.whole()),
        revision: record.revision,
        source: record.source().clone(),
    }
}
