use smallvec::SmallVec;

use crate::labels::{Key, LabelSet};

use super::dictionary::{Dictionary, KeyId, KeyTerm, PairId, PairTerm};
use super::paged::Slots;
use super::table::{IdTable, hash};

/// A label set, as two interned lists: of the keys that pods of a workload have in common, and of
/// those in which they differ. Two ids may stand for the same labels, split in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateId {
    common: u32,
    varying: u32,
}

/// What tells two uses of one [`TemplateId`] apart: never the same for two lists.
pub(crate) type Stamp = (u64, u64);

/// The pairs of a label set, of each key one.
pub(crate) type Pairs = SmallVec<[(KeyId, PairId); 16]>;

/// Some pairs, in byte order of their keys.
#[derive(Debug)]
struct List {
    pairs: Box<[(KeyId, PairId)]>,
    stamp: u64,
    holders: u32,
}

/// Every label set in use.
///
/// Pods of one workload carry nearly the same labels, and what they have in common is kept once. In
/// which keys they differ (`zone`, an ordinal) is learnt by comparing pods of one workload; a key that
/// is found to vary is kept apart from then on.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    lists: Slots<List>,
    by_pairs: IdTable,
    stamps: u64,
}

impl Templates {
    /// How many lists there are.
    pub(crate) fn len(&self) -> u64 {
        self.lists.len() as u64
    }

    /// The value this label set has for a key.
    pub(crate) fn pair_of(&self, id: TemplateId, key: KeyId) -> Option<PairId> {
        let [common, varying] = self.halves(id);
        let found = common.iter().chain(varying).find(|(k, _)| *k == key);
        found.map(|(_, pair)| *pair)
    }

    /// The pairs of a label set, in no order.
    pub(crate) fn pairs(&self, id: TemplateId) -> impl Iterator<Item = (KeyId, PairId)> + '_ {
        self.halves(id).into_iter().flatten().copied()
    }

    /// Calls `f` with each of [`Templates::pairs`].
    pub(super) fn for_each_pair(&self, id: TemplateId, mut f: impl FnMut((KeyId, PairId))) {
        for half in self.halves(id) {
            half.iter().for_each(|pair| f(*pair));
        }
    }

    pub(crate) fn stamp(&self, id: TemplateId) -> Option<Stamp> {
        let stamp = |list| Some(self.lists.get(list)?.stamp);
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
        let mut common = Pairs::new();
        let mut varying = Pairs::new();
        let mut halves = near.map(|near| self.halves(near)).unwrap_or_default();
        for (key, value) in labels {
            let known = halves
                .iter_mut()
                .find_map(|half| next_of(dictionary, half, key));
            let known = known.filter(|(_, pair)| {
                dictionary
                    .pair(*pair)
                    .is_some_and(|term| term.value == *value)
            });
            let pair = match known {
                Some(known) => {
                    dictionary.retain(known.1);
                    known
                }
                None => dictionary.intern(key, value),
            };
            let varies = dictionary.key(pair.0).is_some_and(KeyTerm::is_volatile);
            if varies { &mut varying } else { &mut common }.push(pair);
        }
        TemplateId {
            common: self.acquire_list(dictionary, &common),
            varying: self.acquire_list(dictionary, &varying),
        }
    }

    /// Makes the caller another holder.
    pub(crate) fn retain(&mut self, id: TemplateId) {
        for list in [id.common, id.varying] {
            if let Some(list) = self.lists.get_mut(list) {
                list.holders += 1;
            }
        }
    }

    /// Learns in which keys two pods of one workload differ.
    pub(crate) fn compare(&self, dictionary: &mut Dictionary, a: TemplateId, b: TemplateId) {
        for (key, pair) in self.pairs(a) {
            dictionary.compared(key, self.pair_of(b, key) == Some(pair));
        }
    }

    fn acquire_list(&mut self, dictionary: &mut Dictionary, pairs: &[(KeyId, PairId)]) -> u32 {
        let hashed = hash(&pairs);
        let is = |id| self.lists.get(id).is_some_and(|list| *list.pairs == *pairs);
        if let Some(id) = self.by_pairs.find(hashed, is) {
            // The list is a holder of its pairs already.
            pairs.iter().for_each(|(_, pair)| dictionary.release(*pair));
            if let Some(list) = self.lists.get_mut(id) {
                list.holders += 1;
            }
            return id;
        }
        self.stamps += 1;
        let id = self.lists.insert(List {
            pairs: pairs.into(),
            stamp: self.stamps,
            holders: 1,
        });
        let lists = &self.lists;
        self.by_pairs.insert(hashed, id, |id| {
            lists.get(id).map_or(0, |list| hash(&&*list.pairs))
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
                let is_next = dictionary.key(first.0).is_some_and(|term| term.key == *key)
                    && dictionary
                        .pair(first.1)
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
            let Some(list) = self.lists.get_mut(id) else {
                continue;
            };
            list.holders -= 1;
            if list.holders == 0
                && let Some(list) = self.lists.remove(id)
            {
                self.by_pairs.remove(hash(&&*list.pairs), id);
                list.pairs
                    .iter()
                    .for_each(|(_, pair)| dictionary.release(*pair));
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
        let pairs = |(_, list): (u32, &List)| size_of_val(&*list.pairs);
        self.lists.bytes() + self.by_pairs.bytes() + self.lists.iter().map(pairs).sum::<usize>()
    }

    /// How many labels there are.
    pub(super) fn len_of(&self, id: TemplateId) -> usize {
        self.halves(id).iter().map(|half| half.len()).sum()
    }

    fn halves(&self, id: TemplateId) -> [&[(KeyId, PairId)]; 2] {
        let pairs = |list| self.lists.get(list).map(|list| &*list.pairs);
        [id.common, id.varying].map(|list| pairs(list).unwrap_or_default())
    }

    fn terms<'d>(
        &self,
        dictionary: &'d Dictionary,
        id: TemplateId,
    ) -> impl Iterator<Item = (&'d KeyTerm, &'d PairTerm)> {
        self.pairs(id)
            .filter_map(|(key, pair)| Some((dictionary.key(key)?, dictionary.pair(pair)?)))
    }
}

/// Takes the pair of a key off a list in byte order of keys, and what stands before it.
fn next_of(
    dictionary: &Dictionary,
    half: &mut &[(KeyId, PairId)],
    wanted: &Key,
) -> Option<(KeyId, PairId)> {
    while let Some(((key, pair), rest)) = half.split_first() {
        match dictionary.key(*key)?.key.cmp(wanted) {
            std::cmp::Ordering::Less => *half = rest,
            std::cmp::Ordering::Equal => {
                *half = rest;
                return Some((*key, *pair));
            }
            std::cmp::Ordering::Greater => return None,
        }
    }
    None
}
