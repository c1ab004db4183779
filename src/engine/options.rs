pub use crate::reconcile::MissingNode;

/// How many removals are remembered. A function of the transactions alone, so that every engine that
/// applied the same ones can answer the same cursors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Of each service, at least so many removed endpoints.
    pub removals: usize,
    /// Of deleted services and nodes, at least so many names.
    pub deleted_names: usize,
    /// More, if there are many: one for every so many that live. 0: no more than the least.
    pub share: usize,
}

impl Default for Retention {
    fn default() -> Self {
        Retention {
            removals: 64,
            deleted_names: 4096,
            share: 4,
        }
    }
}

impl Retention {
    pub(crate) fn removals(&self, live: u64) -> usize {
        self.removals.max(self.share_of(live))
    }

    pub(crate) fn deleted_names(&self, live: usize) -> usize {
        self.deleted_names.max(self.share_of(live as u64))
    }

    fn share_of(&self, live: u64) -> usize {
        usize::try_from(live)
            .ok()
            .and_then(|live| live.checked_div(self.share))
            .unwrap_or_default()
    }
}

/// What changes how facts become endpoints. Part of the history: two engines with different options
/// have different epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EngineOptions {
    /// What becomes of a pod whose Node is not known.
    pub missing_node: MissingNode,
    /// How many removals are remembered.
    pub retention: Retention,
}
