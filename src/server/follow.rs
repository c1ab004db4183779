//! The life of one subscriber: catch up in pieces, send a checkpoint at the head, wait, and again.
//!
//! Nothing is queued for it. While its client does not read, the task waits to send one message, the
//! walk stands still, and what changes meanwhile is merged by the log.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use crate::engine::Progress;
use crate::model::Revision;
use crate::runtime::{Head, Stopped};
use crate::wire::{Checkpoint, Cursor, status};

use super::context::{Context, stopped};
use super::feed::{Feed, Reached};
use super::outflow::{Gone, Outlet};
use super::subscribers::Subscription;

/// Where a subscriber says it is, if that is of use here.
pub(super) fn resume(context: &Context, cursor: Option<Cursor>, scope: u64) -> Option<Revision> {
    let epoch = context.runtime.epoch();
    cursor
        .filter(|cursor| cursor.epoch.as_ref() == epoch.as_bytes() && cursor.scope == scope)
        .map(|cursor| cursor.revision)
}

/// How following ended, when it was not the client's going away.
pub(super) enum Ended<C> {
    /// The subscriber wants something else.
    Changed(C),
    /// The client is gone.
    Gone,
    /// The stream ends with this status.
    With(Status),
}

impl<C> From<Gone> for Ended<C> {
    fn from(Gone: Gone) -> Self {
        Ended::Gone
    }
}

impl<C> From<Status> for Ended<C> {
    fn from(status: Status) -> Self {
        Ended::With(status)
    }
}

pub(super) struct Follower<'s, F: Feed> {
    context: Arc<Context>,
    subscription: &'s Subscription,
    outlet: &'s Outlet<F::Message>,
    feed: F,
    /// Fingerprint of the scope.
    scope: u64,
    /// What the subscriber has, or has been sent whole.
    position: Revision,
    /// The revision of the last checkpoint.
    checkpointed: Revision,
    /// When the newest change that it has was committed.
    commit_time: Option<SystemTime>,
    /// When it was last sent anything; none yet: a checkpoint is due.
    told: Option<Instant>,
    /// When it last had a sign of life, or began.
    alive: Instant,
    head: watch::Receiver<Head>,
}

impl<'s, F: Feed> Follower<'s, F> {
    pub(super) fn new(
        context: Arc<Context>,
        subscription: &'s Subscription,
        outlet: &'s Outlet<F::Message>,
        feed: F,
        scope: u64,
        from: Option<Revision>,
    ) -> Self {
        let head = context.runtime.watch_head();
        let position = from.unwrap_or_default();
        Follower {
            context,
            subscription,
            outlet,
            feed,
            scope,
            position,
            checkpointed: position,
            commit_time: None,
            told: None,
            alive: Instant::now(),
            head,
        }
    }

    /// Follows the head until something ends it. `changed` is a future that says what else the
    /// subscriber wants; it is looked at between pieces too.
    pub(super) async fn run<C>(
        mut self,
        changed: impl Future<Output = Result<C, Status>>,
    ) -> Ended<C> {
        let mut changed = std::pin::pin!(changed);
        let context = Arc::clone(&self.context);
        let outlet = self.outlet;
        tokio::select! {
            biased;
            changed = &mut changed => match changed {
                Ok(change) => Ended::Changed(change),
                Err(status) => Ended::With(status),
            },
            () = context.drain.cancelled() => Ended::With(status::draining()),
            () = outlet.gone() => Ended::Gone,
            ended = self.follow() => ended,
        }
    }

    async fn follow<C>(&mut self) -> Ended<C> {
        loop {
            if let Err(ended) = self.turn().await {
                return ended;
            }
        }
    }

    /// Catches up with the head, says so if it is time to, and waits until there is a reason to go on.
    async fn turn<C>(&mut self) -> Result<(), Ended<C>> {
        let head = *self.head.borrow_and_update();
        // A cursor from a replica that is ahead: there is nothing to tell until the head is there.
        if head.revision >= self.position && (head.revision > self.position || self.told.is_none())
        {
            self.subscription.lags();
            if self.feed.skip(&self.context.runtime, head.revision) {
                self.position = head.revision;
                self.commit_time = head.commit_time;
            } else {
                self.catch_up().await?;
            }
        }
        let limits = &self.context.limits;
        let patience = if !self.feed.is_quiet() {
            Duration::ZERO
        } else if self.position > self.checkpointed {
            limits.bare_checkpoint
        } else {
            limits.heartbeat
        };
        let due = self.told.map_or_else(Instant::now, |told| told + patience);
        if due <= Instant::now() {
            return self.checkpoint().await;
        }
        tokio::select! {
            moved = self.head.changed() => moved.map_err(|_| stopped(Stopped))?,
            () = sleep_until(due) => self.checkpoint().await?,
        }
        Ok(())
    }

    async fn catch_up<C>(&mut self) -> Result<(), Ended<C>> {
        loop {
            // What is read before there is room for it is held for as long as the client does not
            // read, and merged no more.
            self.outlet.room().await?;
            let reached = self.read().await?;
            while let Some(message) = self.feed.next_full() {
                self.send(message).await?;
            }
            if let Progress::Head(revision) = reached.progress {
                self.position = revision;
                self.commit_time = reached.head.commit_time;
                return Ok(());
            }
        }
    }

    /// Reads a piece. However many it takes to fill a message, and however long this one waits for
    /// its turn, the client is not left to think that the server is gone.
    async fn read<C>(&mut self) -> Result<Reached, Ended<C>> {
        let sign_of_life = self.feed.nothing();
        let mut read = std::pin::pin!(self.feed.read(&self.context.runtime));
        loop {
            tokio::select! {
                biased;
                reached = &mut read => return reached.map_err(|error| stopped(error).into()),
                () = sleep_until(self.alive + self.context.limits.heartbeat) => {
                    self.outlet.send(sign_of_life.clone()).await?;
                    self.alive = Instant::now();
                }
            }
        }
    }

    async fn send(&mut self, message: F::Message) -> Result<(), Gone> {
        self.outlet.send(message).await?;
        let now = Instant::now();
        self.told = Some(now);
        self.alive = now;
        Ok(())
    }

    async fn checkpoint<C>(&mut self) -> Result<(), Ended<C>> {
        let checkpoint = Checkpoint {
            cursor: Cursor {
                epoch: Bytes::copy_from_slice(self.context.runtime.epoch().as_bytes()),
                revision: self.position,
                scope: self.scope,
            },
            commit_time: self.commit_time,
            // This server is the source of truth itself.
            source_age: Duration::ZERO,
        };
        let message = self.feed.checkpoint(&checkpoint);
        self.send(message).await?;
        self.checkpointed = self.position;
        self.subscription
            .sent(self.position, self.head.borrow().revision);
        Ok(())
    }
}
