use std::cell::RefCell;

use crate::labels::FieldError;
use crate::source::manifest::syntax::Place;

/// How many problems of one object are told.
const LIMIT: usize = 20;

/// A refused field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the file.
    pub place: Place,
    /// Which field, and why.
    pub error: FieldError,
}

/// What is wrong with one object; shared by all its fields.
#[derive(Debug, Default)]
pub struct Problems(RefCell<Noted>);

/// The problems noted, up to a number.
#[derive(Debug, Default)]
pub struct Noted {
    /// In the order found.
    pub problems: Vec<Problem>,
    /// How many more there were.
    pub more: usize,
}

impl Problems {
    /// Notes a problem, unless it is noted already: a field may be read more than once.
    pub fn note(&self, problem: Problem) {
        let mut noted = self.0.borrow_mut();
        if noted.problems.contains(&problem) {
            return;
        }
        if noted.problems.len() < LIMIT {
            noted.problems.push(problem);
        } else {
            noted.more += 1;
        }
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().problems.is_empty()
    }

    /// What was noted.
    pub fn into_noted(self) -> Noted {
        self.0.into_inner()
    }
}
