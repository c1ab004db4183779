//! Questions about pods.

use std::collections::BTreeMap;

use selectord::engine::{GroupBy, Namespaces};
use selectord::model::{ObjectName, Pod, Revision};
use selectord::selector::Selector;
use smol_str::SmolStr;

use super::Oracle;

/// All namespaces, or only these.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Within {
    All,
    Only(Vec<SmolStr>),
}

impl Within {
    pub fn contains(&self, name: &ObjectName) -> bool {
        match self {
            Within::All => true,
            Within::Only(namespaces) => namespaces.contains(&name.namespace),
        }
    }

    /// The same for the engine.
    pub fn namespaces(&self) -> Namespaces {
        match self {
            Within::All => Namespaces::all(),
            Within::Only(namespaces) => Namespaces::only(namespaces.iter().cloned()),
        }
    }
}

impl Oracle {
    /// The pods that a selector matches, in order.
    pub fn pods_matching(&self, selector: &Selector, within: &Within) -> Vec<(&Pod, Revision)> {
        self.pods()
            .filter(|(pod, _)| within.contains(&pod.name) && selector.matches(&pod.labels))
            .collect()
    }

    /// Groups, largest first and then by value, and how many pods are in none.
    pub fn group(
        &self,
        selector: &Selector,
        within: &Within,
        by: &GroupBy,
    ) -> (Vec<(SmolStr, u64)>, u64) {
        let mut counts: BTreeMap<SmolStr, u64> = BTreeMap::new();
        let mut without = 0;
        for (pod, _) in self.pods_matching(selector, within) {
            let group = match by {
                GroupBy::Namespace => Some(pod.name.namespace.clone()),
                GroupBy::Node => Some(pod.node_name.clone()).filter(|node| !node.is_empty()),
                GroupBy::Label(key) => pod
                    .labels
                    .get(key.as_str())
                    .map(|value| SmolStr::new(value.as_str())),
            };
            match group {
                Some(group) => *counts.entry(group).or_default() += 1,
                None => without += 1,
            }
        }
        let mut groups: Vec<(SmolStr, u64)> = counts.into_iter().collect();
        groups.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        (groups, without)
    }
}
