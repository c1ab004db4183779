use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::model::{Node, Revision, Sequence};

/// A node, as kept.
#[derive(Debug, Clone)]
pub(crate) struct NodeRecord {
    pub(crate) node: Arc<Node>,
    /// The node's zone, or empty: read with each of its endpoints that is told.
    pub(crate) zone: SmolStr,
    pub(crate) revision: Revision,
    pub(crate) source: SmolStr,
    /// Where its record stands in the log.
    pub(crate) position: Sequence,
}

/// The nodes: found by name for each endpoint that is told, and in the order of their names.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    records: FxHashMap<SmolStr, NodeRecord>,
    names: BTreeSet<SmolStr>,
}

impl Nodes {
    pub(crate) fn get(&self, name: &str) -> Option<&NodeRecord> {
        self.records.get(name)
    }

    /// The zone of a node, empty where it has none.
    pub(crate) fn zone(&self, name: &str) -> Option<&str> {
        self.records.get(name).map(|record| record.zone.as_str())
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut NodeRecord> {
        self.records.get_mut(name)
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Puts a node in; answers what was there.
    pub(crate) fn insert(&mut self, name: SmolStr, record: NodeRecord) -> Option<NodeRecord> {
        let before = self.records.insert(name.clone(), record);
        if before.is_none() {
            self.names.insert(name);
        }
        before
    }

    /// Takes a node out; answers what was there.
    pub(crate) fn remove(&mut self, name: &str) -> Option<NodeRecord> {
        self.names.remove(name);
        self.records.remove(name)
    }

    /// All of them, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&SmolStr, &NodeRecord)> {
        self.behind(None)
    }

    /// Those behind a name, by name.
    pub(crate) fn behind(
        &self,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&SmolStr, &NodeRecord)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.names
            .range::<str, _>((from, Bound::Unbounded))
            .filter_map(|name| Some((name, self.records.get(name)?)))
    }
}
