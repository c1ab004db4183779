use std::hint::black_box;

use smol_str::{SmolStr, SmolStrBuilder};

use super::namespaces::NamespaceId;
use super::ordered::Ordered;
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

    pub(crate) fn bytes(&self) -> usize {
        let chunks = self.groups.iter().map(|(_, group)| group.pods.bytes());
        self.groups.bytes() + self.by_prefix.bytes() + self.by_name.bytes() + chunks.sum::<usize>()
    }

    pub(super) fn prefix(&self, id: GroupId) -> &str {
        self.group(id).map_or("", |group| &group.prefix)
    }

    pub(super) fn find_group(
        &self,
        namespace: NamespaceId,
        prefix: &str,
        hashed: u64,
    ) -> Option<GroupId> {
        self.by_prefix.find(hashed, |id| {
            self.group(id)
                .is_some_and(|group| group.namespace == namespace && group.prefix == prefix)
        })
    }
}

pub(super) fn suffix_of(records: &Records, id: u32) -> &[u8] {
    let record = records.get(id);
    record.map_or(&[], |record| records.suffix_bytes(record))
}
