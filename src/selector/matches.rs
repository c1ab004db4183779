//! What a selector means, written to be read: the yardstick for everything faster.

use crate::labels::{LabelSet, Value};

use super::conjunction::Selector;
use super::operand::integer;
use super::requirement::Requirement;

impl Requirement {
    /// Whether an object meets it that has `value` for the key, or lacks the key.
    pub fn matches_value(&self, value: Option<&Value>) -> bool {
        let Some(value) = value else {
            return self.is_negative();
        };
        match self {
            Requirement::Exists(_) => true,
            Requirement::DoesNotExist(_) => false,
            Requirement::Equals(_, wanted) | Requirement::DoubleEquals(_, wanted) => {
                value == wanted
            }
            Requirement::NotEquals(_, unwanted) => value != unwanted,
            Requirement::In(_, wanted) => wanted.contains(value),
            Requirement::NotIn(_, unwanted) => !unwanted.contains(value),
            Requirement::GreaterThan(_, bound) => {
                integer(value.as_str()).is_some_and(|n| n > bound.get())
            }
            Requirement::LessThan(_, bound) => {
                integer(value.as_str()).is_some_and(|n| n < bound.get())
            }
        }
    }
}

impl Selector {
    /// Whether `labels` meet every requirement. O(r log n) for r requirements and n labels.
    pub fn matches(&self, labels: &LabelSet) -> bool {
        !self.is_nothing()
            && self.requirements().iter().all(|requirement| {
                requirement.matches_value(labels.get(requirement.key().as_str()))
            })
    }
}
