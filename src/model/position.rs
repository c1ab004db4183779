/// The number a transaction got. Revisions only grow; 0 is before the first.
pub type Revision = u64;

/// The number a record got when it was written to the log: one count for all records, so that two of
/// one revision are in order, too. 0 is before the first.
///
/// A matter of one process: what leaves it is a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Sequence(pub u64);

impl Sequence {
    /// Before every record.
    pub const START: Sequence = Sequence(0);

    /// The number behind this one.
    pub const fn next(self) -> Sequence {
        Sequence(self.0.saturating_add(1))
    }
}
