//! The life of a subscription: connect, read, notice silence, come back with the cursor.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

use crate::wire::{Checkpoint, Cursor};

use super::backoff::Backoff;
use super::error::is_final;
use super::pending::{Merge, Pending};
use super::{Client, Malformed, WatchError};

/// One of the streams a server offers.
pub(super) trait Feed {
    /// What a subscriber folds.
    type Event: Merge;
    /// What travels.
    type Message;

    /// Subscribes, from the cursor on.
    fn open(
        &mut self,
        channel: Channel,
        cursor: Option<&Cursor>,
    ) -> impl Future<Output = Result<Streaming<Self::Message>, Status>> + Send;

    /// Takes a message apart, in order.
    fn read(message: Self::Message, sink: &mut dyn FnMut(Item<Self::Event>)) -> Result<(), Malformed>;
}

/// A part of a message.
pub(super) enum Item<E> {
    Event(E),
    Checkpoint(Checkpoint),
}

/// A subscription that outlives its connections.
///
/// Every wait keeps its state in here, so that a caller may drop the future of [`Follower::next`] at
/// any point and lose nothing.
pub(super) struct Follower<F: Feed> {
    feed: F,
    endpoint: Endpoint,
    /// Without a message for so long, a connection is dead.
    silence: Duration,
    link: Link<F::Message>,
    backoff: Backoff,
    cursor: Option<Cursor>,
    /// Whether the caller has been given a cut yet.
    told: bool,
    pending: Pending<F::Event>,
    cuts: VecDeque<(Vec<F::Event>, Checkpoint)>,
    source_age: Duration,
    reconnects: u64,
}

enum Link<M> {
    /// To be opened; over this channel, or over one that is yet to be dialled.
    Closed(Option<Channel>),
    Open { stream: Streaming<M>, heard: Instant },
    /// To be tried again then.
    Waiting(Instant),
}

impl<F: Feed> Follower<F> {
    pub(super) fn new(client: &Client, feed: F, cursor: Option<Cursor>, silence: Duration) -> Self {
        Follower {
            feed,
            endpoint: client.endpoint.clone(),
            silence,
            link: Link::Closed(Some(client.channel.clone())),
            backoff: Backoff::new(),
            cursor,
            told: false,
            pending: Pending::new(),
            cuts: VecDeque::new(),
            source_age: Duration::ZERO,
            reconnects: 0,
        }
    }

    pub(super) fn feed(&self) -> &F {
        &self.feed
    }

    pub(super) fn source_age(&self) -> Duration {
        self.source_age
    }

    pub(super) fn reconnects(&self) -> u64 {
        self.reconnects
    }

    /// The events of the next whole cut, merged, and its checkpoint.
    pub(super) async fn next(&mut self) -> Result<(Vec<F::Event>, Checkpoint), WatchError> {
        loop {
            if let Some(cut) = self.cuts.pop_front() {
                return Ok(cut);
            }
            match &mut self.link {
                Link::Waiting(until) => {
                    sleep_until(*until).await;
                    self.link = Link::Closed(None);
                }
                Link::Closed(channel) => {
                    let channel = channel.clone();
                    self.open(channel).await?;
                }
                Link::Open { stream, heard } => {
                    match timeout_at(*heard + self.silence, stream.message()).await {
                        Ok(Ok(Some(message))) => {
                            *heard = Instant::now();
                            self.receive(message)?;
                        }
                        Ok(Ok(None)) => self.lost("the server ended the stream"),
                        Ok(Err(status)) => self.failed(status)?,
                        Err(_elapsed) => self.lost("nothing was heard from the server"),
                    }
                }
            }
        }
    }

    async fn open(&mut self, channel: Option<Channel>) -> Result<(), WatchError> {
        let channel = match channel {
            Some(channel) => channel,
            // A connection of its own: the shared one may be the one that went silent.
            None => match self.endpoint.connect().await {
                Ok(channel) => channel,
                Err(error) => {
                    tracing::debug!(%error, "cannot connect");
                    self.lost("the server cannot be reached");
                    return Ok(());
                }
            },
        };
        match timeout(self.silence, self.feed.open(channel, self.cursor.as_ref())).await {
            Ok(Ok(stream)) => self.link = Link::Open { stream, heard: Instant::now() },
            Ok(Err(status)) => self.failed(status)?,
            Err(_elapsed) => self.lost("the server did not answer"),
        }
        Ok(())
    }

    fn receive(&mut self, message: F::Message) -> Result<(), WatchError> {
        let mut items = Vec::new();
        F::read(message, &mut |item| items.push(item))?;
        for item in items {
            match item {
                Item::Event(event) => self.pending.push(event),
                Item::Checkpoint(checkpoint) if self.is_behind(&checkpoint.cursor) => {
                    // A replica that is behind must stay silent until it has caught up.
                    self.lost("the server offered a checkpoint before the last one");
                    return Ok(());
                }
                Item::Checkpoint(checkpoint) => self.commit(checkpoint),
            }
        }
        Ok(())
    }

    /// Whether it lies before what has been applied. Revisions of another history are not comparable.
    fn is_behind(&self, offered: &Cursor) -> bool {
        self.cursor
            .as_ref()
            .is_some_and(|own| own.epoch == offered.epoch && offered.revision < own.revision)
    }

    fn commit(&mut self, checkpoint: Checkpoint) {
        self.backoff.reset();
        self.source_age = checkpoint.source_age;
        let heartbeat =
            self.told && self.pending.is_empty() && self.cursor.as_ref() == Some(&checkpoint.cursor);
        if !heartbeat {
            self.told = true;
            self.cursor = Some(checkpoint.cursor.clone());
            self.cuts.push_back((self.pending.take(), checkpoint));
        }
    }

    fn failed(&mut self, status: Status) -> Result<(), WatchError> {
        if is_final(status.code()) {
            return Err(WatchError::Refused(Box::new(status)));
        }
        tracing::debug!(%status, "the stream failed");
        self.lost("the stream failed");
        Ok(())
    }

    /// What came since the last checkpoint is dropped: it comes again, from the cursor on.
    fn lost(&mut self, why: &'static str) {
        let delay = self.backoff.delay();
        tracing::info!(why, ?delay, "watch interrupted, connecting again");
        self.pending.clear();
        self.reconnects = self.reconnects.saturating_add(1);
        self.link = Link::Waiting(Instant::now() + delay);
    }
}
