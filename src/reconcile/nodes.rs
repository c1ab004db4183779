use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::model::{Node, Revision, Sequence};

/// A node, as kept.
#[derive(Debug, Clone)]
pub(crate) struct NodeRecord {
    pub(crate) node: Arc<Node>,
    pub(crate) revision: Revision,
    pub(crate) source: SmolStr,
    /// Where its record stands in the log.
    pub(crate) position: Sequence,
}

/// The nodes, by name.
pub(crate) type Nodes = BTreeMap<SmolStr, NodeRecord>;
