use smol_str::SmolStr;

use crate::model::{Change, Object, ObjectRef, ResolvedTransaction, Revision};

use super::ProposedRequest;

/// A transaction as it is to be written, if everything is still as it was when it was resolved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proposal {
    /// Every object that the transaction names or whose precondition was checked, those that it leaves
    /// as they are included, with the revision that wrote it; none: it was not there. Each once.
    pub expected: Vec<(ObjectRef, Option<Revision>)>,
    /// What is written. Each object once, and among those expected.
    pub changes: Vec<Proposed>,
    /// Under which request id, if it has one. Its place is compared like an object; what changes nothing is not
    /// remembered under it.
    pub request: Option<ProposedRequest>,
}

/// The new state of one object, with whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposed {
    /// The object is now this.
    Put {
        /// The object.
        object: Object,
        /// Whose it is, or empty for nobody's: not a wish to leave it whose it was.
        source: SmolStr,
    },
    /// The object is gone.
    Delete(ObjectRef),
}

impl Proposed {
    /// Which object.
    pub fn object_ref(&self) -> ObjectRef {
        match self {
            Proposed::Put { object, .. } => object.object_ref(),
            Proposed::Delete(object) => object.clone(),
        }
    }
}

impl Proposal {
    /// A resolved transaction. Where it has no source, each object stays whose `source_of` says it is.
    pub fn new(
        expected: Vec<(ObjectRef, Option<Revision>)>,
        transaction: ResolvedTransaction,
        mut source_of: impl FnMut(&ObjectRef) -> SmolStr,
    ) -> Proposal {
        let (changes, writer) = transaction.into_parts();
        let propose = |change| match change {
            Change::Delete(object) => Proposed::Delete(object),
            Change::Put(object) => Proposed::Put {
                source: if writer.is_empty() {
                    source_of(&object.object_ref())
                } else {
                    writer.clone()
                },
                object,
            },
        };
        Proposal {
            expected,
            changes: changes.into_iter().map(propose).collect(),
            request: None,
        }
    }
}

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// It is written and durable, as this revision.
    Written(Revision),
    /// Something was not as expected, and nothing was written. Whoever has applied what was written up
    /// to this revision knows what there is.
    Conflict {
        /// etcd's revision when it looked.
        at: Revision,
        /// Whether the place of its request id was written meanwhile: by an earlier attempt elsewhere,
        /// or under another id.
        place_taken: bool,
    },
}
