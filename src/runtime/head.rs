use std::time::SystemTime;

use crate::engine::Work;
use crate::model::Revision;

/// The newest state that readers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Its revision; 0 before the first write.
    pub revision: Revision,
    /// When it was committed, by this machine's clock; none before the first.
    pub commit_time: Option<SystemTime>,
}

/// Work done since the start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    /// Transactions applied.
    pub transactions: u64,
    /// What the engine did for them.
    pub work: Work,
}
