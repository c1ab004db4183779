//! Label sets.

use std::fmt;
use std::iter::FusedIterator;
use std::{slice, vec};

use super::field_error::FieldError;
use super::key::{Key, KeyError};
use super::syntax::{FewOf, Shown};
use super::value::{Value, ValueError};

/// The labels of one object: keys in byte order, each with one value.
///
/// A sorted slice: two words, and one allocation unless empty. Look-up is a binary search, which
/// for the dozen labels of a pod beats hashing. Building from an iterator costs O(n log n);
/// [`insert`](LabelSet::insert) and [`remove`](LabelSet::remove) move and reallocate, O(n) each,
/// and are meant for changing a label or two.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelSet(Box<[(Key, Value)]>);

impl LabelSet {
    /// The empty set. Allocates nothing.
    pub fn new() -> LabelSet {
        LabelSet::default()
    }

    /// Builds a set from text, the last of several values of one key winning.
    ///
    /// # Errors
    ///
    /// [`LabelsError`] with every bad key and every bad value.
    pub fn try_from_pairs<K, V>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<LabelSet, LabelsError>
    where
        K: AsRef<str>,
        V: AsRef<str>,
    {
        let mut faults = Vec::new();
        let mut labels = Vec::new();
        for (key, value) in pairs {
            match (Key::new(&key), Value::new(&value)) {
                (Ok(key), Ok(value)) => labels.push((key, value)),
                (bad_key, bad_value) => {
                    faults.extend(bad_key.err().map(LabelFault::Key));
                    faults.extend(bad_value.err().map(|error| LabelFault::Value {
                        key: key.as_ref().to_owned(),
                        error,
                    }));
                }
            }
        }
        if faults.is_empty() {
            Ok(labels.into_iter().collect())
        } else {
            Err(LabelsError { faults })
        }
    }

    /// Sets `key` to `value`, and returns the value it had.
    pub fn insert(&mut self, key: Key, value: Value) -> Option<Value> {
        match self.position(key.as_str()) {
            Ok(index) => self
                .0
                .get_mut(index)
                .map(|(_, old)| std::mem::replace(old, value)),
            Err(index) => {
                let mut labels = std::mem::take(&mut self.0).into_vec();
                labels.insert(index, (key, value));
                self.0 = labels.into_boxed_slice();
                None
            }
        }
    }

    /// Removes `key`, and returns the value it had.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let index = self.position(key).ok()?;
        let mut labels = std::mem::take(&mut self.0).into_vec();
        let (_, value) = labels.remove(index);
        self.0 = labels.into_boxed_slice();
        Some(value)
    }

    /// The value of `key`. O(log n).
    pub fn get(&self, key: &str) -> Option<&Value> {
        let index = self.position(key).ok()?;
        self.0.get(index).map(|(_, value)| value)
    }

    /// Whether `key` is there, be its value empty or not. O(log n).
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_ok()
    }

    /// The labels in byte order of their keys.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.0.iter())
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(other, _)| other.as_str().cmp(key))
    }
}

impl fmt::Display for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (key, value)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(f, "{separator}{key}={value}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

/// The last of several values of one key wins.
impl FromIterator<(Key, Value)> for LabelSet {
    fn from_iter<I: IntoIterator<Item = (Key, Value)>>(pairs: I) -> LabelSet {
        let mut labels: Vec<(Key, Value)> = pairs.into_iter().collect();
        if !labels.is_sorted_by(|(a, _), (b, _)| a < b) {
            labels.sort_by(|(a, _), (b, _)| a.cmp(b));
            labels.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    // The sort is stable, so `later` was given later; `dedup_by` keeps `earlier`.
                    std::mem::swap(later, earlier);
                }
                same
            });
        }
        LabelSet(labels.into_boxed_slice())
    }
}

impl<'a> IntoIterator for &'a LabelSet {
    type Item = (&'a Key, &'a Value);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl IntoIterator for LabelSet {
    type Item = (Key, Value);
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter(self.0.into_vec().into_iter())
    }
}

/// The labels of a set in byte order of their keys; made by [`LabelSet::iter`].
#[derive(Debug, Clone)]
pub struct Iter<'a>(slice::Iter<'a, (Key, Value)>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a Key, &'a Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(key, value)| (key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(|(key, value)| (key, value))
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}

/// The labels of a consumed set in byte order of their keys.
#[derive(Debug)]
pub struct IntoIter(vec::IntoIter<(Key, Value)>);

impl Iterator for IntoIter {
    type Item = (Key, Value);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for IntoIter {}
impl FusedIterator for IntoIter {}

/// Pairs of text that do not make a label set. Prints the first few faults, joined by `; `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelsError {
    faults: Vec<LabelFault>,
}

impl LabelsError {
    /// Every bad key and every bad value, in the order given; at least one.
    pub fn faults(&self) -> &[LabelFault] {
        &self.faults
    }

    /// One error per broken rule, all at `path`, the map itself: this is where Kubernetes
    /// reports them, not at the key within the map.
    pub fn field_errors(&self, path: &str) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for fault in &self.faults {
            match fault {
                LabelFault::Key(error) => errors.extend(error.field_errors(path)),
                LabelFault::Value { error, .. } => errors.extend(error.field_errors(path)),
            }
        }
        errors
    }
}

impl fmt::Display for LabelsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", FewOf(&self.faults))
    }
}

impl std::error::Error for LabelsError {}

/// One half of a pair that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LabelFault {
    /// The key is not a label key.
    #[error("key \"{}\": {}", Shown(.0.text()), .0)]
    Key(KeyError),
    /// The value is not a label value.
    #[error("value \"{}\" of key \"{}\": {error}", Shown(.error.text()), Shown(.key))]
    Value {
        /// The key as given, itself good or bad.
        key: String,
        /// Why the value was refused.
        error: ValueError,
    },
}
