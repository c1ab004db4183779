use serde_json::Value;
use smol_str::SmolStr;

use crate::labels::LabelSet;
use crate::model::{ManualKind, Node, Object, ObjectName, Revision};

use super::fields::Fields;
use super::{endpoints, pod, service};

/// An object as `kubectl get -o json` prints it, its `resourceVersion` being `revision`. Reading it
/// back gives an equal object. Linear in its size.
pub fn to_kubernetes(object: &Object, revision: Revision) -> Value {
    match object {
        Object::Pod(own) => pod::pod(own, revision),
        Object::Service(own) => service::service(own, revision),
        Object::Node(own) => node(own, revision),
        Object::Manual(own) => match own.kind {
            ManualKind::Endpoints => endpoints::endpoints(own, revision),
            ManualKind::EndpointSlice => endpoints::endpoint_slice(own, revision),
        },
    }
}

/// A v1 List.
pub fn list(items: Vec<Value>) -> Value {
    Fields::new()
        .with("apiVersion", "v1")
        .with("items", items)
        .with("kind", "List")
        .with("metadata", Fields::new().with("resourceVersion", ""))
        .into()
}

fn node(node: &Node, revision: Revision) -> Value {
    let metadata = Metadata::new(
        &ObjectName::cluster(node.name.clone()),
        &node.uid,
        &node.labels,
        revision,
    )
    .json();
    Fields::new()
        .with("apiVersion", "v1")
        .with("kind", "Node")
        .with("metadata", metadata)
        .into()
}

/// What goes into an object's `metadata`.
pub struct Metadata<'a> {
    /// Annotations that are not empty.
    pub annotations: &'a [(&'a str, &'a SmolStr)],
    /// RFC 3339 text, or empty.
    pub creation_timestamp: &'a str,
    /// RFC 3339 text, while the object is being deleted.
    pub deletion_timestamp: Option<&'a SmolStr>,
    /// Labels, as JSON.
    pub labels: Value,
    /// Namespace and name.
    pub name: &'a ObjectName,
    /// Owners, as JSON.
    pub owners: Vec<Value>,
    /// When the object last changed; none for one that is computed.
    pub revision: Option<Revision>,
    /// UID, or empty.
    pub uid: &'a str,
}

impl<'a> Metadata<'a> {
    /// The part that all objects have.
    pub fn new(
        name: &'a ObjectName,
        uid: &'a str,
        labels: &LabelSet,
        revision: Revision,
    ) -> Metadata<'a> {
        Metadata {
            annotations: &[],
            creation_timestamp: "",
            deletion_timestamp: None,
            labels: label_map(labels),
            name,
            owners: Vec::new(),
            revision: Some(revision),
            uid,
        }
    }

    /// The field `metadata`.
    pub fn json(self) -> Value {
        let annotations = self
            .annotations
            .iter()
            .fold(Fields::new(), |annotations, (key, value)| {
                annotations.with_some(key, value.as_str())
            });
        Fields::new()
            .with_some("annotations", annotations)
            .with_some("creationTimestamp", self.creation_timestamp)
            .with_some(
                "deletionTimestamp",
                self.deletion_timestamp.map(SmolStr::as_str),
            )
            .with_some("labels", self.labels)
            .with("name", self.name.name.as_str())
            .with_some("namespace", self.name.namespace.as_str())
            .with_some("ownerReferences", self.owners)
            .with_some(
                "resourceVersion",
                self.revision.map(|revision| revision.to_string()),
            )
            .with_some("uid", self.uid)
            .into()
    }
}

/// Labels in the order of their keys.
pub fn label_map(labels: &LabelSet) -> Value {
    labels
        .iter()
        .fold(Fields::new(), |map, (key, value)| {
            map.with(key.as_str(), value.as_str())
        })
        .into()
}
