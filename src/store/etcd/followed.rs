use std::time::Instant;

use crate::engine::Replicated;
use crate::model::Revision;

use super::{EtcdError, Listing, Placed};

/// What a follower is told, in the order of revisions.
#[derive(Debug)]
pub enum Followed {
    /// One transaction, whole.
    Transaction {
        /// Its revision. Revisions between two of these changed nothing of ours.
        revision: Revision,
        /// Each object once; none of them, if only a key beside the objects was written.
        changes: Vec<Replicated>,
        /// The request id that it was written under, if it had one, at its place.
        requests: Vec<Placed>,
    },
    /// What there was to follow cannot be told any more: here is everything as it is at a later
    /// revision, to be applied as one transaction ([`Listing::apply_to`]).
    Listed(Listing),
    /// A quorum has answered. What was lost is there again.
    Contact(Contact),
    /// It does not go on at present: the watch is broken off, no quorum answers, something stands
    /// under the prefix that is not ours, or the format's key is gone. It is tried again until it does, and nothing is missed.
    Lost(EtcdError),
    /// It will not go on: the history is another one, or a later version has taken over. The last that is
    /// told.
    Ended(EtcdError),
}

/// A quorum's word on how far the store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// When it was asked. Whoever has applied everything up to `ours` is no older than that.
    pub at: Instant,
    /// The newest revision of the whole etcd, others' keys included: no cursor of this history is above.
    pub revision: Revision,
    /// The newest of them that changed something of ours.
    pub ours: Revision,
}
