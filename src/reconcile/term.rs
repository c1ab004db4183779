use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::index::Index;
use crate::labels::{Key, Value};
use crate::selector::Requirement;

/// What a selector is filed under, a pair or a key that whatever it matches must carry, as a hash. Two
/// that collide share a list, whose selectors are tested in any case.
pub(crate) type TermHash = u32;

/// A pair, or a key whatever its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term<'r> {
    key: &'r Key,
    value: Option<&'r Value>,
}

impl Term<'_> {
    pub(crate) fn hash(self) -> TermHash {
        match self.value {
            Some(value) => hash_pair(self.key, value),
            None => hash_key(self.key),
        }
    }

    /// How many pods carry it.
    pub(crate) fn cardinality(self, index: &Index) -> u64 {
        match self.value {
            Some(value) => index.pair_cardinality(self.key, value),
            None => index.key_cardinality(self.key),
        }
    }
}

/// The terms one of which a pod must carry to meet a requirement; none for a negative one.
pub(crate) fn terms_of(requirement: &Requirement) -> Vec<Term<'_>> {
    let pair = |key, value| Term {
        key,
        value: Some(value),
    };
    match requirement {
        Requirement::Equals(key, value) | Requirement::DoubleEquals(key, value) => {
            vec![pair(key, value)]
        }
        Requirement::In(key, values) => values.iter().map(|value| pair(key, value)).collect(),
        Requirement::Exists(key)
        | Requirement::GreaterThan(key, _)
        | Requirement::LessThan(key, _) => vec![Term { key, value: None }],
        Requirement::DoesNotExist(_) | Requirement::NotEquals(..) | Requirement::NotIn(..) => {
            Vec::new()
        }
    }
}

pub(crate) fn hash_key(key: &Key) -> TermHash {
    let mut hasher = FxHasher::default();
    hasher.write(key.as_str().as_bytes());
    fold(hasher)
}

pub(crate) fn hash_pair(key: &Key, value: &Value) -> TermHash {
    let mut hasher = FxHasher::default();
    hasher.write(key.as_str().as_bytes());
    // Ends the key, as text never has this byte.
    hasher.write_u8(0xff);
    hasher.write(value.as_str().as_bytes());
    fold(hasher)
}

fn fold(hasher: FxHasher) -> u32 {
    let hash = hasher.finish();
    (hash >> 32) as u32 ^ hash as u32
}
