use std::hash::{BuildHasher, Hash};

use rustc_hash::FxBuildHasher;

/// Sets in a page. Pages come into being when they are first needed.
const PAGE: usize = 64;

/// Values by key, of which the table keeps so many and no more: each key has a set of two places, in
/// which the two keys last used stay.
///
/// What it takes is bounded, it never starts anew, and what it forgets depends on nothing but what it
/// was asked.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    pages: Vec<Vec<Set<K, V>>>,
    len: usize,
}

/// The one used last stands first.
type Set<K, V> = [Option<(K, V)>; 2];

impl<K: Eq + Hash, V> Recent<K, V> {
    /// A table of at least `limit` places.
    pub(crate) fn new(limit: usize) -> Recent<K, V> {
        let pages = limit.div_ceil(2 * PAGE).max(1);
        Recent {
            pages: std::iter::repeat_with(Vec::new).take(pages).collect(),
            len: 0,
        }
    }

    /// How many values it has.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&mut self, key: &K) -> Option<&V> {
        let (page, at) = self.place(key);
        let set = self.pages.get_mut(page)?.get_mut(at)?;
        if set[0].as_ref().is_none_or(|(of, _)| of != key) {
            if set[1].as_ref().is_none_or(|(of, _)| of != key) {
                return None;
            }
            set.swap(0, 1);
        }
        set[0].as_ref().map(|(_, value)| value)
    }

    /// As [`Recent::get`], without making the key the one used last.
    pub(crate) fn peek(&self, key: &K) -> Option<&V> {
        let (page, at) = self.place(key);
        let set = self.pages.get(page)?.get(at)?;
        let found = set.iter().flatten().find(|(of, _)| of == key)?;
        Some(&found.1)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        let (page, at) = self.place(&key);
        let Some(page) = self.pages.get_mut(page) else {
            return;
        };
        if page.is_empty() {
            page.resize_with(PAGE, || [None, None]);
        }
        let Some(set) = page.get_mut(at) else { return };
        let [first, second] = set;
        let known = first.as_ref().is_some_and(|(of, _)| *of == key);
        if !known {
            std::mem::swap(first, second);
        }
        if first.replace((key, value)).is_none() {
            self.len += 1;
        }
    }

    /// Bytes of the places, without what their values hold elsewhere.
    pub(crate) fn bytes(&self) -> u64 {
        let sets: usize = self.pages.iter().map(Vec::capacity).sum();
        let pages = self.pages.capacity() * size_of::<Vec<Set<K, V>>>();
        (sets * size_of::<Set<K, V>>() + pages) as u64
    }

    fn place(&self, key: &K) -> (usize, usize) {
        let hash = FxBuildHasher.hash_one(key) as usize;
        let set = hash % (self.pages.len() * PAGE);
        (set / PAGE, set % PAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_was_used_last_within_its_limit() {
        let mut recent = Recent::new(1_000);
        for key in 0..100_000u64 {
            recent.insert(key, key + 1);
            assert_eq!(recent.get(&key), Some(&(key + 1)));
            assert_eq!(recent.peek(&key), Some(&(key + 1)));
        }
        assert!((900..=1_024).contains(&recent.len()), "{}", recent.len());
        let kept = (0..100_000).filter(|key| recent.peek(key).is_some());
        assert_eq!(kept.count(), recent.len());
        recent.insert(7, 70);
        assert_eq!(recent.get(&7), Some(&70));
    }

    #[test]
    fn the_key_used_last_outlives_the_other_of_its_set() {
        let mut recent = Recent::new(1);
        let of_one_set = |key: &u64| recent.place(key) == recent.place(&0);
        let keys: Vec<u64> = (0..10_000).filter(of_one_set).take(3).collect();
        let [a, b, c] = keys[..] else {
            panic!("too few keys")
        };
        recent.insert(a, ());
        recent.insert(b, ());
        recent.get(&a);
        recent.insert(c, ());
        assert!(recent.peek(&a).is_some() && recent.peek(&b).is_none());
    }
}
