use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::model::Revision;

use super::error::SourceEnd;

/// How a replica stands to the store that it shares with others, for all to see.
#[derive(Debug)]
pub(super) struct Source {
    started: Instant,
    /// Milliseconds since the start at which the store had nothing newer than what is applied here.
    heard: AtomicU64,
    /// Everything of ours up to here is applied; what others keep in the same store has revisions too.
    current: watch::Sender<Revision>,
    ended: OnceLock<SourceEnd>,
}

impl Source {
    /// Of a store that had nothing newer just now.
    pub(super) fn new(now: Instant, head: Revision) -> Source {
        Source {
            started: now,
            heard: AtomicU64::new(0),
            current: watch::Sender::new(head),
            ended: OnceLock::new(),
        }
    }

    /// At that moment the store had nothing newer than what is applied. It never goes back.
    pub(super) fn heard(&self, at: Instant) {
        let since = at.saturating_duration_since(self.started).as_millis();
        self.heard
            .fetch_max(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// For how long it is not known whether the store has something newer.
    pub(super) fn age(&self) -> Duration {
        let heard = Duration::from_millis(self.heard.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(heard)
    }

    /// Everything of ours up to a revision is applied.
    pub(super) fn applied(&self, revision: Revision) {
        self.current.send_if_modified(|current| {
            let grows = revision > *current;
            *current = revision.max(*current);
            grows
        });
    }

    /// Up to which revision everything of ours is applied.
    pub(super) fn current(&self) -> Revision {
        *self.current.borrow()
    }

    /// Waits until everything of ours up to a revision is applied.
    pub(super) async fn reach(&self, revision: Revision) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let reached = |current: &Revision| *current >= revision;
        let _ = self.current.subscribe().wait_for(reached).await;
    }

    /// The replica cannot go on.
    pub(super) fn end(&self, why: SourceEnd) {
        // The first reason is the one.
        let _ = self.ended.set(why);
    }

    /// Why the replica cannot go on, if it cannot.
    pub(super) fn ended(&self) -> Option<&SourceEnd> {
        self.ended.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_is_that_of_the_newest_contact() {
        let start = Instant::now() - Duration::from_secs(10);
        let source = Source::new(start, 0);
        assert!(source.age() >= Duration::from_secs(10));
        source.heard(start + Duration::from_secs(9));
        source.heard(start + Duration::from_secs(4));
        let age = source.age();
        assert!(
            age >= Duration::from_secs(1) && age < Duration::from_secs(9),
            "{age:?}"
        );
    }
}
