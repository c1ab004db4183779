//! The storm.

use selectord::client::{CallError, Client, Ingest};
use selectord::model::{Revision, Transaction};
use tokio::sync::watch;

use crate::cluster::Cluster;
use crate::state::patiently;

/// Transactions that are on their way unacknowledged.
const WINDOW: usize = 8;

/// How far a storm is. Watched by whoever wants to do something in the midst of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Transactions acknowledged.
    pub transactions: usize,
    /// The newest revision that was acknowledged.
    pub revision: Revision,
}

pub struct Writer {
    ingest: Ingest,
    progress: watch::Sender<Progress>,
}

impl Writer {
    pub async fn start(client: &Client, progress: watch::Sender<Progress>) -> Writer {
        Writer {
            ingest: client.ingest(WINDOW).await.unwrap(),
            progress,
        }
    }

    /// Writes, and waits until it is acknowledged.
    pub async fn write(&mut self, transaction: Transaction) -> Result<Revision, CallError> {
        patiently(self.ingest.send(transaction)).await?;
        self.settle().await
    }

    /// Sends transactions, many at a time, until it is told that it is enough. Answers the last
    /// revision.
    pub async fn storm(
        &mut self,
        cluster: &mut Cluster,
        mut enough: impl FnMut(Progress) -> bool,
    ) -> Result<Revision, CallError> {
        loop {
            let progress = *self.progress.borrow();
            if enough(progress) {
                return Ok(progress.revision);
            }
            for _ in 0..WINDOW {
                patiently(self.ingest.send(cluster.transaction())).await?;
            }
            self.settle().await?;
        }
    }

    /// Reads every acknowledgement that is owed.
    async fn settle(&mut self) -> Result<Revision, CallError> {
        while let Some(ack) = patiently(self.ingest.acknowledged()).await? {
            let revision = ack.result?;
            self.progress.send_modify(|progress| {
                assert!(revision >= progress.revision, "revisions only grow");
                progress.revision = revision;
                progress.transactions += 1;
            });
        }
        Ok(self.progress.borrow().revision)
    }
}
