use std::future::pending;

use super::replica::Replica;
use super::writer::Writer;

/// How what is asked becomes part of the state.
pub(super) enum Committer {
    /// Through a store that nobody else writes to: a group at a time, done when it is written.
    Alone(Box<Writer>),
    /// Through one that others write to as well: done when it has come back.
    Shared(Box<Replica>),
}

impl Committer {
    /// Whether another write may be handed over.
    pub(super) fn takes_writes(&self) -> bool {
        match self {
            Committer::Alone(_) => true,
            Committer::Shared(replica) => replica.takes_writes(),
        }
    }

    /// Whether a write that was handed over is not done yet.
    pub(super) fn is_busy(&self) -> bool {
        match self {
            Committer::Alone(_) => false,
            Committer::Shared(replica) => replica.is_busy(),
        }
    }

    /// Whether something that others may have written waits to be applied.
    pub(super) fn is_behind(&self) -> bool {
        match self {
            Committer::Alone(_) => false,
            Committer::Shared(replica) => replica.is_behind(),
        }
    }

    /// Whether what is held is true of nothing any more.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Committer::Alone(_) => false,
            Committer::Shared(replica) => replica.is_over(),
        }
    }

    /// Answers what is on its way, when what is held is true of nothing any more.
    pub(super) fn abandon(&mut self) {
        match self {
            Committer::Alone(_) => {}
            Committer::Shared(replica) => replica.abandon(),
        }
    }

    /// Waits until the store has something to say. Dropped before it ends, it loses nothing.
    pub(super) async fn news(&mut self) {
        match self {
            Committer::Alone(_) => pending().await,
            Committer::Shared(replica) => replica.news().await,
        }
    }
}
