use smol_str::SmolStr;

use crate::labels::LabelSet;

/// The label that holds a node's zone.
pub const ZONE_LABEL: &str = "topology.kubernetes.io/zone";

/// A node: its labels are all that selection and endpoints look at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// The node's name; pods name it in `nodeName`.
    pub name: SmolStr,
    /// Its UID, or empty.
    pub uid: SmolStr,
    /// Its labels.
    pub labels: LabelSet,
}

impl Node {
    /// The node's zone: its non-empty [`ZONE_LABEL`], else none.
    pub fn zone(&self) -> Option<&str> {
        self.labels
            .get(ZONE_LABEL)
            .map(|v| v.as_str())
            .filter(|z| !z.is_empty())
    }
}
