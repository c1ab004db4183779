use std::time::Instant;

use anyhow::bail;
use selectord::client::{Client, WatchOptions, Watcher};
use selectord::engine::{Scope, ServiceScope};
use selectord::model::{ObjectName, Revision};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// When a subscriber was at which revision.
pub type Cuts = Vec<(Revision, Instant)>;

/// What a subscriber ends with.
pub struct Followed {
    /// The folded state and its stream.
    pub watcher: Watcher,
    /// Each cut, in order.
    pub cuts: Cuts,
    /// Cuts that brought something.
    pub eventful: u64,
    /// Differences in all of them.
    pub events: u64,
}

/// A subscriber that folds until it has reached what it is told to.
pub struct Follower {
    task: JoinHandle<anyhow::Result<Followed>>,
    at: watch::Receiver<Revision>,
}

/// Every service, or one.
pub fn scope(service: Option<&ObjectName>) -> Scope {
    let names = service.into_iter().cloned().collect();
    Scope::Services(ServiceScope {
        names,
        ..ServiceScope::default()
    })
}

impl Follower {
    /// Subscribes, and answers once the first state is there.
    pub async fn start(
        client: &Client,
        scope: Scope,
        until: watch::Receiver<Option<Revision>>,
    ) -> anyhow::Result<Follower> {
        let mut watcher = client.watch(scope, WatchOptions::default());
        let first = watcher.next().await?;
        let (report, at) = watch::channel(first.revision);
        let task = tokio::spawn(follow(watcher, until, report));
        Ok(Follower { task, at })
    }

    /// Waits until it is at this revision.
    pub async fn reach(&mut self, revision: Revision) -> anyhow::Result<()> {
        if self.at.wait_for(|at| *at >= revision).await.is_err() {
            bail!("a subscriber ended before revision {revision}");
        }
        Ok(())
    }

    /// What it has, once it is where `until` says.
    pub async fn followed(self) -> anyhow::Result<Followed> {
        self.task.await?
    }
}

async fn follow(
    mut watcher: Watcher,
    mut until: watch::Receiver<Option<Revision>>,
    report: watch::Sender<Revision>,
) -> anyhow::Result<Followed> {
    let (mut cuts, mut eventful, mut events) = (Cuts::new(), 0, 0);
    loop {
        let reached = *report.borrow();
        if until.borrow().is_some_and(|until| reached >= until) {
            return Ok(Followed {
                watcher,
                cuts,
                eventful,
                events,
            });
        }
        // Dropping `next` loses nothing.
        tokio::select! {
            cut = watcher.next() => {
                let cut = cut?;
                cuts.push((cut.revision, Instant::now()));
                eventful += u64::from(!cut.events.is_empty());
                events += cut.events.len() as u64;
                report.send_replace(cut.revision);
            }
            changed = until.changed() => changed?,
        }
    }
}
