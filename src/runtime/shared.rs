//! What a handle answers of a store that other processes write to as well.

use std::sync::Arc;
use std::time::Duration;

use crate::model::Revision;
use crate::store::etcd::{EtcdError, EtcdStore};

use super::error::SourceEnd;
use super::handle::Runtime;
use super::source::Source;

/// A replica that is no further behind than this is not worth a question to the store.
const SOON: Duration = Duration::from_millis(250);

/// What one transaction may come to in a store that bounds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionBounds {
    /// Objects that it names, matches or has preconditions on.
    pub objects: usize,
    /// Bytes of a request.
    pub bytes: usize,
}

/// What the handles of a replica know of its store.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) store: EtcdStore,
    pub(super) source: Arc<Source>,
    pub(super) bounds: TransactionBounds,
}

impl Runtime {
    /// For how long it is not known whether the store has something newer than what is applied here:
    /// zero where nobody else writes to it.
    pub fn source_age(&self) -> Duration {
        (self.shared()).map_or(Duration::ZERO, |shared| shared.source.age())
    }

    /// What one transaction may come to at most; none: as much as the options say.
    pub fn bounds(&self) -> Option<TransactionBounds> {
        self.shared().map(|shared| shared.bounds)
    }

    /// Why the store is followed no more, if it is not: it is another one now, or something in it cannot
    /// be read. In the first case the engine's thread has ended.
    pub fn source_ended(&self) -> Option<SourceEnd> {
        self.shared()?.source.ended().cloned()
    }

    /// Whether a transaction of this revision, or a later one, is soon applied here. How far others' keys
    /// have brought the store says nothing of that.
    async fn reaches_soon(&self, revision: Revision) -> bool {
        let mut head = self.watch_head();
        let applied = head.wait_for(|head| head.revision >= revision);
        let reached = tokio::time::timeout(SOON, applied).await;
        reached.is_ok_and(|reached| reached.is_ok())
    }

    /// Whether the history has come to a revision, as far as can be found out: a store that others write
    /// to may be ahead of what is applied here, and one that is away is believed to have; a store of our own
    /// has come to what is applied, and no further.
    pub async fn has_been_at(&self, revision: Revision) -> bool {
        if revision <= self.head().revision {
            return true;
        }
        match self.shared() {
            // Most replicas that are behind are so for a moment.
            Some(_) if self.reaches_soon(revision).await => true,
            Some(shared) => match shared.store.confirm().await {
                // Others' keys may have brought etcd past what this history never came to.
                Ok(contact) => revision <= contact.ours,
                Err(EtcdError::HistoryChanged { .. }) => false,
                Err(_) => true,
            },
            // Nobody else writes it: what is ahead was lost, with a disk that was put back, say.
            None => false,
        }
    }
}
