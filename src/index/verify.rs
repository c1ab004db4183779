use std::collections::{BTreeMap, BTreeSet};

use super::pods::Index;
use super::posting::Posting;
use super::templates::TemplateId;

impl Index {
    /// The label sets of each namespace's pods. Linear in pods.
    pub(crate) fn templates_by_namespace(&self) -> BTreeMap<&str, BTreeSet<TemplateId>> {
        let mut templates: BTreeMap<&str, BTreeSet<TemplateId>> = BTreeMap::new();
        for (_, pod) in self.pods() {
            let here = templates.entry(pod.namespace()).or_default();
            here.insert(pod.template());
        }
        templates
    }

    /// Recomputes every posting, template count and name from the pods alone, and tells what differs.
    /// Linear in pods and labels.
    pub fn verify(&self, report: &mut dyn FnMut(String)) {
        let mut pairs: BTreeMap<(String, String), BTreeSet<u32>> = BTreeMap::new();
        let mut keys: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        let mut nodes: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        let mut pods = 0;
        for id in self.live.iter().filter(|id| self.get(*id).is_none()) {
            report(format!("pod id {id} counts as live and is free"));
        }
        for (id, pod) in self.pods() {
            pods += 1;
            let name = pod.name();
            if !self.live.contains(id) || self.find(&name) != Some(id) {
                report(format!(
                    "pod {name} is not found under its own name and id {id}"
                ));
            }
            if !self
                .ranges(&name.namespace)
                .iter()
                .any(|range| range.contains(&id))
            {
                report(format!(
                    "pod {name} has id {id} outside its namespace's ranges"
                ));
            }
            for (key, value) in &pod.labels() {
                pairs
                    .entry((key.to_string(), value.to_string()))
                    .or_default()
                    .insert(id);
                keys.entry(key.to_string()).or_default().insert(id);
            }
            if !pod.node_name().is_empty() {
                nodes
                    .entry(pod.node_name().to_string())
                    .or_default()
                    .insert(id);
            }
        }
        self.verify_order(report);
        if pods != self.live.len() {
            report(format!(
                "{pods} pods stand in the table, {} count as live",
                self.live.len()
            ));
        }
        for (key_id, term) in self.dictionary.keys() {
            let key = term.key.to_string();
            same(
                report,
                &format!("key {key}"),
                &term.posting,
                keys.remove(&key).unwrap_or_default(),
            );
            for (value, pair) in self.dictionary.values(key_id) {
                let Some(pair) = self.dictionary.pair(pair) else {
                    report(format!("pair {key}={value} has no posting"));
                    continue;
                };
                let expected = pairs
                    .remove(&(key.clone(), value.to_string()))
                    .unwrap_or_default();
                same(
                    report,
                    &format!("pair {key}={value}"),
                    &pair.posting,
                    expected,
                );
            }
        }
        for ((key, value), _) in pairs {
            report(format!(
                "pair {key}={value} is carried by pods and not in the dictionary"
            ));
        }
        for (node, posting) in self.nodes.iter() {
            same(
                report,
                &format!("node {node}"),
                posting,
                nodes.remove(node.as_str()).unwrap_or_default(),
            );
        }
        for (node, _) in nodes {
            report(format!("node {node} is named by pods and has no posting"));
        }
    }
}

impl Index {
    /// Every pod is met once when its namespace is walked, in the order of names.
    fn verify_order(&self, report: &mut dyn FnMut(String)) {
        let mut met = 0;
        for (_, namespace) in self.namespaces.from("") {
            let mut last = None;
            self.by_name(&namespace.name, None, |id| {
                met += 1;
                let name = self.get(id).map(|pod| pod.name());
                if name <= last {
                    report(format!("{name:?} is walked behind {last:?}"));
                }
                last = name;
                true
            });
        }
        if met != self.live.len() {
            report(format!(
                "{met} pods are walked by name, {} count as live",
                self.live.len()
            ));
        }
    }
}

fn same(report: &mut dyn FnMut(String), what: &str, posting: &Posting, expected: BTreeSet<u32>) {
    let mut found = BTreeSet::new();
    posting.for_each(|id| {
        found.insert(id);
    });
    if found != expected {
        let (surplus, missing) = (
            found.difference(&expected).count(),
            expected.difference(&found).count(),
        );
        report(format!(
            "posting of {what} holds {surplus} pods too many and {missing} too few"
        ));
    }
    if !posting.is_consistent() {
        report(format!(
            "posting of {what} counts other pods than it holds, or has plain bits of others"
        ));
    }
}
