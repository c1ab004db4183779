use crate::model::Revision;

/// A place in the log of a live query: the revision of a change, and its index within the revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Position {
    pub(super) revision: Revision,
    pub(super) index: u64,
}

impl Position {
    /// Before every change.
    pub(super) const START: Position = Position {
        revision: 0,
        index: 0,
    };

    /// Behind every change of `revision`: the position of a cursor that has applied it whole.
    pub(super) const fn end_of(revision: Revision) -> Position {
        Position {
            revision,
            index: u64::MAX,
        }
    }
}
