//! What the two kinds of stream do differently: how a piece is read, and how it travels.

use std::future::Future;
use std::vec;

use crate::engine::{Event, PodEvent, PodWalk, Progress, Scope, Walk};
use crate::model::Revision;
use crate::runtime::{Head, LiveQuery, Runtime, Stopped};
use crate::wire::{Checkpoint, EventBatch, PodEventBatch, proto};

/// How far a piece came.
pub(super) struct Reached {
    pub progress: Progress,
    /// The head at which it was read.
    pub head: Head,
}

/// A subscriber's walk, and the message it is filling.
pub(super) trait Feed: Send {
    type Message: Clone + Send + 'static;

    /// Reads one bounded piece. What the piece before it told must have been taken.
    fn read(&mut self, runtime: &Runtime) -> impl Future<Output = Result<Reached, Stopped>> + Send;

    /// Goes to a later revision without reading, if nothing on the way there can be of interest.
    fn skip(&mut self, runtime: &Runtime, to: Revision) -> bool;

    /// The next message that what was read fills. What is left over waits for more, or for the
    /// checkpoint.
    fn next_full(&mut self) -> Option<Self::Message>;

    /// A message that says nothing, for a client that waits for a sign of life.
    fn nothing(&self) -> Self::Message;

    /// Whether there is nothing to send but a checkpoint.
    fn is_quiet(&self) -> bool;

    /// The rest, and the checkpoint.
    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Self::Message;
}

/// Endpoints of the services in a scope.
pub(super) struct EndpointsFeed {
    /// Taken while a piece is read; without it, the engine's thread has ended.
    walk: Option<Walk>,
    /// What was read and is not yet in a message.
    read: vec::IntoIter<Event>,
    batch: EventBatch,
    subscription: u64,
    /// Whether anything was told since the last checkpoint.
    quiet: bool,
}

impl EndpointsFeed {
    /// Goes on behind `from`; from nothing, whatever the subscriber holds is in doubt. Its messages
    /// say which `subscription` they answer.
    pub(super) fn new(
        scope: Scope,
        from: Option<Revision>,
        message_bytes: usize,
        subscription: u64,
    ) -> Self {
        EndpointsFeed {
            walk: Some(Walk::new(scope, from)),
            read: Vec::new().into_iter(),
            batch: EventBatch::new(message_bytes).answering(subscription),
            subscription,
            quiet: true,
        }
    }
}

impl Feed for EndpointsFeed {
    type Message = proto::WatchEndpointsResponse;

    async fn read(&mut self, runtime: &Runtime) -> Result<Reached, Stopped> {
        let walk = self.walk.take().ok_or(Stopped)?;
        let (walk, piece) = runtime.catch_up(walk).await?;
        self.walk = Some(walk);
        self.quiet &= piece.events.is_empty();
        self.read = piece.events.into_iter();
        Ok(Reached {
            progress: piece.progress,
            head: piece.head,
        })
    }

    fn skip(&mut self, runtime: &Runtime, to: Revision) -> bool {
        let Some(walk) = &mut self.walk else {
            return false;
        };
        let spared = walk
            .resting_at()
            .is_some_and(|from| runtime.spares(walk.scope(), from, to));
        if spared {
            walk.skip_to(to);
        }
        spared
    }

    fn next_full(&mut self) -> Option<Self::Message> {
        self.read.find_map(|event| self.batch.push(event))
    }

    fn nothing(&self) -> Self::Message {
        proto::WatchEndpointsResponse {
            events: Vec::new(),
            subscription: self.subscription,
        }
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Self::Message {
        self.quiet = true;
        self.batch.checkpoint(checkpoint)
    }
}

/// Pods of a live query.
pub(super) struct PodsFeed {
    query: LiveQuery,
    walk: Option<PodWalk>,
    read: vec::IntoIter<PodEvent>,
    batch: PodEventBatch,
    quiet: bool,
}

impl PodsFeed {
    /// Goes on behind `from`; from nothing, whatever the subscriber holds is in doubt.
    pub(super) fn new(query: LiveQuery, from: Option<Revision>, message_bytes: usize) -> Self {
        PodsFeed {
            query,
            walk: Some(PodWalk::new(from)),
            read: Vec::new().into_iter(),
            batch: PodEventBatch::new(message_bytes),
            quiet: true,
        }
    }
}

impl Feed for PodsFeed {
    type Message = proto::WatchPodsResponse;

    async fn read(&mut self, runtime: &Runtime) -> Result<Reached, Stopped> {
        let walk = self.walk.take().ok_or(Stopped)?;
        let (walk, piece) = runtime.catch_up_pods(&self.query, walk).await?;
        self.walk = Some(walk);
        self.quiet &= piece.events.is_empty();
        self.read = piece.events.into_iter();
        Ok(Reached {
            progress: piece.progress,
            head: piece.head,
        })
    }

    /// A live query is a list of its own, and short: there is nothing to skip.
    fn skip(&mut self, _: &Runtime, _: Revision) -> bool {
        false
    }

    fn next_full(&mut self) -> Option<Self::Message> {
        self.read.find_map(|event| self.batch.push(&event))
    }

    fn nothing(&self) -> Self::Message {
        proto::WatchPodsResponse::default()
    }

    fn is_quiet(&self) -> bool {
        self.quiet
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Self::Message {
        self.quiet = true;
        self.batch.checkpoint(checkpoint)
    }
}
