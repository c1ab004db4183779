use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::engine::LiveQueryId;
use crate::model::Revision;

use super::command::Release;

/// An open live query; dropping it closes it.
#[derive(Debug)]
pub struct LiveQuery {
    id: LiveQueryId,
    changed: LastChange,
    releases: mpsc::UnboundedSender<Release>,
}

/// When the members of a live query changed last, for all to see.
#[derive(Debug, Clone, Default)]
pub struct LastChange(Arc<AtomicU64>);

impl LastChange {
    /// The revision, no later than the head reaches it; 0: they have not changed since it was opened.
    pub fn revision(&self) -> Revision {
        self.0.load(Ordering::Acquire)
    }

    pub(super) fn set(&self, revision: Revision) {
        self.0.store(revision, Ordering::Release);
    }
}

impl LiveQuery {
    pub(super) fn new(
        id: LiveQueryId,
        changed: LastChange,
        releases: mpsc::UnboundedSender<Release>,
    ) -> Self {
        LiveQuery {
            id,
            changed,
            releases,
        }
    }

    /// The engine's name for it.
    pub fn id(&self) -> LiveQueryId {
        self.id
    }

    /// When its members changed last.
    pub fn changed(&self) -> &LastChange {
        &self.changed
    }
}

impl Drop for LiveQuery {
    fn drop(&mut self) {
        // Without its owner there is no registration left to close.
        let _ = self.releases.send(Release::LiveQuery(self.id));
    }
}
