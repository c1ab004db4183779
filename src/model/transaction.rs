use smol_str::SmolStr;

use crate::labels::{Key, LabelSet, Value};
use crate::selector::Selector;

use super::{Kind, ManualEndpoints, Node, ObjectName, ObjectRef, Pod, Revision, Service};

/// An object, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// A pod.
    Pod(Box<Pod>),
    /// A service.
    Service(Box<Service>),
    /// A node.
    Node(Box<Node>),
    /// A hand-made Endpoints or EndpointSlice.
    Manual(Box<ManualEndpoints>),
}

impl Object {
    /// Kind and name.
    pub fn object_ref(&self) -> ObjectRef {
        match self {
            Object::Pod(pod) => ObjectRef::new(Kind::Pod, pod.name.clone()),
            Object::Service(service) => ObjectRef::new(Kind::Service, service.name.clone()),
            Object::Node(node) => {
                ObjectRef::new(Kind::Node, ObjectName::cluster(node.name.clone()))
            }
            Object::Manual(manual) => ObjectRef::new(manual.kind.kind(), manual.name.clone()),
        }
    }

    /// Kind, namespace and name, without a copy.
    pub(super) fn key(&self) -> (Kind, &str, &str) {
        let (kind, name) = match self {
            Object::Pod(pod) => (Kind::Pod, &pod.name),
            Object::Service(service) => (Kind::Service, &service.name),
            Object::Node(node) => return (Kind::Node, "", &node.name),
            Object::Manual(manual) => (manual.kind.kind(), &manual.name),
        };
        (kind, &name.namespace, &name.name)
    }

    /// The object's labels.
    pub fn labels(&self) -> &LabelSet {
        match self {
            Object::Pod(pod) => &pod.labels,
            Object::Service(service) => &service.labels,
            Object::Node(node) => &node.labels,
            Object::Manual(manual) => &manual.labels,
        }
    }

    /// The object's labels, to change.
    pub fn labels_mut(&mut self) -> &mut LabelSet {
        match self {
            Object::Pod(pod) => &mut pod.labels,
            Object::Service(service) => &mut service.labels,
            Object::Node(node) => &mut node.labels,
            Object::Manual(manual) => &mut manual.labels,
        }
    }
}

/// What a label patch is applied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatchTarget {
    /// One object, which must exist.
    Object(ObjectRef),
    /// Every object of a kind that a selector matches; none is not an error.
    Selector {
        /// The kind.
        kind: Kind,
        /// In these namespaces; empty: in all.
        namespaces: Vec<SmolStr>,
        /// The selector.
        selector: Selector,
    },
}

/// A change of labels with kubectl's rules: a key that exists with a different value is a conflict
/// unless `overwrite`; removing a key that is not there is not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelPatch {
    /// What is patched.
    pub target: PatchTarget,
    /// Labels to set.
    pub set: Vec<(Key, Value)>,
    /// Keys to remove; none of them may be set as well.
    pub remove: Vec<Key>,
    /// Whether existing values may be replaced by different ones.
    pub overwrite: bool,
}

/// One step of a transaction. It sees what the steps before it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Create the object, or replace it whole.
    Put(Object),
    /// Delete the object; one that is not there is not an error.
    Delete(ObjectRef),
    /// Change labels.
    PatchLabels(LabelPatch),
}

/// What must hold of an object before a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// It exists.
    Exists,
    /// It does not exist.
    Absent,
    /// It was last written at this revision.
    Revision(Revision),
}

/// A condition on the state before the transaction; one that does not hold refuses it whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    /// Which object.
    pub object: ObjectRef,
    /// What must hold of it.
    pub expect: Expectation,
}

/// An atomic list of changes, as a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transaction {
    /// Checked first, against the state before the first operation.
    pub preconditions: Vec<Precondition>,
    /// Done in order.
    pub operations: Vec<Operation>,
    /// Who writes: what it puts is remembered as its own, for a later sync. Empty: an object stays
    /// whose it was, and a new one is nobody's.
    pub source: SmolStr,
}

/// The new state of one object: whole, or gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The object is now this.
    Put(Object),
    /// The object is gone.
    Delete(ObjectRef),
}

impl Change {
    /// Which object changed.
    pub fn object_ref(&self) -> ObjectRef {
        match self {
            Change::Put(object) => object.object_ref(),
            Change::Delete(object) => object.clone(),
        }
    }

    /// Kind, namespace and name: what changes are ordered by, without a copy.
    fn key(&self) -> (Kind, &str, &str) {
        match self {
            Change::Put(object) => object.key(),
            Change::Delete(object) => (object.kind, &object.name.namespace, &object.name.name),
        }
    }
}

/// A transaction without selectors and preconditions: each object's final state, each object once,
/// ordered by kind and name. What a store keeps and the engine applies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResolvedTransaction {
    changes: Vec<Change>,
    source: SmolStr,
}

impl ResolvedTransaction {
    /// Of several changes to one object the last counts. O(n log n); O(n) for what is in order.
    pub fn new(changes: impl IntoIterator<Item = Change>, source: impl Into<SmolStr>) -> Self {
        let mut changes: Vec<Change> = changes.into_iter().collect();
        if !changes.is_sorted_by(|a, b| a.key() < b.key()) {
            changes.sort_by(|a, b| a.key().cmp(&b.key()));
            changes.dedup_by(|later, earlier| {
                let same = later.key() == earlier.key();
                if same {
                    // The sort is stable, so `later` was given later; `dedup_by` keeps `earlier`.
                    std::mem::swap(later, earlier);
                }
                same
            });
        }
        ResolvedTransaction {
            changes,
            source: source.into(),
        }
    }

    /// The changes, ordered by kind and name.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The changes, to take apart, and the source that wrote them.
    pub fn into_parts(self) -> (Vec<Change>, SmolStr) {
        (self.changes, self.source)
    }

    /// Who writes, or empty: then objects stay whose they were.
    pub fn source(&self) -> &SmolStr {
        &self.source
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
