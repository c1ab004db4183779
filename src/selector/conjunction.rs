//! The selector: requirements, all of which have to be met.

use crate::labels::LabelSet;

use super::requirement::Requirement;

/// The AND of some requirements; with none of them it matches everything. Apart from these
/// stands the selector that matches nothing, which is what an absent `LabelSelector` means and
/// what no text can say.
///
/// Requirements stand sorted by key, those of one key in the order given. Repeated and
/// contradictory ones are legal and kept. Two selectors are equal if they print alike (and agree
/// on nothing versus everything, which both print as empty text); they may be unequal and still
/// mean the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector(Form);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Form {
    Nothing,
    AllOf(Box<[Requirement]>),
}

impl Selector {
    /// The selector that no labels match.
    pub fn nothing() -> Selector {
        Selector(Form::Nothing)
    }

    /// The selector that all labels match.
    pub fn everything() -> Selector {
        Selector::new(Vec::new())
    }

    /// The AND of `requirements`; everything if there are none. O(n log n).
    pub fn new(mut requirements: Vec<Requirement>) -> Selector {
        requirements.sort_by(|a, b| a.key().cmp(b.key()));
        Selector(Form::AllOf(requirements.into_boxed_slice()))
    }

    /// The map form, as in the `spec.selector` of a Service: every pair has to be there.
    ///
    /// Whether an empty map means everything (as here) or nothing is for the caller to say: for
    /// a Service it means that its endpoints are not managed.
    pub fn from_pairs(pairs: &LabelSet) -> Selector {
        let requirements = pairs
            .iter()
            .map(|(key, value)| Requirement::Equals(key.clone(), value.clone()))
            .collect();
        Selector::new(requirements)
    }

    /// Whether this is the selector that no labels match. One that merely contradicts itself is
    /// not.
    pub fn is_nothing(&self) -> bool {
        matches!(self.0, Form::Nothing)
    }

    /// Whether this is the selector without any requirement, which all labels match.
    pub fn is_everything(&self) -> bool {
        matches!(&self.0, Form::AllOf(requirements) if requirements.is_empty())
    }

    /// The requirements, sorted by key; none both for everything and for nothing.
    pub fn requirements(&self) -> &[Requirement] {
        match &self.0 {
            Form::Nothing => &[],
            Form::AllOf(requirements) => requirements,
        }
    }
}
