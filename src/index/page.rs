use crate::model::ObjectName;
use crate::selector::Selector;

use super::namespaces::Namespaces;
use super::pods::Index;

/// Up to so many times the page, the pods found are sorted by name; of more, names are walked.
const SORT_FACTOR: u64 = 8;

impl Index {
    /// The ids of the first `limit` pods that match and stand behind `after`, by namespace and name.
    ///
    /// Few matches are sorted; of many, each namespace is walked in name order from where the last
    /// page ended, so that a page costs what it passes and not what there is. Of an answer that is a
    /// good part of all pods not even the ids are built.
    pub fn page(
        &self,
        selector: &Selector,
        namespaces: &Namespaces,
        after: Option<&ObjectName>,
        limit: usize,
    ) -> Vec<u32> {
        if let Some(page) = self.walk_page(selector, namespaces, after, limit) {
            return page;
        }
        let found = self.select(selector, namespaces);
        if found.len() <= SORT_FACTOR.saturating_mul(limit as u64) {
            return self.sorted(found.iter(), after, limit);
        }
        let mut page = Vec::with_capacity(limit.min(1024));
        let from = after.map_or("", |name| name.namespace.as_str());
        for (_, namespace) in self
            .namespaces
            .from(from)
            .filter(|(_, ns)| namespaces.contains(&ns.name))
        {
            let room = limit - page.len();
            if room == 0 {
                break;
            }
            let ranges = namespace.ranges();
            let here: u64 = ranges
                .iter()
                .map(|range| found.range_cardinality(range.clone()))
                .sum();
            let resume = after.filter(|name| name.namespace == namespace.name);
            if here == 0 {
                continue;
            }
            if here.saturating_mul(SORT_FACTOR) < namespace.len() {
                let ids = ranges.iter().flat_map(|range| found.range(range.clone()));
                page.extend(self.sorted(ids, resume, room));
                continue;
            }
            self.by_name(
                &namespace.name,
                resume.map(|name| name.name.as_str()),
                |id| {
                    if found.contains(id) {
                        page.push(id);
                    }
                    page.len() < limit
                },
            );
        }
        page
    }

    fn sorted(
        &self,
        ids: impl Iterator<Item = u32>,
        after: Option<&ObjectName>,
        limit: usize,
    ) -> Vec<u32> {
        let mut named: Vec<(ObjectName, u32)> = ids
            .filter_map(|id| Some((self.get(id)?.name(), id)))
            .filter(|(name, _)| after.is_none_or(|after| name > after))
            .collect();
        if named.len() > limit {
            named.select_nth_unstable(limit);
            named.truncate(limit);
        }
        named.sort_unstable();
        named.into_iter().map(|(_, id)| id).collect()
    }
}
