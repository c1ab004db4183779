//! The life of one subscriber: catch up, send a checkpoint at the head, wait to be woken, and again.
//!
//! It runs only while its client takes what is made. While it does not, nothing is read, nothing is
//! held, and what changes meanwhile is merged by the log.

use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use tonic::Status;

use crate::model::Revision;
use crate::wire::{Checkpoint, Cursor, status};

use super::apart::Apart;
use super::audience::Seat;
use super::context::{Context, stopped};
use super::drawn::Tap;
use super::feed::{Feed, Sources, Step};
use super::subscribers::Subscription;

/// Where a subscriber says it is, if that is of use here.
pub(super) fn resume(context: &Context, cursor: Option<Cursor>, scope: u64) -> Option<Revision> {
    let epoch = context.runtime.epoch();
    cursor
        .filter(|cursor| cursor.epoch.as_ref() == epoch.as_bytes() && cursor.scope == scope)
        .map(|cursor| cursor.revision)
}

pub(super) struct Follower<'s, F: Feed> {
    context: Arc<Context>,
    seat: Seat,
    tap: &'s Tap<F::Message>,
    feed: F,
    nothing: F::Message,
    /// Fingerprint of the scope.
    scope: u64,
    /// What the subscriber has, or has been sent whole.
    position: Revision,
    /// When the newest change that it has was committed.
    commit_time: Option<SystemTime>,
}

impl<'s, F: Feed> Follower<'s, F> {
    pub(super) fn new(
        context: Arc<Context>,
        subscription: &'s Subscription,
        seat: Seat,
        tap: &'s Tap<F::Message>,
        feed: F,
        scope: u64,
        from: Option<Revision>,
    ) -> Self {
        subscription.seated(seat.member());
        Follower {
            context,
            seat,
            tap,
            nothing: feed.nothing(),
            feed,
            scope,
            position: from.unwrap_or_default(),
            commit_time: None,
        }
    }

    /// Follows the head until something ends it: `changed`, a future that says what else the
    /// subscriber wants, or the status that is returned.
    pub(super) async fn run<C>(
        mut self,
        changed: impl Future<Output = Result<C, Status>>,
    ) -> Result<C, Status> {
        let context = Arc::clone(&self.context);
        // What hardly ever happens is not looked at with every message.
        let outside = std::pin::pin!(async {
            tokio::select! {
                biased;
                changed = changed => changed,
                () = context.drain.cancelled() => Err(status::draining()),
            }
        });
        tokio::select! {
            biased;
            ended = Apart::new(outside) => ended,
            ended = self.follow() => Err(ended),
        }
    }

    async fn follow(&mut self) -> Status {
        let mut first = true;
        loop {
            let concerned = self.seat.member().concern.is_any();
            if concerned {
                self.seat.reads();
            }
            if concerned && let Err(ended) = self.catch_up().await {
                return ended;
            }
            let silent = self.seat.member().take_beat();
            if first || silent || !self.feed.is_quiet() {
                // There may be a newer head that brought nothing.
                if !concerned && let Err(ended) = self.catch_up().await {
                    return ended;
                }
                self.checkpoint().await;
                first = false;
            } else {
                self.seat.member().woken().await;
            }
        }
    }

    async fn catch_up(&mut self) -> Result<(), Status> {
        loop {
            match self.step().await? {
                Step::Message(message) => self.send(message).await,
                Step::More => {}
                Step::Head(head) => {
                    if head.revision >= self.position {
                        self.position = head.revision;
                        self.commit_time = head.commit_time;
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Reads on. However long this waits for its turn, the client is not left to think that the
    /// server is gone.
    async fn step(&mut self) -> Result<Step<F::Message>, Status> {
        let member = self.seat.member();
        let sources = Sources {
            runtime: &self.context.runtime,
            ring: &self.context.ring,
            concern: &member.concern,
        };
        let mut step = std::pin::pin!(self.feed.step(&sources));
        loop {
            tokio::select! {
                biased;
                step = &mut step => return step.map_err(stopped),
                () = member.woken() => {}
            }
            if member.take_beat() {
                self.tap.send(self.nothing.clone()).await;
                self.seat.told();
            }
        }
    }

    async fn send(&mut self, message: F::Message) {
        self.tap.send(message).await;
        self.seat.told();
    }

    async fn checkpoint(&mut self) {
        let checkpoint = Checkpoint {
            cursor: Cursor {
                epoch: Bytes::copy_from_slice(self.context.runtime.epoch().as_bytes()),
                revision: self.position,
                scope: self.scope,
            },
            commit_time: self.commit_time,
            source_age: self.context.runtime.source_age(),
        };
        let message = self.feed.checkpoint(&checkpoint);
        self.send(message).await;
        self.seat.member().checkpointed(self.position);
    }
}
