use crate::model::Node;

use super::Metadata;

/// A v1 Node: its metadata is all that is kept.
pub fn node(metadata: Metadata) -> Node {
    Node {
        name: metadata.name.name,
        uid: metadata.uid,
        labels: metadata.labels,
    }
}
