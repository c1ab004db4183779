//! One requirement of a selector.

use crate::labels::{Key, Value};

use super::operand::{Threshold, ValueSet};

/// One condition on the labels of an object. Each operator holds exactly what it needs.
///
/// `Equals` and `DoubleEquals` mean the same, as do they and a one-value `In`; they are told
/// apart because each prints as it was written. The order among requirements has no meaning
/// beyond being total.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Requirement {
    /// `key`: the key is there, be its value empty or not.
    Exists(Key),
    /// `!key`: the key is absent.
    DoesNotExist(Key),
    /// `key=value`: the key is there with this value.
    Equals(Key, Value),
    /// `key==value`: the same.
    DoubleEquals(Key, Value),
    /// `key!=value`: the key is absent, or has another value.
    NotEquals(Key, Value),
    /// `key in (values)`: the key is there with one of these values.
    In(Key, ValueSet),
    /// `key notin (values)`: the key is absent, or has none of these values.
    NotIn(Key, ValueSet),
    /// `key>number`: the key is there, and its value is a larger integer.
    GreaterThan(Key, Threshold),
    /// `key<number`: the key is there, and its value is a smaller integer.
    LessThan(Key, Threshold),
}

impl Requirement {
    /// The key it looks at.
    pub fn key(&self) -> &Key {
        match self {
            Requirement::Exists(key)
            | Requirement::DoesNotExist(key)
            | Requirement::Equals(key, _)
            | Requirement::DoubleEquals(key, _)
            | Requirement::NotEquals(key, _)
            | Requirement::In(key, _)
            | Requirement::NotIn(key, _)
            | Requirement::GreaterThan(key, _)
            | Requirement::LessThan(key, _) => key,
        }
    }

    /// Whether an object without the key meets it, as with `!key`, `!=` and `notin`.
    pub fn is_negative(&self) -> bool {
        matches!(
            self,
            Requirement::DoesNotExist(_) | Requirement::NotEquals(..) | Requirement::NotIn(..)
        )
    }
}
