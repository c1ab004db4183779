use std::cmp::Ordering;
use std::num::NonZeroU64;

use smallvec::SmallVec;

use crate::labels::{Key, LabelSet};

use super::dictionary::{Dictionary, KeyId, KeyTerm, PairId, PairTerm};
use super::paged::Slots;
use super::runs::{Run, Runs};
use super::table::{IdTable, hash};

/// A label set, as two interned lists: of the keys that pods of a workload have in common, and of
/// those in which they differ. Two ids may stand for the same labels, split in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateId {
    common: u32,
    varying: u32,
}

/// One of the two lists of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ListId(u32);

/// What tells two uses of one [`TemplateId`] apart: never the same for two lists.
pub(crate) type Stamp = (u64, u64);

/// Some pairs, of each key one, in byte order of their keys: where they stand in [`Lists::pairs`].
#[derive(Debug)]
struct List {
    pairs: Run,
    stamp: NonZeroU64,
    holders: u32,
}

/// Lists of pairs, each once.
#[derive(Debug, Default)]
struct Lists {
    slots: Slots<List>,
    pairs: Runs<PairId>,
}

impl Lists {
    fn get(&self, id: u32) -> Option<&[PairId]> {
        Some(self.pairs.get(self.slots.get(id)?.pairs))
    }
}

/// Every label set in use.
///
/// Pods of one workload carry nearly the same labels, and what they have in common is kept once. In
/// which keys they differ (`zone`, an ordinal) is learnt by comparing pods of one workload; a key that
/// is found to vary is kept apart from then on.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    lists: Lists,
    by_pairs: IdTable,
    stamps: u64,
}

impl Templates {
    /// How many lists there are.
    pub(crate) fn len(&self) -> u64 {
        self.lists.slots.len() as u64
    }

    /// The value this label set has for a key.
    pub(crate) fn pair_of(
        &self,
        dictionary: &Dictionary,
        id: TemplateId,
        key: KeyId,
    ) -> Option<PairId> {
        let mut pairs = self.pairs(id);
        pairs.find(|pair| dictionary.key_of(*pair) == Some(key))
    }

    /// The pairs of a label set, in no order.
    pub(crate) fn pairs(&self, id: TemplateId) -> impl Iterator<Item = PairId> + '_ {
        self.halves(id).into_iter().flatten().copied()
    }

    /// The two lists of a label set.
    pub(super) fn lists_of(&self, id: TemplateId) -> [ListId; 2] {
        [ListId(id.common), ListId(id.varying)]
    }

    /// The pairs of a list.
    pub(super) fn list(&self, id: ListId) -> &[PairId] {
        self.lists.get(id.0).unwrap_or_default()
    }

    /// Calls `f` with each of [`Templates::pairs`].
    pub(super) fn for_each_pair(&self, id: TemplateId, mut f: impl FnMut(PairId)) {
        for half in self.halves(id) {
            half.iter().for_each(|pair| f(*pair));
        }
    }

    pub(crate) fn stamp(&self, id: TemplateId) -> Option<Stamp> {
        let stamp = |list| Some(self.lists.slots.get(list)?.stamp.get());
        Some((stamp(id.common)?, stamp(id.varying)?))
    }

    /// The template of these labels, held by one more. What they have in common with `near`, labels
    /// of the same pod before or of one of the same workload, is not looked up again.
    pub(crate) fn acquire(
        &mut self,
        dictionary: &mut Dictionary,
        labels: &LabelSet,
        near: Option<TemplateId>,
    ) -> TemplateId {
        let mut halves = near.map(|near| self.halves(near)).unwrap_or_default();
        let near_len = halves.iter().map(|half| half.len()).sum::<usize>();
        let known = labels.iter().map(|(key, value)| {
            let (pair, key) = next_of(dictionary, &mut halves, key)?;
            let term = dictionary.pair(pair)?;
            (term.value == *value).then_some((pair, key.is_volatile()))
        });
        let known: SmallVec<[_; 16]> = known.collect();
        if let Some(near) = near
            && near_len == known.len()
            && known.iter().all(Option::is_some)
        {
            self.retain(near);
            return near;
        }
        let mut common: SmallVec<[PairId; 16]> = SmallVec::new();
        let mut varying = common.clone();
        for ((key, value), known) in labels.iter().zip(known) {
            let (pair, varies) = known.unwrap_or_else(|| {
                let pair = dictionary.intern(key, value);
                let key = dictionary.key_of(pair).and_then(|key| dictionary.key(key));
                (pair, key.is_some_and(KeyTerm::is_volatile))
            });
            if varies { &mut varying } else { &mut common }.push(pair);
        }
        TemplateId {
            common: self.acquire_list(dictionary, &common),
            varying: self.acquire_list(dictionary, &varying),
        }
    }

    /// Makes the caller another holder.
    fn retain(&mut self, id: TemplateId) {
        for list in [id.common, id.varying] {
            if let Some(list) = self.lists.slots.get_mut(list) {
                list.holders += 1;
            }
        }
    }

    /// Learns in which keys two pods of one workload differ.
    pub(crate) fn compare(&self, dictionary: &mut Dictionary, a: TemplateId, b: TemplateId) {
        let b = self.halves(b);
        for pair in self.pairs(a) {
            if let Some(key) = dictionary.key_of(pair) {
                let same = b.iter().any(|half| half.contains(&pair));
                dictionary.compared(key, same);
            }
        }
    }

    fn acquire_list(&mut self, dictionary: &mut Dictionary, pairs: &[PairId]) -> u32 {
        let hashed = hash(&pairs);
        let is = |id| self.lists.get(id) == Some(pairs);
        if let Some(id) = self.by_pairs.find(hashed, is) {
            if let Some(list) = self.lists.slots.get_mut(id) {
                list.holders += 1;
            }
            return id;
        }
        pairs.iter().for_each(|pair| dictionary.retain(*pair));
        self.stamps += 1;
        let id = self.lists.slots.insert(List {
            pairs: self.lists.pairs.insert(pairs),
            stamp: NonZeroU64::MIN.saturating_add(self.stamps),
            holders: 1,
        });
        let lists = &self.lists;
        self.by_pairs.insert(hashed, id, |id| {
            lists.get(id).map_or(0, |pairs| hash(&pairs))
        });
        id
    }

    /// Whether a template is of just these labels. Interns nothing.
    pub(crate) fn has_labels(
        &self,
        dictionary: &Dictionary,
        id: TemplateId,
        labels: &LabelSet,
    ) -> bool {
        let mut halves = self.halves(id);
        if halves.iter().map(|half| half.len()).sum::<usize>() != labels.len() {
            return false;
        }
        // There are as many as there should be, and in order: each must be the next of one half.
        labels.iter().all(|(key, value)| {
            halves.iter_mut().any(|half| {
                let Some((first, rest)) = half.split_first() else {
                    return false;
                };
                let own = dictionary
                    .key_of(*first)
                    .and_then(|own| dictionary.key(own));
                let is_next = own.is_some_and(|own| own.key == *key)
                    && dictionary
                        .pair(*first)
                        .is_some_and(|term| term.value == *value);
                if is_next {
                    *half = rest;
                }
                is_next
            })
        })
    }

    /// One holder less; the last one frees the lists and what they hold.
    pub(crate) fn release(&mut self, dictionary: &mut Dictionary, id: TemplateId) {
        for id in [id.common, id.varying] {
            let Some(list) = self.lists.slots.get_mut(id) else {
                continue;
            };
            list.holders -= 1;
            if list.holders == 0
                && let Some(list) = self.lists.slots.remove(id)
            {
                let pairs = self.lists.pairs.get(list.pairs);
                self.by_pairs.remove(hash(&pairs), id);
                pairs.iter().for_each(|pair| dictionary.release(*pair));
                self.lists.pairs.remove(list.pairs);
            }
        }
    }

    /// The labels, spelt out. Linear in their number.
    pub(crate) fn labels(&self, dictionary: &Dictionary, id: TemplateId) -> LabelSet {
        let count = self.halves(id).iter().map(|half| half.len()).sum();
        let mut labels = Vec::with_capacity(count);
        labels.extend(
            self.terms(dictionary, id)
                .map(|(key, pair)| (key.key.clone(), pair.value.clone())),
        );
        labels.into_iter().collect()
    }

    /// Bytes of the lists and their table.
    pub(crate) fn bytes(&self) -> usize {
        self.lists.slots.bytes() + self.lists.pairs.bytes() + self.by_pairs.bytes()
    }

    /// How many labels there are.
    pub(super) fn len_of(&self, id: TemplateId) -> usize {
        self.halves(id).iter().map(|half| half.len()).sum()
    }

    fn halves(&self, id: TemplateId) -> [&[PairId]; 2] {
        [id.common, id.varying].map(|list| self.lists.get(list).unwrap_or_default())
    }

    fn terms<'d>(
        &self,
        dictionary: &'d Dictionary,
        id: TemplateId,
    ) -> impl Iterator<Item = (&'d KeyTerm, &'d PairTerm)> {
        self.pairs(id).filter_map(|pair| {
            Some((
                dictionary.key(dictionary.key_of(pair)?)?,
                dictionary.pair(pair)?,
            ))
        })
    }
}

/// Takes the pair of a key off one of two lists in byte order of keys, and what stands before it.
fn next_of<'d>(
    dictionary: &'d Dictionary,
    halves: &mut [&[PairId]; 2],
    wanted: &Key,
) -> Option<(PairId, &'d KeyTerm)> {
    let key = |pair: PairId| dictionary.key(dictionary.key_of(pair)?);
    // Nearly always it is the first of one.
    for half in halves.iter_mut() {
        if let Some((pair, rest)) = half.split_first()
            && let Some(key) = key(*pair).filter(|key| key.key == *wanted)
        {
            *half = rest;
            return Some((*pair, key));
        }
    }
    for half in halves {
        while let Some((pair, rest)) = half.split_first() {
            let key = key(*pair)?;
            match key.key.cmp(wanted) {
                Ordering::Less => *half = rest,
                Ordering::Equal => {
                    *half = rest;
                    return Some((*pair, key));
                }
                Ordering::Greater => break,
            }
        }
    }
    None
}
