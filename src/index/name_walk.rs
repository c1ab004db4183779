use std::cmp::Ordering;
use std::collections::BinaryHeap;

use smol_str::SmolStr;

use super::names::{GroupId, Names, suffix_of};
use super::namespaces::NamespaceId;
use super::ordered::{Ordered, Place};
use super::record::Records;
use super::table::hash;

impl Names {
    /// Calls `f` with the pods of a namespace, whose groups these are, by name, from behind `after` on,
    /// until it answers false.
    pub(crate) fn walk(
        &self,
        records: &Records,
        namespace: NamespaceId,
        groups: &Ordered,
        after: Option<&str>,
        mut f: impl FnMut(u32) -> bool,
    ) {
        let mut open = Open {
            names: self,
            records,
            heads: BinaryHeap::new(),
        };
        // Of the groups before `after`, only those with whose prefix it begins have names behind it.
        let hyphens = after.into_iter().flat_map(|after| {
            after
                .match_indices('-')
                .map(|(at, _)| at + 1)
                .chain([0])
                .map(|end| after.split_at(end))
        });
        for (prefix, rest) in hyphens {
            let hashed = hash(&(namespace, prefix));
            if let Some(id) = self.find_group(namespace, prefix, hashed)
                && let Some(group) = self.group(id)
            {
                let behind = |other: u32| match suffix_of(records, other).cmp(rest.as_bytes()) {
                    Ordering::Equal => Ordering::Less,
                    order => order,
                };
                open.push(id, group.pods.seek(behind));
            }
        }
        let first = after.map_or_else(
            || groups.seek(|_| Ordering::Greater),
            |after| {
                groups.seek(|other| match self.prefix(other).cmp(after) {
                    Ordering::Equal => Ordering::Less,
                    order => order,
                })
            },
        );
        let mut unopened = groups.from(first).peekable();
        loop {
            let next = unopened.peek().copied();
            let due = match (open.heads.peek(), next) {
                (None, None) => return,
                (Some(head), Some(next)) => self.prefix(next) <= head.name.as_str(),
                (None, Some(_)) => true,
                (Some(_), None) => false,
            };
            if due && let Some(next) = next {
                unopened.next();
                let Some(group) = self.group(next) else {
                    continue;
                };
                // Nearly always the groups lie one behind the other, and names need not be compared.
                let last = group.pods.last().and_then(|id| records.get(id));
                let apart = open.heads.is_empty()
                    && last.zip(unopened.peek()).is_none_or(|(last, following)| {
                        self.name(records, last).as_str() < self.prefix(*following)
                    });
                if !apart {
                    open.push(next, group.pods.seek(|_| Ordering::Greater));
                } else if !group.pods.iter().all(&mut f) {
                    return;
                }
            } else if let Some(head) = open.heads.pop() {
                if !f(head.pod) {
                    return;
                }
                open.push(head.group, head.behind);
            }
        }
    }
}

/// Groups that are being walked through at once.
struct Open<'n> {
    names: &'n Names,
    records: &'n Records,
    heads: BinaryHeap<Head>,
}

/// The next pod of a group. The greatest is the one whose name comes first.
#[derive(PartialEq, Eq)]
struct Head {
    name: SmolStr,
    pod: u32,
    group: GroupId,
    behind: Place,
}

impl Open<'_> {
    /// Goes on with a group from a place, if anything is left.
    fn push(&mut self, id: GroupId, place: Place) {
        let next = self.names.group(id).and_then(|group| group.pods.at(place));
        if let Some((pod, behind)) = next
            && let Some(record) = self.records.get(pod)
        {
            self.heads.push(Head {
                name: self.names.name(self.records, record),
                pod,
                group: id,
                behind,
            });
        }
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Head) -> Ordering {
        other.name.cmp(&self.name)
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use crate::index::Index;
    use crate::model::{ObjectName, Pod};

    proptest! {
        /// Names that are beginnings of one another, with and without hyphens, long and short ends.
        #[test]
        fn walks_in_the_order_of_names(
            steps in prop::collection::vec((any::<bool>(), "(a|b|web)(-(a|b|1|22|-|longer-than-ten)){0,3}(x|yyyyyyyyyyyyyyyy)?"), 1..200),
            after in "(a|b|web)(-(a|b|1|22)){0,3}-?x?",
        ) {
            let mut index = Index::default();
            let mut model = BTreeMap::new();
            for (add, name) in steps {
                let name = ObjectName::new("default", name);
                if add {
                    let pod = Pod { name: name.clone(), ..Pod::default() };
                    let put = index.put(&pod, 1, None, None);
                    index.settle();
                    prop_assert_eq!(put.before.is_some(), model.insert(name, put.id).is_some());
                    put.before.iter().for_each(|before| index.release(put.id, before));
                } else {
                    let removed = index.remove(&name, None);
                    prop_assert_eq!(removed.as_ref().map(|(id, _)| *id), model.remove(&name));
                    index.settle();
                    removed.iter().for_each(|(id, before)| index.release(*id, before));
                }
            }
            for (name, id) in &model {
                prop_assert_eq!(index.find(name), Some(*id));
                prop_assert_eq!(index.get(*id).map(|pod| pod.name()), Some(name.clone()));
            }
            let mut walked = Vec::new();
            index.by_name("default", None, |id| { walked.push(id); true });
            prop_assert_eq!(&walked, &model.values().copied().collect::<Vec<_>>());
            walked.clear();
            index.by_name("default", Some(&after), |id| { walked.push(id); true });
            let behind = model.iter().filter(|(name, _)| name.name.as_str() > after.as_str());
            prop_assert_eq!(walked, behind.map(|(_, id)| *id).collect::<Vec<_>>());
            let mut faults = Vec::new();
            index.verify(&mut |fault| faults.push(fault));
            prop_assert_eq!(faults, Vec::<String>::new());
        }
    }
}
