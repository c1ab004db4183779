use thiserror::Error;

use crate::labels::{Key, Value};
use crate::model::{Expectation, Kind, ObjectRef, Revision};

/// Why a transaction is refused. Nothing of it is done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// A precondition does not hold.
    #[error("precondition {index}: {object} {}", describe(*expect, *found))]
    PreconditionFailed {
        /// Index of the precondition.
        index: usize,
        /// Which object.
        object: ObjectRef,
        /// What was to hold.
        expect: Expectation,
        /// The revision that wrote it last; none if it is not there. For one that a transaction under
        /// way has written: the next revision.
        found: Option<Revision>,
    },
    /// A label patch names an object that is not there.
    #[error("{object} not found")]
    NotFound {
        /// Index of the operation.
        operation: usize,
        /// Which object.
        object: ObjectRef,
    },
    /// A label patch would replace a value.
    #[error(
        "{object} already has the label {key}={have}; \
         setting it to {want:?} needs overwrite",
        want = want.as_str()
    )]
    LabelConflict {
        /// Index of the operation.
        operation: usize,
        /// Which object.
        object: ObjectRef,
        /// The label's key.
        key: Key,
        /// Its value now.
        have: Value,
        /// The value it was to get.
        want: Value,
    },
    /// A label patch both sets and removes a key.
    #[error("operation {operation}: label {key} is both set and removed")]
    PatchContradicts {
        /// Index of the operation.
        operation: usize,
        /// The label's key.
        key: Key,
    },
    /// Labels of this kind of object are not patched.
    #[error(
        "operation {operation}: labels of {kind} objects cannot be patched; put the object instead"
    )]
    KindNotPatchable {
        /// Index of the operation.
        operation: usize,
        /// The kind.
        kind: Kind,
    },
    /// An object would have too many labels.
    #[error(
        "operation {operation}: {object} would have {labels} labels, and the limit max_labels is {limit}"
    )]
    TooManyLabels {
        /// Index of the operation.
        operation: usize,
        /// Which object.
        object: ObjectRef,
        /// How many labels it would have.
        labels: usize,
        /// The limit.
        limit: usize,
    },
    /// It patches by selector too often.
    #[error("the transaction patches labels by selector more than {limit} times; split it")]
    TooManySelectorPatches {
        /// The limit.
        limit: usize,
    },
    /// There are no pod ids left.
    #[error("there is no room for more pods: 32-bit pod ids are used up")]
    TooManyPods,
    /// It would change too many objects.
    #[error(
        "the transaction comes to more than {limit} operations; split it, or raise the limit of the server"
    )]
    TooManyOperations {
        /// The limit.
        limit: usize,
    },
}

fn describe(expect: Expectation, found: Option<Revision>) -> String {
    match (expect, found) {
        (Expectation::Exists, _) => "was to exist and does not".to_owned(),
        (Expectation::Absent, found) => {
            format!(
                "was to be absent and was written at revision {}",
                found.unwrap_or_default()
            )
        }
        (Expectation::Revision(wanted), None) => {
            format!("was to be at revision {wanted} and does not exist")
        }
        (Expectation::Revision(wanted), Some(found)) => {
            format!("was to be at revision {wanted} and is at {found}")
        }
    }
}
