use std::collections::BTreeMap;

use slab::Slab;

use crate::labels::{Key, Value};

use super::Posting;

/// A label key, interned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u32);

/// A label pair, interned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairId(u32);

/// The terms of the inverted index: every key and every pair that some pod carries, each with its
/// posting.
///
/// A pair lives as long as somebody holds it: the label sets that contain it. Its id is reused
/// afterwards, so whoever keeps an id must [`Dictionary::retain`] it.
#[derive(Debug, Default)]
pub struct Dictionary {
    keys: Slab<KeyTerm>,
    pairs: Slab<PairTerm>,
    by_key: BTreeMap<Key, KeyId>,
    stamps: u64,
}

/// A key and its posting.
#[derive(Debug)]
pub(crate) struct KeyTerm {
    pub(crate) key: Key,
    pub(crate) posting: Posting,
    /// The key's pairs, by value.
    pub(crate) pairs: BTreeMap<Value, PairId>,
}

/// A pair and its posting.
#[derive(Debug)]
pub(crate) struct PairTerm {
    pub(crate) key: KeyId,
    pub(crate) value: Value,
    pub(crate) posting: Posting,
    /// Never the same for two pairs, nor for one that went and came back: whoever remembers a stamp
    /// instead of an id need not hold the pair.
    pub(crate) stamp: u64,
    holders: u32,
}

impl Dictionary {
    /// The id of a key that some pod, or some holder, knows.
    pub(crate) fn find_key(&self, key: &Key) -> Option<KeyId> {
        self.by_key.get(key).copied()
    }

    /// The id of a pair that some pod, or some holder, knows.
    pub(crate) fn find_pair(&self, key: &Key, value: &Value) -> Option<PairId> {
        self.key(self.find_key(key)?)?.pairs.get(value).copied()
    }

    pub(crate) fn key(&self, id: KeyId) -> Option<&KeyTerm> {
        self.keys.get(id.0 as usize)
    }

    pub(crate) fn pair(&self, id: PairId) -> Option<&PairTerm> {
        self.pairs.get(id.0 as usize)
    }

    pub(crate) fn key_count(&self) -> u64 {
        self.keys.len() as u64
    }

    pub(crate) fn pair_count(&self) -> u64 {
        self.pairs.len() as u64
    }

    /// All terms, keys by name and each with its pairs by value.
    pub(crate) fn terms(&self) -> impl Iterator<Item = &KeyTerm> {
        self.by_key.values().filter_map(|id| self.key(*id))
    }

    /// The id of a pair, interned if it is new; the caller becomes a holder.
    pub(crate) fn intern(&mut self, key: &Key, value: &Value) -> (KeyId, PairId) {
        let key_id = match self.by_key.get(key) {
            Some(id) => *id,
            None => {
                let term = KeyTerm {
                    key: key.clone(),
                    posting: Posting::default(),
                    pairs: BTreeMap::new(),
                };
                let id = KeyId(self.keys.insert(term) as u32);
                self.by_key.insert(key.clone(), id);
                id
            }
        };
        let known = self
            .keys
            .get(key_id.0 as usize)
            .and_then(|term| term.pairs.get(value).copied());
        if let Some(id) = known {
            self.retain(id);
            return (key_id, id);
        }
        self.stamps += 1;
        let term = PairTerm {
            key: key_id,
            value: value.clone(),
            posting: Posting::default(),
            stamp: self.stamps,
            holders: 1,
        };
        let id = PairId(self.pairs.insert(term) as u32);
        if let Some(term) = self.keys.get_mut(key_id.0 as usize) {
            term.pairs.insert(value.clone(), id);
        }
        (key_id, id)
    }

    /// Makes the caller another holder of a pair.
    pub(crate) fn retain(&mut self, id: PairId) {
        if let Some(term) = self.pairs.get_mut(id.0 as usize) {
            term.holders += 1;
        }
    }

    /// The caller holds the pair no longer; the last holder takes it out.
    pub(crate) fn release(&mut self, id: PairId) {
        let Some(term) = self.pairs.get_mut(id.0 as usize) else {
            return;
        };
        term.holders -= 1;
        if term.holders > 0 {
            return;
        }
        let term = self.pairs.remove(id.0 as usize);
        if let Some(key) = self.keys.get_mut(term.key.0 as usize) {
            key.pairs.remove(&term.value);
            if key.pairs.is_empty() {
                let key = self.keys.remove(term.key.0 as usize);
                self.by_key.remove(&key.key);
            }
        }
    }

    /// Puts a pod into a pair's posting, or takes it out. Keys are posted by [`Dictionary::post_key`].
    pub(crate) fn post_pair(&mut self, pair: PairId, pod: u32, present: bool) {
        if let Some(term) = self.pairs.get_mut(pair.0 as usize) {
            post(&mut term.posting, pod, present);
        }
    }

    /// Puts a pod into a key's posting, or takes it out.
    pub(crate) fn post_key(&mut self, key: KeyId, pod: u32, present: bool) {
        if let Some(term) = self.keys.get_mut(key.0 as usize) {
            post(&mut term.posting, pod, present);
        }
    }
}

fn post(posting: &mut Posting, pod: u32, present: bool) {
    if present {
        posting.insert(pod);
    } else {
        posting.remove(pod);
    }
}
