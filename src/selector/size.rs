//! How large a selector may be that a stranger sends: each requirement is a walk through postings, and
//! the engine's thread answers one question at a time.

use super::conjunction::Selector;
use super::requirement::Requirement;

/// Most requirements of a selector in a request.
pub const MAX_REQUIREMENTS: usize = 1_000;
/// Most values of all requirements of a selector in a request, together.
pub const MAX_VALUES: usize = 10_000;

impl Selector {
    /// How many values the requirements name, all together. Linear in requirements.
    pub fn value_count(&self) -> usize {
        let count = |requirement: &Requirement| match requirement {
            Requirement::Exists(_) | Requirement::DoesNotExist(_) => 0,
            Requirement::In(_, values) | Requirement::NotIn(_, values) => values.len(),
            _ => 1,
        };
        self.requirements().iter().map(count).sum()
    }
}
