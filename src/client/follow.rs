//! The life of a subscription: connect, read, notice silence, come back with the cursor.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch;
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
    type Message: 'static;

    /// Subscribes, from the cursor on.
    fn open(&mut self, channel: Channel, cursor: Option<&Cursor>) -> Opening<Self::Message>;

    /// Takes a message apart, in order.
    fn read(
        message: Self::Message,
        sink: &mut dyn FnMut(Item<Self::Event>),
    ) -> Result<(), Malformed>;

    /// The server asks for what is held, after all cuts before have been handed over.
    fn offer(&self) {}
}

/// A subscription on its way.
pub(super) type Opening<M> = Pin<Box<dyn Future<Output = Result<Streaming<M>, Status>> + Send>>;

/// A part of a message.
pub(super) enum Item<E> {
    Event(E),
    /// The server asks for what is held.
    Offer,
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
    /// The server waits for what is held.
    asked: bool,
    /// The cursor is void by the server's own word, and so is what it says of revisions.
    is_anew: bool,
    contact: watch::Sender<Contact>,
}

/// What a subscription has heard of its server.
#[derive(Debug, Clone, Copy, Default)]
pub struct Contact {
    /// When it was last told that its state, with what came along, was the newest; none: never yet.
    heard: Option<Instant>,
    /// How long ago the server's source of truth had been heard of, then.
    pub source_age: Duration,
    /// How often a connection was given up or lost.
    pub reconnects: u64,
}

impl Contact {
    /// How old what is known may be; none: nothing is known yet.
    pub fn age(&self) -> Option<Duration> {
        self.heard
            .map(|heard| heard.elapsed().saturating_add(self.source_age))
    }
}

enum Link<M> {
    /// Kept between calls, so that a caller who often drops the wait still gets somewhere.
    Opening(Opening<M>),
    Open {
        stream: Box<Streaming<M>>,
        heard: Instant,
    },
    /// To be tried again then.
    Waiting(Instant),
}

impl<F: Feed> Follower<F> {
    pub(super) fn new(
        client: &Client,
        mut feed: F,
        cursor: Option<Cursor>,
        silence: Duration,
    ) -> Self {
        let link = Link::Opening(in_time(
            silence,
            feed.open(client.channel.clone(), cursor.as_ref()),
        ));
        Follower {
            feed,
            endpoint: client.endpoint.clone(),
            silence,
            link,
            backoff: Backoff::new(),
            cursor,
            told: false,
            pending: Pending::new(),
            cuts: VecDeque::new(),
            asked: false,
            is_anew: false,
            contact: watch::Sender::default(),
        }
    }

    pub(super) fn feed(&self) -> &F {
        &self.feed
    }

    pub(super) fn feed_mut(&mut self) -> &mut F {
        &mut self.feed
    }

    pub(super) fn contact(&self) -> watch::Receiver<Contact> {
        self.contact.subscribe()
    }

    /// The events of the next whole cut, merged, and its checkpoint.
    pub(super) async fn next(&mut self) -> Result<(Vec<F::Event>, Checkpoint), WatchError> {
        loop {
            if let Some(cut) = self.cuts.pop_front() {
                return Ok(cut);
            }
            if std::mem::take(&mut self.asked) {
                self.feed.offer();
            }
            match &mut self.link {
                Link::Waiting(until) => {
                    sleep_until(*until).await;
                    let opening = self.redial();
                    self.link = Link::Opening(in_time(self.silence, opening));
                }
                Link::Opening(opening) => match opening.await {
                    Ok(stream) => {
                        self.link = Link::Open {
                            stream: Box::new(stream),
                            heard: Instant::now(),
                        }
                    }
                    Err(status) => self.failed(status)?,
                },
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

    /// Subscribes over a connection of its own: the shared one may be the one that went silent.
    fn redial(&mut self) -> Opening<F::Message> {
        // Nothing is dialled before the subscription is sent, and both end with it.
        self.feed
            .open(self.endpoint.connect_lazy(), self.cursor.as_ref())
    }

    fn receive(&mut self, message: F::Message) -> Result<(), WatchError> {
        let mut items = Vec::new();
        F::read(message, &mut |item| items.push(item))?;
        for item in items {
            match item {
                Item::Event(event) => {
                    self.is_anew |= event.begins_anew();
                    self.pending.push(event);
                }
                Item::Offer => {
                    // What is offered is the state of the last cut.
                    self.pending.clear();
                    self.asked = true;
                    self.is_anew = true;
                }
                Item::Checkpoint(checkpoint) if self.is_behind(&checkpoint.cursor) => {
                    // A server that is behind repeats the client's own revision, never a lower one.
                    self.lost("the server offered a checkpoint before the last one");
                    return Ok(());
                }
                Item::Checkpoint(checkpoint) => self.commit(checkpoint),
            }
        }
        Ok(())
    }

    /// Whether it lies before what has been applied. Revisions of another history are not comparable, nor
    /// are those of a store that was put back to what it was before.
    fn is_behind(&self, offered: &Cursor) -> bool {
        let is_before =
            |own: &Cursor| own.epoch == offered.epoch && offered.revision < own.revision;
        !self.is_anew && self.cursor.as_ref().is_some_and(is_before)
    }

    fn commit(&mut self, checkpoint: Checkpoint) {
        self.backoff.reset();
        self.is_anew = false;
        self.contact.send_modify(|contact| {
            contact.heard = Some(Instant::now());
            contact.source_age = checkpoint.source_age;
        });
        let heartbeat = self.told
            && self.pending.is_empty()
            && self.cursor.as_ref() == Some(&checkpoint.cursor);
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
        self.lost(status.message());
        Ok(())
    }

    /// What came since the last checkpoint is dropped: it comes again, from the cursor on.
    fn lost(&mut self, why: &str) {
        let delay = self.backoff.delay();
        let server = self.endpoint.uri();
        tracing::warn!(%server, why, ?delay, "watch interrupted, connecting again");
        self.pending.clear();
        self.asked = false;
        self.is_anew = false;
        self.contact.send_modify(|contact| {
            contact.reconnects = contact.reconnects.saturating_add(1);
        });
        self.link = Link::Waiting(Instant::now() + delay);
    }
}

/// Gives up a subscription that is not answered in time.
fn in_time<M: 'static>(patience: Duration, opening: Opening<M>) -> Opening<M> {
    Box::pin(async move {
        match timeout(patience, opening).await {
            Ok(opened) => opened,
            Err(_elapsed) => Err(Status::deadline_exceeded("the server did not answer")),
        }
    })
}
