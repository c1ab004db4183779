/// The number a transaction got. Revisions only grow; 0 is before the first.
pub type Revision = u64;

/// A place in the log: the revision of a change, and the index of a record within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// The revision that put a record here.
    pub revision: Revision,
    /// The record's place within its revision.
    pub index: u64,
}

impl Position {
    /// Before every record.
    pub const START: Position = Position {
        revision: 0,
        index: 0,
    };

    /// Behind every record of `revision`: the position of a cursor that has applied it whole.
    pub const fn end_of(revision: Revision) -> Position {
        Position {
            revision,
            index: u64::MAX,
        }
    }
}
