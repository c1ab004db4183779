use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, Range};

use slab::Slab;
use smol_str::SmolStr;

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
    /// Id ranges, in order of allocation.
    pub(crate) extents: Vec<Range<u32>>,
    /// Ids in the extents together.
    capacity: u32,
    free: Vec<u32>,
    /// Pod ids by pod name.
    pub(crate) pods: BTreeMap<SmolStr, u32>,
}

/// All namespaces, and who gives them pod ids.
///
/// Ids are dense and come in extents: ranges that belong to one namespace, so that "in this
/// namespace" is a handful of ranges and not a set. Extents of a namespace that lost its last pod
/// are given to others.
#[derive(Debug, Default)]
pub(crate) struct NamespaceTable {
    slots: Slab<Namespace>,
    by_name: BTreeMap<SmolStr, NamespaceId>,
    /// Never given out so far.
    next: u32,
    /// Given back, by length.
    spare: BTreeMap<u32, Vec<u32>>,
}

impl NamespaceTable {
    pub(crate) fn get(&self, id: NamespaceId) -> Option<&Namespace> {
        self.slots.get(id.0 as usize)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Namespace> {
        self.get(self.id(name)?)
    }

    pub(crate) fn id(&self, name: &str) -> Option<NamespaceId> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn len(&self) -> u64 {
        self.slots.len() as u64
    }

    /// Namespaces with pods, by name, from `from` on.
    pub(crate) fn from(&self, from: &str) -> impl Iterator<Item = &Namespace> {
        self.by_name
            .range::<str, _>((Bound::Included(from), Bound::Unbounded))
            .filter_map(|(_, id)| self.get(*id))
    }

    /// Whether so many pods more are sure to get an id.
    pub(crate) fn has_room_for(&self, pods: usize) -> bool {
        // Each may be the one that makes its namespace take a whole extent.
        let needed = (pods as u64).saturating_mul(u64::from(MAX_EXTENT));
        u64::from(self.next).saturating_add(needed) < u64::from(u32::MAX)
    }

    /// A free id for a new pod of this name.
    pub(crate) fn insert(&mut self, namespace: &SmolStr, pod: &SmolStr) -> (NamespaceId, u32) {
        let id = match self.by_name.get(namespace) {
            Some(id) => *id,
            None => {
                let empty = Namespace {
                    name: namespace.clone(),
                    extents: Vec::new(),
                    capacity: 0,
                    free: Vec::new(),
                    pods: BTreeMap::new(),
                };
                let id = NamespaceId(self.slots.insert(empty) as u32);
                self.by_name.insert(namespace.clone(), id);
                id
            }
        };
        let (next, spare) = (&mut self.next, &mut self.spare);
        let pod_id = self.slots.get_mut(id.0 as usize).map_or(0, |entry| {
            let pod_id = match entry.free.pop() {
                Some(free) => free,
                None => entry.grow(next, spare),
            };
            entry.pods.insert(pod.clone(), pod_id);
            pod_id
        });
        (id, pod_id)
    }

    /// The pod of this name is gone. Its id stays taken until [`NamespaceTable::release`], so that
    /// no other pod gets it within the same transaction.
    pub(crate) fn remove(&mut self, namespace: NamespaceId, pod: &str) {
        if let Some(entry) = self.slots.get_mut(namespace.0 as usize) {
            entry.pods.remove(pod);
        }
    }

    /// The id may be given to another pod.
    pub(crate) fn release(&mut self, namespace: NamespaceId, pod: u32) {
        let Some(entry) = self.slots.get_mut(namespace.0 as usize) else {
            return;
        };
        entry.free.push(pod);
        if entry.free.len() < entry.capacity as usize {
            return;
        }
        let entry = self.slots.remove(namespace.0 as usize);
        self.by_name.remove(&entry.name);
        for extent in entry.extents {
            self.spare
                .entry(extent.end - extent.start)
                .or_default()
                .push(extent.start);
        }
    }
}

impl Namespace {
    /// Takes another extent, as long as what the namespace has so far, and answers its first id.
    fn grow(&mut self, next: &mut u32, spare: &mut BTreeMap<u32, Vec<u32>>) -> u32 {
        let len = self
            .capacity
            .clamp(MIN_EXTENT, MAX_EXTENT)
            .next_power_of_two()
            .min(MAX_EXTENT);
        let start = spare.get_mut(&len).and_then(Vec::pop).unwrap_or_else(|| {
            let start = *next;
            *next += len;
            start
        });
        let extent = start..start + len;
        self.free.extend(extent.clone().skip(1).rev());
        self.extents.push(extent);
        self.capacity += len;
        start
    }

    /// The id ranges, in order of id, adjacent ones as one.
    pub(crate) fn ranges(&self) -> Vec<Range<u32>> {
        let mut sorted = self.extents.clone();
        sorted.sort_unstable_by_key(|range| range.start);
        let mut ranges: Vec<Range<u32>> = Vec::with_capacity(sorted.len());
        for extent in sorted {
            match ranges.last_mut() {
                Some(last) if last.end == extent.start => last.end = extent.end,
                _ => ranges.push(extent),
            }
        }
        ranges
    }
}
