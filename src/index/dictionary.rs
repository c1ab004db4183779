use std::ops::Range;

use crate::labels::{Key, Value};

use super::Posting;
use super::paged::{Paged, Slots};
use super::table::{IdTable, hash};

/// A label key, interned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u32);

/// A label pair, interned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairId(u32);

/// So often must a key have differed between pods of one workload to be taken for one that does.
const DIFFERS_OFTEN: u32 = 16;
/// And at least once in so many times.
const DIFFERS_EVERY: u32 = 8;

/// The terms of the inverted index: every key and every pair that some pod carries, each with its
/// posting.
///
/// A pair lives as long as somebody holds it: the label lists that contain it. Its id is reused
/// afterwards, so whoever keeps an id must [`Dictionary::retain`] it.
#[derive(Debug, Default)]
pub struct Dictionary {
    keys: Slots<KeyTerm>,
    pairs: Slots<PairTerm>,
    /// The key of each pair, by the pair's id, apart from the pair: it is asked for of pods one by one,
    /// and the keys of all pairs fit a cache that the pairs do not.
    key_of: Paged<KeyId>,
    by_key: IdTable,
    by_pair: IdTable,
}

/// A key and its posting.
#[derive(Debug)]
pub(crate) struct KeyTerm {
    pub(crate) key: Key,
    pub(crate) posting: Posting,
    /// The key's pairs, in no order.
    pub(crate) pairs: Paged<PairId>,
    /// How often it had the same value, and another, in two pods of one workload whose labels differ.
    same: u32,
    differs: u32,
}

/// A pair and its posting.
#[derive(Debug)]
pub(crate) struct PairTerm {
    pub(crate) value: Value,
    pub(crate) posting: Posting,
    /// Where it stands among its key's pairs.
    at: u32,
    holders: u32,
}

impl KeyTerm {
    /// Whether pods of one workload often differ in it.
    pub(crate) fn is_volatile(&self) -> bool {
        self.differs >= DIFFERS_OFTEN && self.differs.saturating_mul(DIFFERS_EVERY - 1) >= self.same
    }
}

impl Dictionary {
    /// The id of a key that some pod, or some holder, knows.
    pub(crate) fn find_key(&self, key: &Key) -> Option<KeyId> {
        let is = |id| self.keys.get(id).is_some_and(|term| term.key == *key);
        self.by_key.find(hash(key), is).map(KeyId)
    }

    /// The id of a pair that some pod, or some holder, knows.
    pub(crate) fn find_pair(&self, key: &Key, value: &Value) -> Option<PairId> {
        self.pair_of(self.find_key(key)?, value)
    }

    /// The id of the pair of a key and a value.
    pub(crate) fn pair_of(&self, key: KeyId, value: &Value) -> Option<PairId> {
        let is = |id| {
            self.key_of(PairId(id)) == Some(key)
                && self.pairs.get(id).is_some_and(|term| term.value == *value)
        };
        self.by_pair.find(hash(&(key, value)), is).map(PairId)
    }

    pub(crate) fn key(&self, id: KeyId) -> Option<&KeyTerm> {
        self.keys.get(id.0)
    }

    pub(crate) fn pair(&self, id: PairId) -> Option<&PairTerm> {
        self.pairs.get(id.0)
    }

    /// The key of a pair that some pod, or some holder, knows.
    pub(crate) fn key_of(&self, id: PairId) -> Option<KeyId> {
        self.key_of.get(id.0).copied()
    }

    /// The values of a key that some pod, or some holder, knows, in no order.
    pub(crate) fn values(&self, key: KeyId) -> impl Iterator<Item = (&Value, PairId)> {
        let term = self.key(key).into_iter();
        term.flat_map(|term| term.pairs.iter())
            .filter_map(|id| Some((&self.pair(*id)?.value, *id)))
    }

    pub(crate) fn key_count(&self) -> u64 {
        self.keys.len() as u64
    }

    pub(crate) fn pair_count(&self) -> u64 {
        self.pairs.len() as u64
    }

    /// All keys.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (KeyId, &KeyTerm)> {
        self.keys.iter().map(|(id, term)| (KeyId(id), term))
    }

    /// Bytes of keys, pairs and their tables, without the postings; bytes of the postings.
    pub(crate) fn bytes(&self) -> (usize, usize) {
        let lists = |(_, term): (u32, &KeyTerm)| term.pairs.bytes();
        let terms = self.keys.bytes()
            + self.pairs.bytes()
            + self.key_of.bytes()
            + self.by_key.bytes()
            + self.by_pair.bytes()
            + self.keys.iter().map(lists).sum::<usize>();
        let of_keys = self.keys.iter().map(|(_, term)| term.posting.bytes());
        let of_pairs = self.pairs.iter().map(|(_, term)| term.posting.bytes());
        (terms, of_keys.chain(of_pairs).sum())
    }

    /// The id of a pair, interned if it is new. Nobody holds it more than before: whoever keeps it does.
    pub(crate) fn intern(&mut self, key: &Key, value: &Value) -> PairId {
        let key_id = match self.find_key(key) {
            Some(id) => id,
            None => self.add_key(key),
        };
        if let Some(id) = self.pair_of(key_id, value) {
            return id;
        }
        let at = self.key(key_id).map_or(0, |term| term.pairs.len() as u32);
        let id = self.pairs.insert(PairTerm {
            value: value.clone(),
            posting: Posting::default(),
            at,
            holders: 0,
        });
        match self.key_of.get_mut(id) {
            Some(key) => *key = key_id,
            None => self.key_of.push(key_id),
        }
        let (pairs, key_of) = (&self.pairs, &self.key_of);
        self.by_pair.insert(hash(&(key_id, value)), id, |id| {
            let term = pairs.get(id).zip(key_of.get(id));
            term.map_or(0, |(term, key)| hash(&(*key, &term.value)))
        });
        if let Some(term) = self.keys.get_mut(key_id.0) {
            term.pairs.push(PairId(id));
        }
        PairId(id)
    }

    fn add_key(&mut self, key: &Key) -> KeyId {
        let id = self.keys.insert(KeyTerm {
            key: key.clone(),
            posting: Posting::default(),
            pairs: Paged::default(),
            same: 0,
            differs: 0,
        });
        let keys = &self.keys;
        self.by_key.insert(hash(key), id, |id| {
            keys.get(id).map_or(0, |term| hash(&term.key))
        });
        KeyId(id)
    }

    /// Remembers whether a key had the same value in two pods of one workload.
    pub(crate) fn compared(&mut self, key: KeyId, same: bool) {
        let Some(term) = self.keys.get_mut(key.0) else {
            return;
        };
        let count = if same {
            &mut term.same
        } else {
            &mut term.differs
        };
        *count = count.saturating_add(1);
    }

    /// Makes the caller another holder of a pair.
    pub(crate) fn retain(&mut self, id: PairId) {
        if let Some(term) = self.pairs.get_mut(id.0) {
            term.holders += 1;
        }
    }

    /// The caller holds the pair no longer; the last holder takes it out.
    pub(crate) fn release(&mut self, id: PairId) {
        let Some(term) = self.pairs.get_mut(id.0) else {
            return;
        };
        term.holders -= 1;
        if term.holders > 0 {
            return;
        }
        let Some((term, key_id)) = self.pairs.remove(id.0).zip(self.key_of(id)) else {
            return;
        };
        self.by_pair.remove(hash(&(key_id, &term.value)), id.0);
        let Some(key) = self.keys.get_mut(key_id.0) else {
            return;
        };
        key.pairs.swap_remove(term.at);
        let moved = key.pairs.get(term.at).copied();
        let is_gone = key.pairs.len() == 0;
        if let Some(moved) = moved.and_then(|moved| self.pairs.get_mut(moved.0)) {
            moved.at = term.at;
        }
        if is_gone && let Some(key) = self.keys.remove(key_id.0) {
            self.by_key.remove(hash(&key.key), key_id.0);
        }
    }

    /// Puts pods into a pair's posting, or takes them out. Keys are posted by [`Dictionary::post_key`].
    pub(crate) fn post_pair(&mut self, pair: PairId, pods: Range<u32>, present: bool) {
        if let Some(term) = self.pairs.get_mut(pair.0) {
            post(&mut term.posting, pods, present);
        }
    }

    /// Puts pods into a key's posting, or takes them out.
    pub(crate) fn post_key(&mut self, key: KeyId, pods: Range<u32>, present: bool) {
        if let Some(term) = self.keys.get_mut(key.0) {
            post(&mut term.posting, pods, present);
        }
    }
}

fn post(posting: &mut Posting, pods: Range<u32>, present: bool) {
    if present {
        posting.insert_range(pods);
    } else {
        pods.for_each(|pod| {
            posting.remove(pod);
        });
    }
}
