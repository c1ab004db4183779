use std::collections::HashSet;
use std::sync::Arc;

use smol_str::SmolStr;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::engine::{Engine, LiveQueryId, Namespaces, ObjectResult};
use crate::model::{ObjectRef, Revision, Transaction};
use crate::selector::Selector;

use super::error::{CommitError, LiveQueryError};
use super::live_query::LiveQuery;
use super::sync::{SyncEnd, SyncId, SyncScope};

/// A transaction that is applied and seen by every later read.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The revision it got; that of the state it saw if nothing had to be changed.
    pub revision: Revision,
    /// The revision of the state in which its preconditions and selectors were looked at. What it names or
    /// matched has not changed between this and `revision`.
    pub resolved_at: Revision,
    /// What became of each object, in the order of operations. Empty in the answer to a late retry of
    /// a transaction whose results were too many to be remembered so long.
    pub results: Arc<[ObjectResult]>,
}

pub(super) type CommitReply = oneshot::Sender<Result<Committed, CommitError>>;

/// A transaction that waits for its turn.
pub(super) struct Commit {
    pub transaction: Transaction,
    /// Empty: a retry of it would be another transaction.
    pub request_id: SmolStr,
    /// Of what it asks; 0 without a request id.
    pub digest: u64,
    /// The sync it belongs to, which may have been aborted by the time it is looked at.
    pub sync: Option<SyncId>,
    /// What it takes of the room for transactions that are on their way.
    pub room: OwnedSemaphorePermit,
    pub reply: CommitReply,
}

/// What changes the state or a registration, in the order in which it was asked.
pub(super) enum Write {
    Commit(Commit),
    BeginSync {
        source: SmolStr,
        reply: oneshot::Sender<(SyncId, Revision)>,
    },
    EndSync {
        sync: SyncId,
        scope: SyncScope,
        mentioned: HashSet<ObjectRef>,
        reply: oneshot::Sender<Result<Ending, CommitError>>,
    },
    OpenLiveQuery {
        selector: Selector,
        namespaces: Namespaces,
        reply: oneshot::Sender<Result<LiveQuery, LiveQueryError>>,
    },
}

/// How the end of a sync is gone about.
pub(super) enum Ending {
    /// All at once; it is done.
    Done(SyncEnd),
    /// These are left to be deleted, unless they are written meanwhile: each with the revision that wrote
    /// it.
    Left(Vec<(ObjectRef, Revision)>),
}

/// What is done between writes.
pub(super) type Read = Box<dyn FnOnce(&Engine) + Send>;

/// A registration that is over. Sent by destructors, which cannot wait, so this queue alone is not
/// bounded; it holds at most one for each registration.
pub(super) enum Release {
    LiveQuery(LiveQueryId),
    Sync(SyncId),
}
