use std::sync::Arc;

use smol_str::SmolStr;

use crate::index::PodRef;
use crate::model::{Kind, ManualEndpoints, ManualKind, Node, Object, ObjectRef, Service};

use super::state::{Engine, Stored};

/// An object that is there, to be compared where it lies; copied only on demand.
pub(super) enum Present<'a> {
    /// In a transaction that has been resolved and not applied, with whose it is then.
    Written(&'a Object, &'a SmolStr),
    Pod(PodRef<'a>),
    Service(Stored<Arc<Service>>),
    Node(Stored<Arc<Node>>),
    Manual(Stored<Arc<ManualEndpoints>>),
}

impl Present<'_> {
    /// Whether `object`, which has the same kind and name, is just as this one.
    pub(super) fn equals(&self, object: &Object) -> bool {
        match (self, object) {
            (Present::Written(written, _), object) => *written == object,
            (Present::Pod(pod), Object::Pod(other)) => pod.equals(other),
            (Present::Service(service), Object::Service(other)) => *service.object == **other,
            (Present::Node(node), Object::Node(other)) => *node.object == **other,
            (Present::Manual(manual), Object::Manual(other)) => *manual.object == **other,
            _ => false,
        }
    }

    /// Whose it is, or empty.
    pub(super) fn source(&self) -> &SmolStr {
        match self {
            Present::Written(_, source) => source,
            Present::Pod(pod) => pod.source(),
            Present::Service(service) => &service.source,
            Present::Node(node) => &node.source,
            Present::Manual(manual) => &manual.source,
        }
    }

    /// A copy.
    pub(super) fn object(&self) -> Object {
        match self {
            Present::Written(object, _) => (*object).clone(),
            Present::Pod(pod) => Object::Pod(Box::new(pod.pod())),
            Present::Service(service) => Object::Service(Box::new((*service.object).clone())),
            Present::Node(node) => Object::Node(Box::new((*node.object).clone())),
            Present::Manual(manual) => Object::Manual(Box::new((*manual.object).clone())),
        }
    }
}

impl Engine {
    /// An object as the last transaction left it.
    pub(super) fn present(&self, object: &ObjectRef) -> Option<Present<'_>> {
        let name = &object.name;
        match object.kind {
            Kind::Pod => self.index.get(self.index.find(name)?).map(Present::Pod),
            Kind::Service => self.service(name).map(Present::Service),
            Kind::Node => self.node(&name.name).map(Present::Node),
            Kind::Endpoints => self
                .manual_endpoints(ManualKind::Endpoints, name)
                .map(Present::Manual),
            Kind::EndpointSlice => self
                .manual_endpoints(ManualKind::EndpointSlice, name)
                .map(Present::Manual),
        }
    }
}
