use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::hint::black_box;

use smol_str::{SmolStr, SmolStrBuilder};

use super::namespaces::NamespaceId;
use super::ordered::{Ordered, Place};
use super::paged::Slots;
use super::record::{PodRecord, Records};
use super::table::{IdTable, hash};

/// Pods of one namespace whose names are the same up to the last hyphen: nearly always a workload.
pub(crate) type GroupId = u32;

/// What the names of a group have in common, and its pods by what follows.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) namespace: NamespaceId,
    /// Up to and with the last hyphen; empty for names without one.
    pub(crate) prefix: SmolStr,
    pub(crate) pods: Ordered,
}

/// The names of all pods: from a name to its id, and in order within each namespace.
///
/// Pods of a workload share the beginning of their names; it is kept once. A group's pods are in the
/// order of their names, and so are a namespace's groups, by prefix; a walk through both merges groups
/// of which one's prefix begins with another's (`web-` and `web-api-`).
#[derive(Debug, Default)]
pub(crate) struct Names {
    groups: Slots<Group>,
    by_prefix: IdTable,
    by_name: IdTable,
}

/// A name up to and with its last hyphen, and the rest.
pub(super) fn split(name: &str) -> (&str, &str) {
    // The rest is short: from behind, byte by byte, is the least work.
    let hyphen = name.bytes().rposition(|byte| byte == b'-');
    name.split_at(hyphen.map_or(0, |at| at + 1))
}

/// A name whose pod is looked for, and how far that has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sought {
    pub(super) namespace: NamespaceId,
    hash: u64,
    /// The pod that has this name, if one of this hash has.
    pub(super) likely: Option<u32>,
}

fn hash_of(namespace: NamespaceId, prefix: &str, suffix: &str) -> u64 {
    hash(&(namespace, prefix, suffix))
}

impl Names {
    pub(crate) fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(id)
    }

    pub(crate) fn find(
        &self,
        records: &Records,
        namespace: NamespaceId,
        name: &str,
    ) -> Option<u32> {
        self.find_sought(records, &self.seek(namespace, name), name)
    }

    /// The first step of finding a pod: nothing is read but the name.
    pub(super) fn seek(&self, namespace: NamespaceId, name: &str) -> Sought {
        let (prefix, suffix) = split(name);
        Sought {
            namespace,
            hash: hash_of(namespace, prefix, suffix),
            likely: None,
        }
    }

    /// The second: no pod is looked at.
    pub(super) fn look_up(&self, sought: &mut Sought) {
        sought.likely = self.by_name.find(sought.hash, |_| true);
    }

    /// The last one: the pod of this name, from which the others began.
    pub(super) fn find_sought(
        &self,
        records: &Records,
        sought: &Sought,
        name: &str,
    ) -> Option<u32> {
        let (prefix, suffix) = split(name);
        let is = |id: u32| {
            records.get(id).is_some_and(|record| {
                let group = self.group(record.group);
                records.suffix_bytes(record) == suffix.as_bytes()
                    && group.is_some_and(|g| g.namespace == sought.namespace && g.prefix == prefix)
            })
        };
        let likely = sought.likely.filter(|id| is(*id));
        likely.or_else(|| self.by_name.find(sought.hash, is))
    }

    /// A pod of the group that a name belongs to, if another has been there before.
    pub(super) fn neighbour(&self, namespace: NamespaceId, name: &str) -> Option<u32> {
        let (prefix, _) = split(name);
        let id = self.by_prefix.find(hash(&(namespace, prefix)), |_| true)?;
        self.group(id)?.pods.last()
    }

    /// Makes room for about so many pods, before there is any.
    pub(crate) fn reserve(&mut self, pods: usize) {
        if self.groups.len() == 0 {
            self.by_name.reserve(pods);
        }
    }

    /// The name of a pod.
    pub(crate) fn name(&self, records: &Records, record: &PodRecord) -> SmolStr {
        let mut name = SmolStrBuilder::new();
        if let Some(group) = self.group(record.group) {
            name.push_str(&group.prefix);
        }
        name.push_str(records.suffix(record));
        name.finish()
    }

    /// The group of a name in a namespace, which is given to `groups` if it is new, and the name's end.
    pub(crate) fn enter<'n>(
        &mut self,
        namespace: NamespaceId,
        groups: &mut Ordered,
        name: &'n str,
    ) -> (GroupId, &'n str) {
        let (prefix, suffix) = split(name);
        let hashed = hash(&(namespace, prefix));
        let known = self.find_group(namespace, prefix, hashed);
        let id = known.unwrap_or_else(|| {
            let id = self.groups.insert(Group {
                namespace,
                prefix: prefix.into(),
                pods: Ordered::default(),
            });
            groups.insert(id, |other| self.prefix(other).cmp(prefix));
            let all = &self.groups;
            self.by_prefix.insert(hashed, id, |id| {
                all.get(id)
                    .map_or(0, |group| hash(&(group.namespace, group.prefix.as_str())))
            });
            id
        });
        (id, suffix)
    }

    /// Makes a pod, whose record is written, known by its name, which may have been looked for.
    pub(crate) fn add(&mut self, records: &Records, id: u32, sought: Option<&Sought>) {
        let Some(record) = records.get(id) else {
            return;
        };
        let suffix = records.suffix(record);
        let groups = &self.groups;
        let of = |id: u32| {
            let record = records.get(id)?;
            let group = groups.get(record.group)?;
            let suffix = records.suffix(record);
            Some(hash_of(group.namespace, &group.prefix, suffix))
        };
        let hash_of = |id: u32| of(id).unwrap_or_default();
        let hashed = sought.map_or_else(|| hash_of(id), |sought| sought.hash);
        // A table that grows needs the names of all that move: they are read ahead, so that reads overlap.
        let moving = self.by_name.moving(hashed);
        let moving = moving.filter_map(|id| Some(records.get(id)?.group));
        let moving: Vec<GroupId> = moving.collect();
        let prefixes = moving.iter().filter_map(|group| groups.get(*group));
        black_box(prefixes.map(|group| group.prefix.len()).sum::<usize>());
        self.by_name.insert(hashed, id, hash_of);
        if let Some(group) = self.groups.get_mut(record.group) {
            group
                .pods
                .insert(id, |other| suffix_of(records, other).cmp(suffix.as_bytes()));
        }
    }

    /// Forgets the name of a pod, whose record is still there; its group stays until
    /// [`Names::leave`].
    pub(crate) fn remove(&mut self, records: &Records, id: u32) {
        let Some(record) = records.get(id) else {
            return;
        };
        let suffix = records.suffix(record);
        if let Some(group) = self.groups.get_mut(record.group) {
            let hashed = hash_of(group.namespace, &group.prefix, suffix);
            self.by_name.remove(hashed, id);
            group
                .pods
                .remove(id, |other| suffix_of(records, other).cmp(suffix.as_bytes()));
        }
    }

    /// Takes a group that has no pods any more out of its namespace.
    pub(crate) fn leave(&mut self, id: GroupId, groups: &mut Ordered) {
        if self.group(id).is_none_or(|group| !group.pods.is_empty()) {
            return;
        }
        if let Some(group) = self.groups.get(id) {
            let hashed = hash(&(group.namespace, group.prefix.as_str()));
            self.by_prefix.remove(hashed, id);
            groups.remove(id, |other| self.prefix(other).cmp(&group.prefix));
        }
        self.groups.remove(id);
    }

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

    pub(crate) fn bytes(&self) -> usize {
        let chunks = self.groups.iter().map(|(_, group)| group.pods.bytes());
        self.groups.bytes() + self.by_prefix.bytes() + self.by_name.bytes() + chunks.sum::<usize>()
    }

    fn prefix(&self, id: GroupId) -> &str {
        self.group(id).map_or("", |group| &group.prefix)
    }

    fn find_group(&self, namespace: NamespaceId, prefix: &str, hashed: u64) -> Option<GroupId> {
        self.by_prefix.find(hashed, |id| {
            self.group(id)
                .is_some_and(|group| group.namespace == namespace && group.prefix == prefix)
        })
    }
}

fn suffix_of(records: &Records, id: u32) -> &[u8] {
    let record = records.get(id);
    record.map_or(&[], |record| records.suffix_bytes(record))
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
