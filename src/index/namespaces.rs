use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, Range};

use smol_str::SmolStr;

use super::extents::Extents;
use super::ordered::Ordered;
use super::paged::Slots;
use super::table::{IdTable, hash};

/// A namespace that has pods, interned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespaceId(u32);

/// Fewest ids in an extent.
const MIN_EXTENT: u32 = 16;
/// Most ids in an extent: bounds what a namespace that stops growing leaves unused.
const MAX_EXTENT: u32 = 4096;

/// Which namespaces to look in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Namespaces(Option<BTreeSet<SmolStr>>);

impl Namespaces {
    /// Every namespace.
    pub fn all() -> Namespaces {
        Namespaces(None)
    }

    /// Just these.
    pub fn only(names: impl IntoIterator<Item = impl Into<SmolStr>>) -> Namespaces {
        Namespaces(Some(names.into_iter().map(Into::into).collect()))
    }

    /// The names, unless all are meant.
    pub fn names(&self) -> Option<&BTreeSet<SmolStr>> {
        self.0.as_ref()
    }

    /// Whether `namespace` is one of them.
    pub fn contains(&self, namespace: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|names| names.contains(namespace))
    }
}

/// The pods of one namespace: where their ids lie, and their names in order.
#[derive(Debug)]
pub(crate) struct Namespace {
    pub(crate) name: SmolStr,
    /// Id ranges, in order of id, none next to another.
    ranges: Vec<Range<u32>>,
    /// Ids in the ranges together.
    capacity: u32,
    free: Vec<u32>,
    /// Groups of names, by prefix.
    pub(crate) groups: Ordered,
}

/// All namespaces, and who gives them pod ids.
///
/// Ids are dense and come in extents: ranges that belong to one namespace, so that "in this
/// namespace" is a handful of ranges and not a set. What a namespace that lost its last pod had is
/// given to others.
#[derive(Debug, Default)]
pub(crate) struct NamespaceTable {
    slots: Slots<Namespace>,
    by_hash: IdTable,
    by_name: BTreeMap<SmolStr, NamespaceId>,
    extents: Extents,
}

impl NamespaceTable {
    pub(crate) fn get(&self, id: NamespaceId) -> Option<&Namespace> {
        self.slots.get(id.0)
    }

    pub(crate) fn get_mut(&mut self, id: NamespaceId) -> Option<&mut Namespace> {
        self.slots.get_mut(id.0)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Namespace> {
        self.get(self.id(name)?)
    }

    pub(crate) fn id(&self, name: &str) -> Option<NamespaceId> {
        let is = |id| self.slots.get(id).is_some_and(|entry| entry.name == name);
        self.by_hash.find(hash(&name), is).map(NamespaceId)
    }

    pub(crate) fn len(&self) -> u64 {
        self.slots.len() as u64
    }

    /// Namespaces with pods, by name, from `from` on.
    pub(crate) fn from(&self, from: &str) -> impl Iterator<Item = (NamespaceId, &Namespace)> {
        self.by_name
            .range::<str, _>((Bound::Included(from), Bound::Unbounded))
            .filter_map(|(_, id)| Some((*id, self.get(*id)?)))
    }

    /// Whether so many pods more are sure to get an id.
    pub(crate) fn has_room_for(&self, pods: usize) -> bool {
        // Each may be the one that makes its namespace take a whole extent.
        let needed = (pods as u64).saturating_mul(u64::from(MAX_EXTENT));
        self.extents.has(needed)
    }

    /// The namespace of this name, which may be known by its id, and in it a free id for a new pod.
    pub(crate) fn take_id(
        &mut self,
        namespace: &SmolStr,
        known: Option<NamespaceId>,
    ) -> (NamespaceId, u32) {
        let known = known.or_else(|| self.id(namespace));
        let id = known.unwrap_or_else(|| self.add(namespace));
        let extents = &mut self.extents;
        let pod = self.slots.get_mut(id.0).map_or(0, |entry| {
            entry.free.pop().unwrap_or_else(|| entry.grow(extents))
        });
        (id, pod)
    }

    fn add(&mut self, name: &SmolStr) -> NamespaceId {
        let id = self.slots.insert(Namespace {
            name: name.clone(),
            ranges: Vec::new(),
            capacity: 0,
            free: Vec::new(),
            groups: Ordered::default(),
        });
        let slots = &self.slots;
        self.by_hash.insert(hash(&name.as_str()), id, |id| {
            slots.get(id).map_or(0, |entry| hash(&entry.name.as_str()))
        });
        self.by_name.insert(name.clone(), NamespaceId(id));
        NamespaceId(id)
    }

    /// The id may be given to another pod.
    pub(crate) fn give_back(&mut self, namespace: NamespaceId, pod: u32) {
        let Some(entry) = self.slots.get_mut(namespace.0) else {
            return;
        };
        entry.free.push(pod);
        if entry.free.len() < entry.capacity as usize {
            return;
        }
        let Some(entry) = self.slots.remove(namespace.0) else {
            return;
        };
        self.by_hash.remove(hash(&entry.name.as_str()), namespace.0);
        self.by_name.remove(&entry.name);
        for range in entry.ranges {
            self.extents.give_back(range);
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let own = |(_, entry): (u32, &Namespace)| {
            entry.ranges.capacity() * size_of::<Range<u32>>()
                + entry.free.capacity() * size_of::<u32>()
                + entry.groups.bytes()
        };
        self.slots.bytes() + self.by_hash.bytes() + self.slots.iter().map(own).sum::<usize>()
    }
}

impl Namespace {
    /// Takes another extent, an eighth of what the namespace has so far, and answers its first id: an id
    /// that is not used costs as much as a pod, and each extent may be a range of its own.
    fn grow(&mut self, extents: &mut Extents) -> u32 {
        let len = (self.capacity / 8)
            .next_multiple_of(MIN_EXTENT)
            .clamp(MIN_EXTENT, MAX_EXTENT);
        let Range { start, end } = extents.take(len);
        self.free.reserve_exact((end - start) as usize - 1);
        self.free.extend((start + 1..end).rev());
        self.capacity += end - start;
        self.add_range(start..end);
        start
    }

    fn add_range(&mut self, mut range: Range<u32>) {
        let at = self
            .ranges
            .partition_point(|other| other.start < range.start);
        let next_to = |at: usize| self.ranges.get(at);
        let behind = next_to(at).filter(|behind| range.end == behind.start);
        let before = at.checked_sub(1).and_then(next_to);
        let before = before.filter(|before| before.end == range.start);
        let replaced = at - usize::from(before.is_some())..at + usize::from(behind.is_some());
        range = before.map_or(range.start, |before| before.start)
            ..behind.map_or(range.end, |behind| behind.end);
        self.ranges.splice(replaced, [range]);
    }

    /// The number of its pods.
    pub(crate) fn len(&self) -> u64 {
        u64::from(self.capacity).saturating_sub(self.free.len() as u64)
    }

    /// The id ranges, in order of id, adjacent ones as one.
    pub(crate) fn ranges(&self) -> &[Range<u32>] {
        &self.ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Namespaces as previews and CI make them: filled, emptied, and gone.
    #[test]
    fn namespaces_that_come_and_go_take_no_more_ids() {
        let mut table = NamespaceTable::default();
        let mut highest = 0;
        for i in 0..1_000 {
            let name = SmolStr::from(format!("preview-{i}"));
            let held: Vec<_> = (0..60 + i % 40)
                .map(|_| table.take_id(&name, None))
                .collect();
            highest = held.iter().fold(highest, |most, (_, pod)| most.max(*pod));
            let ranges = table.find(&name).map(|entry| entry.ranges().len());
            assert_eq!(ranges, Some(1));
            held.into_iter()
                .for_each(|(id, pod)| table.give_back(id, pod));
        }
        assert!(highest < 128, "{highest}");
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn ranges_next_to_one_another_are_one() {
        let mut table = NamespaceTable::default();
        let (first, _) = table.take_id(&"a".into(), None);
        let entry = table.get_mut(first).expect("it has a pod");
        for range in [64..80, 32..48, 48..64, 96..112, 80..96, 16..32] {
            entry.add_range(range);
        }
        let whole = 0..112;
        assert_eq!(entry.ranges(), std::slice::from_ref(&whole));
    }
}
