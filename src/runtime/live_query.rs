use tokio::sync::mpsc;

use crate::engine::LiveQueryId;

use super::command::Release;

/// An open live query; dropping it closes it.
#[derive(Debug)]
pub struct LiveQuery {
    id: LiveQueryId,
    releases: mpsc::UnboundedSender<Release>,
}

impl LiveQuery {
    pub(super) fn new(id: LiveQueryId, releases: mpsc::UnboundedSender<Release>) -> Self {
        LiveQuery { id, releases }
    }

    /// The engine's name for it.
    pub fn id(&self) -> LiveQueryId {
        self.id
    }
}

impl Drop for LiveQuery {
    fn drop(&mut self) {
        // Without its owner there is no registration left to close.
        let _ = self.releases.send(Release::LiveQuery(self.id));
    }
}
