use std::io;
use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;
use thiserror::Error;

use crate::engine::ResolveError;
use crate::model::Revision;
use crate::store::StoreError;
use crate::store::etcd::{EtcdError, SubmitError};

/// The thread that owns the engine has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the server is stopping")]
pub struct Stopped;

/// Why a transaction was not applied. Nothing of it was, unless the error says that it was, or that it is not
/// known.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// It cannot be resolved.
    #[error(transparent)]
    Refused(Box<ResolveError>),
    /// The store did not take it, nor those that waited with it.
    #[error("not written: {0}")]
    Store(Arc<StoreError>),
    /// The store took it, and then failed: it may be durable. Whether it is shows when the server has
    /// started again.
    #[error(
        "the store failed while this was written: whether it was applied is not known until the server has restarted; look then, or write it again with preconditions"
    )]
    Unknown,
    /// Another transaction was applied under this request id.
    #[error(
        "request id {request_id:?} was used for another transaction: a retry must be the same, and what is new needs an id of its own"
    )]
    RequestIdReused {
        /// The id of both.
        request_id: SmolStr,
    },
    /// An earlier write could not be made durable. What is durable shows when the server starts
    /// again and reads its store back; until then it takes no writes.
    #[error("writes are refused since one could not be made durable: restart the server")]
    ReadOnly,
    /// Another sync of the same source has begun, and this one belongs to the earlier.
    #[error(
        "a later sync of source {source_name:?} has begun: this one deletes nothing and takes no more writes"
    )]
    SyncAborted {
        /// The source of both.
        source_name: SmolStr,
    },
    /// Another process that writes to the same store changed something it touches, each time before it
    /// could be written.
    #[error(
        "not written: what it touches was changed by others {attempts} times in a row; try again"
    )]
    Collided {
        /// How often it was tried.
        attempts: u32,
    },
    /// The store that is shared did not take it, or did not say whether it has.
    #[error(transparent)]
    Shared(SubmitError),
    /// The store that is shared has not been heard of for so long that nothing is sent to it.
    #[error("nothing was sent to the store: {}", away(*age, why.as_ref()))]
    Away {
        /// For how long it is not known what is in it.
        age: Duration,
        /// Why it is followed no more, if it is not.
        why: Option<SourceEnd>,
    },
    /// It is written and durable, but has not come back to be applied here in time.
    #[error(
        "it was written at revision {revision}, but this server has not seen it come back: the store is not followed at present"
    )]
    NotBack {
        /// Its revision.
        revision: Revision,
    },
    /// Something was written under its request id, or another at the same place, and has not come here to
    /// be looked at; or it was sent, and then the store's history became another one.
    #[error(
        "whether it was written is not known: what the store has of it has not come to this server. Ask again with the same request id, or look"
    )]
    Undecided,
    /// Its turn did not come in time.
    #[error(
        "nothing of this attempt was written: it waited for {patience:?} behind other writes, or for what was changed by others to come"
    )]
    TooLate {
        /// How long a write may take.
        patience: Duration,
    },
    /// The thread that owns the engine has ended.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Why a store is followed no more, and never will be by this replica.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SourceEnd {
    /// It is another one than it was, or what is in it cannot be read.
    #[error(transparent)]
    Store(EtcdError),
    /// What came from it does not fit what was applied before.
    #[error("what came from the store cannot be applied: {what}")]
    Unappliable {
        /// Why.
        what: String,
    },
}

impl SourceEnd {
    /// Whether the store has another history now: then a replica that begins anew can serve it.
    pub fn is_other_history(&self) -> bool {
        matches!(self, SourceEnd::Store(EtcdError::HistoryChanged { .. }))
    }
}

fn away(age: Duration, why: Option<&SourceEnd>) -> String {
    match why {
        Some(why) => format!("this server follows its store no more: {why}"),
        None => format!("the store has not been heard of for {} s", age.as_secs()),
    }
}

impl From<ResolveError> for CommitError {
    fn from(refused: ResolveError) -> Self {
        CommitError::Refused(Box::new(refused))
    }
}

/// Why a live query was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LiveQueryError {
    /// There are as many distinct ones as are allowed.
    #[error("at most {limit} distinct live queries may be open")]
    TooMany {
        /// How many are allowed.
        limit: usize,
    },
    /// The pods of those that are open are too many for another.
    #[error(
        "all live queries together may have {limit} members: those that are open have {open}, and this one would have {wanted}"
    )]
    TooManyMembers {
        /// How many are allowed.
        limit: u64,
        /// How many there are.
        open: u64,
        /// Pods that match.
        wanted: u64,
    },
    /// The thread that owns the engine has ended.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Why a sync was not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SyncError {
    /// As many as are allowed are under way.
    #[error("at most {limit} syncs may be under way at one time: end one, or try again later")]
    TooMany {
        /// How many are allowed.
        limit: usize,
    },
    /// The thread that owns the engine has ended.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Why nothing, or not everything, was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SaveError {
    /// As many as are allowed are under way.
    #[error("at most {limit} snapshots may be saved at one time: try again when one is done")]
    TooMany {
        /// How many are allowed.
        limit: usize,
    },
    /// So much was changed ahead of it that keeping what was there would take too much memory.
    #[error(
        "the snapshot fell too far behind: keeping what was changed meanwhile as it was would take more than {limit} bytes; save when less is written or to a faster place, or raise the server's limit"
    )]
    TooFarBehind {
        /// Bytes that may be kept.
        limit: usize,
    },
    /// What the store holds was listed anew, and may have changed in any way.
    #[error("the store was listed anew while the snapshot was saved: save again")]
    Listed,
    /// The thread that owns the engine has ended.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Why the thread did not start.
#[derive(Debug, Error)]
#[error("cannot start the thread that owns the engine")]
pub struct StartError(#[from] io::Error);
