//! The objects as they are, and the states of some revisions past.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use selectord::engine::{MissingNode, Stored};
use selectord::model::{
    Change, Kind, ManualEndpoints, Node, Object, ObjectName, ObjectRef, Pod, ResolvedTransaction,
    Revision, Service,
};
use selectord::selector::Selector;
use smol_str::SmolStr;

use super::Cut;

/// How many past states are kept.
const KEPT: usize = 64;

/// Every object, in a map.
pub struct Oracle {
    pub(super) missing_node: MissingNode,
    objects: BTreeMap<ObjectRef, Stored<Object>>,
    cuts: VecDeque<Cut>,
}

impl Oracle {
    pub fn new(missing_node: MissingNode) -> Oracle {
        Oracle {
            missing_node,
            objects: BTreeMap::new(),
            cuts: VecDeque::from([Cut::default()]),
        }
    }

    pub fn apply(&mut self, revision: Revision, transaction: &ResolvedTransaction) {
        for change in transaction.changes() {
            match change {
                Change::Put(object) => {
                    // A writer without a name leaves an object whose it was.
                    let known = self
                        .get(&object.object_ref())
                        .map(|stored| stored.source.clone());
                    let source = match transaction.source() {
                        source if source.is_empty() => known.unwrap_or_default(),
                        source => source.clone(),
                    };
                    let stored = Stored {
                        object: object.clone(),
                        revision,
                        source,
                    };
                    self.objects.insert(object.object_ref(), stored);
                }
                Change::Delete(object) => {
                    self.objects.remove(object);
                }
            }
        }
        let cut = Cut::of(self, revision);
        self.cuts.push_back(cut);
        if self.cuts.len() > KEPT {
            self.cuts.pop_front();
        }
    }

    pub fn head(&self) -> Revision {
        self.now().revision
    }

    /// The state at the head.
    pub fn now(&self) -> &Cut {
        self.cuts.back().expect("there is always one")
    }

    /// The state at a revision that a transaction got, if it is not too long ago.
    pub fn state_at(&self, revision: Revision) -> Option<&Cut> {
        self.cuts.iter().find(|cut| cut.revision == revision)
    }

    pub fn get(&self, object: &ObjectRef) -> Option<&Stored<Object>> {
        self.objects.get(object)
    }

    pub fn objects(&self) -> impl Iterator<Item = (&ObjectRef, &Stored<Object>)> {
        self.objects.iter()
    }

    pub fn pods(&self) -> impl Iterator<Item = (&Pod, Revision)> {
        self.objects
            .values()
            .filter_map(|stored| match &stored.object {
                Object::Pod(pod) => Some((pod.as_ref(), stored.revision)),
                _ => None,
            })
    }

    pub fn services(&self) -> impl Iterator<Item = (&Service, Revision)> {
        self.objects
            .values()
            .filter_map(|stored| match &stored.object {
                Object::Service(service) => Some((service.as_ref(), stored.revision)),
                _ => None,
            })
    }

    pub fn service(&self, name: &ObjectName) -> Option<&Service> {
        match &self
            .get(&ObjectRef::new(Kind::Service, name.clone()))?
            .object
        {
            Object::Service(service) => Some(service),
            _ => None,
        }
    }

    pub fn nodes(&self) -> impl Iterator<Item = (&Node, Revision)> {
        self.objects
            .values()
            .filter_map(|stored| match &stored.object {
                Object::Node(node) => Some((node.as_ref(), stored.revision)),
                _ => None,
            })
    }

    pub fn node(&self, name: &str) -> Option<&Node> {
        match &self
            .get(&ObjectRef::new(Kind::Node, ObjectName::cluster(name)))?
            .object
        {
            Object::Node(node) => Some(node),
            _ => None,
        }
    }

    /// Hand-made endpoints, ordered by kind and name.
    pub fn manuals(&self) -> impl Iterator<Item = &ManualEndpoints> {
        self.objects
            .values()
            .filter_map(|stored| match &stored.object {
                Object::Manual(manual) => Some(manual.as_ref()),
                _ => None,
            })
    }

    /// The services of a namespace that would take in a pod with these labels.
    pub fn matching_services(
        &self,
        namespace: &str,
        labels: &selectord::labels::LabelSet,
    ) -> Vec<ObjectName> {
        self.services()
            .filter(|(service, _)| service.name.namespace == namespace)
            .filter(|(service, _)| {
                super::endpoints::computing_selector(service)
                    .is_some_and(|selector| selector.matches(labels))
            })
            .map(|(service, _)| service.name.clone())
            .collect()
    }

    /// Services whose own labels match, in order.
    pub fn services_matching(&self, selector: &Selector) -> Vec<(Arc<Service>, Revision)> {
        self.services()
            .filter(|(service, _)| selector.matches(&service.labels))
            .map(|(service, revision)| (Arc::new(service.clone()), revision))
            .collect()
    }

    /// Nodes whose labels match, in order of their names.
    pub fn nodes_matching(&self, selector: &Selector) -> Vec<SmolStr> {
        self.nodes()
            .filter(|(node, _)| selector.matches(&node.labels))
            .map(|(node, _)| node.name.clone())
            .collect()
    }
}
