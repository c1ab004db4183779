use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::model::Sequence;

/// More than this many are found by hash.
const FEW: usize = 96;
/// Not more than this many are looked through again: well below [`FEW`], so that a number that swings
/// around the limit is not rebuilt at each swing.
const FEW_AGAIN: usize = FEW / 2;

/// Removed endpoints that are remembered for those who still hold them, each as the key of its
/// identity (see [`IdentityRef`](super::identity_key::IdentityRef)), oldest first.
#[derive(Debug)]
pub(crate) enum Removals {
    Few(Vec<Removed>),
    Many(Box<Many>),
}

#[derive(Debug)]
pub(crate) struct Removed {
    position: Sequence,
    hash: u64,
    key: Box<[u8]>,
}

/// A service of many endpoints remembers many removals.
#[derive(Debug, Default)]
pub(crate) struct Many {
    by_position: BTreeMap<Sequence, Box<[u8]>>,
    by_hash: BTreeSet<(u64, Sequence)>,
}

impl Default for Removals {
    fn default() -> Self {
        Removals::Few(Vec::new())
    }
}

fn hash_of(key: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(key);
    hasher.finish()
}

impl Removals {
    pub(crate) fn len(&self) -> usize {
        match self {
            Removals::Few(few) => few.len(),
            Removals::Many(many) => many.by_position.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Remembers the newest one.
    pub(crate) fn insert(&mut self, position: Sequence, key: &[u8]) {
        let removed = Removed {
            position,
            hash: hash_of(key),
            key: key.into(),
        };
        match self {
            Removals::Few(few) => {
                if few.len() == few.capacity() {
                    // By a half: most services stop soon, and doubling would waste more.
                    few.reserve_exact(few.len() / 2 + 1);
                }
                few.push(removed);
                if few.len() > FEW {
                    let mut many = Box::<Many>::default();
                    few.drain(..).for_each(|removed| many.insert(removed));
                    *self = Removals::Many(many);
                }
            }
            Removals::Many(many) => many.insert(removed),
        }
    }

    /// The endpoint is there again; answers where its removal stood.
    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<Sequence> {
        if self.is_empty() {
            return None;
        }
        let hash = hash_of(key);
        match self {
            Removals::Few(few) => {
                let is_it = |removed: &Removed| removed.hash == hash && *removed.key == *key;
                let at = few.iter().position(is_it)?;
                Some(few.remove(at).position)
            }
            Removals::Many(many) => {
                let position = many.find(hash, key)?;
                many.remove(position);
                self.tidy();
                Some(position)
            }
        }
    }

    /// Forgets the oldest; answers where it stood.
    pub(crate) fn forget_oldest(&mut self) -> Option<Sequence> {
        match self {
            Removals::Few(few) if few.is_empty() => None,
            Removals::Few(few) => Some(few.remove(0).position),
            Removals::Many(many) => {
                let position = *many.by_position.first_key_value()?.0;
                many.remove(position);
                self.tidy();
                Some(position)
            }
        }
    }

    /// The key of the one that stands there.
    pub(crate) fn at(&self, position: Sequence) -> Option<&[u8]> {
        match self {
            Removals::Few(few) => {
                let at = few.binary_search_by_key(&position, |removed| removed.position);
                Some(&few.get(at.ok()?)?.key)
            }
            Removals::Many(many) => many.by_position.get(&position).map(|key| &**key),
        }
    }

    /// Where they stand, and their keys, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Sequence, &[u8])> {
        let (few, many) = match self {
            Removals::Few(few) => (Some(few), None),
            Removals::Many(many) => (None, Some(&many.by_position)),
        };
        let few = few.into_iter().flatten();
        let many = many.into_iter().flatten();
        few.map(|removed| (removed.position, &*removed.key))
            .chain(many.map(|(position, key)| (*position, &**key)))
    }

    /// Bytes beside its place in the set.
    pub(crate) fn bytes(&self) -> u64 {
        let keys: usize = self.iter().map(|(_, key)| key.len()).sum();
        let table = match self {
            Removals::Few(few) => few.capacity() * size_of::<Removed>(),
            Removals::Many(many) => {
                many.by_position.len() * size_of::<(Sequence, Box<[u8]>)>()
                    + many.by_hash.len() * size_of::<(u64, Sequence)>()
            }
        };
        (keys + table) as u64
    }

    fn tidy(&mut self) {
        if let Removals::Many(many) = self
            && many.by_position.len() <= FEW_AGAIN
        {
            let all = std::mem::take(&mut many.by_position).into_iter();
            let few = all.map(|(position, key)| Removed {
                position,
                hash: hash_of(&key),
                key,
            });
            *self = Removals::Few(few.collect());
        }
    }
}

impl Many {
    fn insert(&mut self, removed: Removed) {
        let Removed {
            position,
            hash,
            key,
        } = removed;
        self.by_hash.insert((hash, position));
        self.by_position.insert(position, key);
    }

    fn find(&self, hash: u64, key: &[u8]) -> Option<Sequence> {
        self.by_hash
            .range((hash, Sequence::START)..=(hash, Sequence(u64::MAX)))
            .map(|(_, position)| *position)
            .find(|position| {
                let known = self.by_position.get(position);
                known.is_some_and(|known| **known == *key)
            })
    }

    fn remove(&mut self, position: Sequence) {
        if let Some(key) = self.by_position.remove(&position) {
            self.by_hash.remove(&(hash_of(&key), position));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_a_queue_in_which_a_key_is_found(
            steps in prop::collection::vec((0u8..20, 0u8..200), 0..600)
        ) {
            let mut removals = Removals::default();
            let mut model: Vec<(Sequence, Vec<u8>)> = Vec::new();
            // First they grow, then they shrink.
            let half = steps.len() / 2;
            for (at, (what, key)) in steps.into_iter().enumerate() {
                let position = Sequence(at as u64 + 1);
                let known = model.iter().position(|(_, known)| *known == [key]);
                if let Some(known) = known {
                    let (position, _) = model.remove(known);
                    prop_assert_eq!(removals.remove(&[key]), Some(position));
                } else if (what < 18) == (at < half) {
                    model.push((position, vec![key]));
                    removals.insert(position, &[key]);
                } else {
                    prop_assert_eq!(removals.remove(&[key]), None);
                    let oldest = (!model.is_empty()).then(|| model.remove(0).0);
                    prop_assert_eq!(removals.forget_oldest(), oldest);
                }
                let told = removals.iter().map(|(position, key)| (position, key.to_vec()));
                prop_assert!(told.eq(model.iter().cloned()));
                prop_assert_eq!(removals.len(), model.len());
                for (position, key) in &model {
                    prop_assert_eq!(removals.at(*position), Some(&**key));
                }
            }
        }
    }
}
