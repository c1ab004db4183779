//! What operators compare a label value with.

use std::slice;

use crate::labels::Value;

/// The values of an `in` or `notin`: at least one, each once, in byte order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueSet(Box<[Value]>);

impl ValueSet {
    /// Sorts `values` and drops repetitions; `None` if there are none, since a set that nothing
    /// can be in is no requirement Kubernetes knows. O(n log n).
    pub fn new(values: impl IntoIterator<Item = Value>) -> Option<ValueSet> {
        let mut values: Vec<Value> = values.into_iter().collect();
        values.sort_unstable();
        values.dedup();
        if values.is_empty() {
            None
        } else {
            Some(ValueSet(values.into_boxed_slice()))
        }
    }

    /// The values in byte order.
    pub fn iter(&self) -> slice::Iter<'_, Value> {
        self.0.iter()
    }

    /// Whether `value` is one of them. O(log n).
    pub fn contains(&self, value: &Value) -> bool {
        self.0.binary_search(value).is_ok()
    }

    /// How many values there are: never 0.
    #[allow(clippy::len_without_is_empty)] // it would always be false
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'a> IntoIterator for &'a ValueSet {
    type Item = &'a Value;
    type IntoIter = slice::Iter<'a, Value>;

    fn into_iter(self) -> slice::Iter<'a, Value> {
        self.iter()
    }
}

/// The set of just this value.
impl From<Value> for ValueSet {
    fn from(value: Value) -> ValueSet {
        ValueSet(Box::new([value]))
    }
}

/// The integer of a `>` or `<`, with its text as typed: `007` compares as 7 and prints as `007`.
///
/// Two thresholds are equal if their texts are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Threshold {
    text: Value,
    number: i64,
}

impl Threshold {
    /// Reads a signed 64-bit decimal number. Leading zeros are allowed; a sign never gets here,
    /// as no label value starts with one.
    ///
    /// # Errors
    ///
    /// [`NotAnInteger`] if `text` is anything else, or too large.
    pub fn new(text: Value) -> Result<Threshold, NotAnInteger> {
        match integer(text.as_str()) {
            Some(number) => Ok(Threshold { text, number }),
            None => Err(NotAnInteger),
        }
    }

    /// The number.
    pub fn get(&self) -> i64 {
        self.number
    }

    /// The number as it was typed.
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }
}

/// A signed 64-bit decimal integer, for all places that ask whether a text is one.
pub(super) fn integer(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// The text is not a signed 64-bit decimal integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("for the operators > and < the value must be a decimal integer of 64 bits")]
pub struct NotAnInteger;
