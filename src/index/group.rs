use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::labels::Key;
use crate::selector::Selector;

use super::namespaces::Namespaces;
use super::pod_ref::PodRef;
use super::pods::Index;

/// What to count pods by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// The values of a label key.
    Label(Key),
    /// The nodes that pods name.
    Node,
    /// Namespaces.
    Namespace,
}

/// Pods counted by something.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups {
    /// Value and count, largest first, equal ones by value.
    pub groups: Vec<(SmolStr, u64)>,
    /// Pods that match and have no value.
    pub without: u64,
}

impl Index {
    /// Counts the pods that match by label value, node or namespace.
    ///
    /// Looks at each pod found, or at each value of the key, whichever are fewer.
    pub fn group(&self, selector: &Selector, namespaces: &Namespaces, by: &GroupBy) -> Groups {
        let found = self.select(selector, namespaces);
        let total = found.len();
        let mut groups: Vec<(SmolStr, u64)> = match by {
            GroupBy::Label(key) => self.group_by_label(&found, key),
            GroupBy::Node if (self.nodes.len() as u64) < total => self
                .nodes
                .iter()
                .map(|(node, posting)| (node.clone(), posting.intersection_len(&found)))
                .collect(),
            GroupBy::Node => self.tally(&found, |pod| {
                Some(pod.node_name()).filter(|n| !n.is_empty())
            }),
            GroupBy::Namespace if self.namespaces.len() < total => {
                let count = |ranges: &[std::ops::Range<u32>]| {
                    ranges
                        .iter()
                        .map(|r| found.range_cardinality(r.clone()))
                        .sum()
                };
                self.namespaces
                    .from("")
                    .map(|(_, ns)| (ns.name.clone(), count(ns.ranges())))
                    .collect()
            }
            GroupBy::Namespace => self.tally(&found, |pod| Some(pod.namespace())),
        };
        groups.retain(|(_, count)| *count > 0);
        groups.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let without = total - groups.iter().map(|(_, count)| count).sum::<u64>();
        Groups { groups, without }
    }

    fn group_by_label(&self, found: &roaring::RoaringBitmap, key: &Key) -> Vec<(SmolStr, u64)> {
        let Some(key_id) = self.dictionary.find_key(key) else {
            return Vec::new();
        };
        let Some(term) = self.dictionary.key(key_id) else {
            return Vec::new();
        };
        if (term.pairs.len() as u64) < found.len() {
            let count = |pair| {
                self.dictionary
                    .pair(pair)
                    .map_or(0, |term| term.posting.intersection_len(found))
            };
            return self
                .dictionary
                .values(key_id)
                .map(|(value, pair)| (SmolStr::new(value.as_str()), count(pair)))
                .collect();
        }
        let mut tally = BTreeMap::new();
        for pod in found.iter().filter_map(|id| self.get(id)) {
            if let Some(pair) = pod.pair_of(key_id) {
                *tally.entry(pair).or_insert(0) += 1;
            }
        }
        let value = |pair| {
            self.dictionary
                .pair(pair)
                .map(|term| SmolStr::new(term.value.as_str()))
        };
        tally
            .into_iter()
            .filter_map(|(pair, count)| Some((value(pair)?, count)))
            .collect()
    }

    fn tally<'i>(
        &'i self,
        found: &roaring::RoaringBitmap,
        by: impl Fn(PodRef<'i>) -> Option<&'i SmolStr>,
    ) -> Vec<(SmolStr, u64)> {
        let mut tally: BTreeMap<SmolStr, u64> = BTreeMap::new();
        for value in found.iter().filter_map(|id| self.get(id)).filter_map(by) {
            *tally.entry(value.clone()).or_default() += 1;
        }
        tally.into_iter().collect()
    }
}
