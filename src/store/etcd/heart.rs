//! Asking again and again whether the store is there.

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::{Contact, EtcdError, EtcdStore};

/// A task that asks; ends with this.
#[derive(Debug)]
pub(super) struct Heart {
    answers: mpsc::Receiver<Result<Contact, EtcdError>>,
    task: JoinHandle<()>,
}

impl Heart {
    pub(super) fn start(store: EtcdStore) -> Heart {
        let (told, answers) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            let mut beat = interval(store.options().heartbeat);
            beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                beat.tick().await;
                if told.send(store.confirm().await).await.is_err() {
                    return;
                }
            }
        });
        Heart { answers, task }
    }

    /// The next answer.
    pub(super) async fn next(&mut self) -> Result<Contact, EtcdError> {
        match self.answers.recv().await {
            Some(answer) => answer,
            // The task goes on as long as somebody listens.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        self.task.abort();
    }
}
