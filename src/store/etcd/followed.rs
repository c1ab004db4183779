use std::time::Instant;

use crate::engine::Replicated;
use crate::model::Revision;

use super::{EtcdError, Listing};

/// What a follower is told, in the order of revisions.
#[derive(Debug)]
pub enum Followed {
    /// One transaction, whole.
    Transaction {
        /// Its revision; revisions between two of these changed nothing of ours.
        revision: Revision,
        /// Each object once.
        changes: Vec<Replicated>,
    },
    /// What there was to follow is compacted: here is everything as it is at a later revision, to be
    /// applied as one transaction ([`Engine::apply_listing`](crate::engine::Engine::apply_listing)).
    Listed(Listing),
    /// A quorum said, in answer to a question that was asked at `at`, that `revision` was its newest.
    /// Whoever has applied everything up to it is no older than that.
    Contact {
        /// When it was asked.
        at: Instant,
        /// The newest revision of the whole etcd, others' keys included.
        revision: Revision,
        /// The newest of them that changed something of ours: what has to be applied to be as new.
        ours: Revision,
    },
    /// It does not go on at present: the watch is broken off or no quorum answers. It is tried again
    /// until it does, and nothing is missed.
    Lost(EtcdError),
    /// It will not go on: the history is another one, or something was found that is not ours. The
    /// last that is told.
    Ended(EtcdError),
}
