//! What the two kinds of stream do differently: how what is new is read, and how it travels.

use std::future::Future;
use std::mem;
use std::sync::Arc;

use crate::engine::{PodWalk, Progress, Scope, Walk};
use crate::model::Revision;
use crate::runtime::{Concern, Head, LiveQuery, Ring, RingPosition, Runtime, Stopped, Told};
use crate::wire::{Checkpoint, EncodedMessage, MessageWriter, PodEventBatch, proto};

use super::offers::Offers;

/// One step on the way to the head.
pub(super) enum Step<M> {
    /// A message is full.
    Message(M),
    /// Everything up to the head, which is given, is read. It may be older than what was read before.
    /// What is left over waits for more, or for the checkpoint.
    Head(Head),
    /// A piece was read, and there is more.
    More,
}

/// Where what is new is read.
pub(super) struct Sources<'s> {
    pub runtime: &'s Runtime,
    pub ring: &'s Ring,
    pub concern: &'s Concern,
}

/// What a subscriber has been told, and the message it is filling.
pub(super) trait Feed: Send {
    type Message: Clone + Send + 'static;

    /// Goes on towards the head. Dropped before it ends, it must not be called again.
    fn step(
        &mut self,
        sources: &Sources<'_>,
    ) -> impl Future<Output = Result<Step<Self::Message>, Stopped>> + Send;

    /// A message that says nothing, for a client that waits for a sign of life.
    fn nothing(&self) -> Self::Message;

    /// Whether there is nothing to send but a checkpoint.
    fn is_quiet(&self) -> bool;

    /// The rest, and the checkpoint.
    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Self::Message;
}

/// Endpoints of the services in a scope: from the ring, or, behind it, from the log.
pub(super) struct EndpointsFeed {
    scope: Arc<Scope>,
    at: At,
    /// None while the engine's thread has it; then it has ended.
    out: Option<MessageWriter>,
    /// The head, once there is nothing left of it but what was read from the log.
    reached: Option<Head>,
    /// Whether nothing was told since the last checkpoint.
    quiet: bool,
    nothing: EncodedMessage,
    /// From a subscriber that can say what it holds, where its cursor is of no use.
    offers: Option<Offers>,
}

enum At {
    Ring(RingPosition),
    /// Boxed: most streams are in the ring nearly always.
    Log(Box<Walk>),
    /// In the log, when the subscriber has said more of what it holds.
    Offer(Box<Walk>),
    /// On its way to the engine's thread or back.
    Away,
}

impl EndpointsFeed {
    /// Goes on behind `from`; from nothing, whatever the subscriber holds is in doubt. Its messages
    /// say which `subscription` they answer. With `offers`, it may be asked what it holds instead.
    pub(super) fn new(
        scope: Arc<Scope>,
        from: Option<Revision>,
        message_bytes: usize,
        subscription: u64,
        offers: Option<Offers>,
    ) -> Self {
        let walk = Walk::new(Arc::clone(&scope), from).offering(offers.is_some());
        let out = MessageWriter::new(message_bytes, subscription);
        EndpointsFeed {
            // By the log even where the ring would reach: who folds at once may hold more than its
            // cursor says, and must not be told of services that it knows to be gone.
            at: At::Log(Box::new(walk)),
            scope,
            nothing: out.nothing(),
            out: Some(out),
            reached: None,
            quiet: true,
            offers,
        }
    }

    /// Reads a piece of the log.
    async fn read(
        &mut self,
        walk: Walk,
        runtime: &Runtime,
    ) -> Result<Step<EncodedMessage>, Stopped> {
        let out = self.out.take().ok_or(Stopped)?;
        let mut piece = runtime.catch_up(walk, out).await?;
        self.quiet &= piece.out.is_empty();
        let full = piece.out.take_full();
        if !piece.walk.may_ask() {
            self.offers = None;
        }
        self.at = match piece.progress {
            Progress::Head(revision) => {
                self.reached = Some(piece.head);
                At::Ring(RingPosition::at(revision))
            }
            Progress::More => At::Log(Box::new(piece.walk)),
            Progress::Offer { first } => {
                if let Some(offers) = self.offers.as_ref().filter(|_| first) {
                    piece.out.offer();
                    offers.ask();
                    // It waits for a checkpoint, whether or not anything differs.
                    self.quiet = false;
                }
                At::Offer(Box::new(piece.walk))
            }
        };
        self.out = Some(piece.out);
        Ok(full.map_or(Step::More, Step::Message))
    }
}

impl Feed for EndpointsFeed {
    type Message = EncodedMessage;

    async fn step(&mut self, sources: &Sources<'_>) -> Result<Step<EncodedMessage>, Stopped> {
        if let Some(head) = self.reached.take() {
            return Ok(Step::Head(head));
        }
        let mut position = match mem::replace(&mut self.at, At::Away) {
            At::Away => return Err(Stopped),
            At::Log(walk) => {
                let head = sources.runtime.head();
                if walk.checkpoint().is_some_and(|at| at > head.revision) {
                    // A cursor from a replica that is ahead: there is nothing to tell yet.
                    self.at = At::Log(walk);
                    return Ok(Step::Head(head));
                }
                return self.read(*walk, sources.runtime).await;
            }
            At::Offer(mut walk) => {
                if let Some(message) = self.out.as_mut().and_then(MessageWriter::flush) {
                    self.at = At::Offer(walk);
                    return Ok(Step::Message(message));
                }
                let (held, is_last) = self.offers.as_mut().ok_or(Stopped)?.next().await;
                walk.offer(held, is_last);
                self.at = At::Log(walk);
                return Ok(Step::More);
            }
            At::Ring(position) => position,
        };
        let out = self.out.as_mut().ok_or(Stopped)?;
        let told = sources
            .ring
            .tell(&self.scope, &mut position, sources.concern, out);
        self.quiet &= out.is_empty();
        self.at = match told {
            Told::Behind => {
                let walk = Walk::new(Arc::clone(&self.scope), Some(position.revision));
                At::Log(Box::new(walk.offering(self.offers.is_some())))
            }
            Told::Head(_) | Told::Full => At::Ring(position),
        };
        Ok(match told {
            Told::Head(head) => Step::Head(head),
            Told::Full => out.take_full().map_or(Step::More, Step::Message),
            Told::Behind => Step::More,
        })
    }

    fn nothing(&self) -> EncodedMessage {
        self.nothing.clone()
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> EncodedMessage {
        self.quiet = true;
        match &mut self.out {
            Some(out) => out.checkpoint(checkpoint),
            None => self.nothing.clone(),
        }
    }
}

/// Pods of a live query.
pub(super) struct PodsFeed {
    query: LiveQuery,
    /// None while the engine's thread has both; then it has ended.
    at: Option<(PodWalk, PodEventBatch)>,
    /// The head, once there is nothing left of it but what was read.
    reached: Option<Head>,
    quiet: bool,
}

impl PodsFeed {
    /// Goes on behind `from`; from nothing, whatever the subscriber holds is in doubt.
    pub(super) fn new(query: LiveQuery, from: Option<Revision>, message_bytes: usize) -> Self {
        PodsFeed {
            query,
            at: Some((PodWalk::new(from), PodEventBatch::new(message_bytes))),
            reached: None,
            quiet: true,
        }
    }
}

impl Feed for PodsFeed {
    type Message = proto::WatchPodsResponse;

    async fn step(&mut self, sources: &Sources<'_>) -> Result<Step<Self::Message>, Stopped> {
        if let Some(head) = self.reached.take() {
            return Ok(Step::Head(head));
        }
        // What concerns it from here on is noted again.
        sources.concern.clear();
        let (walk, batch) = self.at.take().ok_or(Stopped)?;
        let piece = sources.runtime.catch_up_pods(&self.query, walk, batch);
        let piece = piece.await?;
        self.quiet &= piece.batch.is_empty();
        self.at = Some((piece.walk, piece.batch));
        if matches!(piece.progress, Progress::Head(_)) {
            self.reached = Some(piece.head);
        }
        Ok(piece.full.map_or(Step::More, Step::Message))
    }

    fn nothing(&self) -> Self::Message {
        proto::WatchPodsResponse::default()
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Self::Message {
        self.quiet = true;
        match &mut self.at {
            Some((_, batch)) => batch.checkpoint(checkpoint),
            None => self.nothing(),
        }
    }
}
