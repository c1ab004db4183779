use std::path::PathBuf;

use thiserror::Error;
use tonic::Code;

use crate::model::Revision;

/// What an etcd did not do for us.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EtcdError {
    /// No member answers as one with a quorum should, in the time there is.
    #[error("etcd at {members} is not available: {cause}")]
    Unavailable {
        /// Whom we asked.
        members: String,
        /// What the last of them said, or why it could not.
        cause: String,
    },
    /// The members that are listed are not of one cluster.
    #[error(
        "the members of etcd that are listed are of different clusters: {members}. Leave out those that do not belong there; one that lost its data is removed (etcdctl member remove) and added again, with an empty directory and --initial-cluster-state existing"
    )]
    Clusters {
        /// Each that answered, and which cluster's it is.
        members: String,
    },
    /// A file with certificates or a key cannot be used.
    #[error("cannot use {path} for TLS with etcd: {cause}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// It does not let us in, or not there.
    #[error("etcd refuses: {cause}. Give a user that may read and write {prefix}/")]
    Denied {
        /// In its words.
        cause: String,
        /// Of our keys.
        prefix: String,
    },
    /// Its quota is used up, and only deletions are taken.
    #[error(
        "etcd has no room: {cause}. Compact and defragment it, raise its --quota-backend-bytes, and disarm its alarm"
    )]
    Full {
        /// In its words.
        cause: String,
    },
    /// It takes less in one request than it was said to.
    #[error(
        "etcd refuses: {cause}. Its own limits are lower than those given here: set --max-txn-ops and --max-request-bytes as they are there"
    )]
    Limit {
        /// In its words.
        cause: String,
    },
    /// What is asked for is not kept any more.
    #[error("etcd has compacted what is before revision {at}")]
    Compacted {
        /// The first revision that is kept, or 0 if it did not say.
        at: Revision,
    },
    /// A later version of selectord wrote there.
    #[error(
        "{key} in etcd says format {found}, and this version knows formats up to {known}: serve it with the version that wrote it or a later one. If nobody meant to write that, put {known} back there and restart"
    )]
    NewerFormat {
        /// The key that says so.
        key: String,
        /// Its format.
        found: u64,
        /// What this version knows.
        known: u64,
    },
    /// The key that says which format the objects have is gone, and they are not.
    #[error(
        "{key} in etcd is missing, beside keys of selectord's: put it back: etcdctl put {key} {known}"
    )]
    FormatMissing {
        /// The key.
        key: String,
        /// The format that this version writes.
        known: u64,
    },
    /// There are objects where there were to be none.
    #[error(
        "there are objects under {prefix} in etcd already: give a prefix under which there are none, or replace them with --force"
    )]
    Occupied {
        /// Of our keys.
        prefix: String,
    },
    /// It is being filled from elsewhere, and is not whole.
    #[error(
        "{key} in etcd says that a snapshot is being restored: wait until that is done; if it was broken off, restore again with --force"
    )]
    Restoring {
        /// The key that says so.
        key: String,
    },
    /// Something stands under the prefix that is not ours.
    #[error(
        "the key {key:?} in etcd is none of selectord's: {what}. Delete it, or give selectord a prefix of its own"
    )]
    Foreign {
        /// The key, with what is not text replaced.
        key: String,
        /// What is wrong with it.
        what: String,
    },
    /// The store is another one than it was: restored from a backup, emptied, or replaced. What was
    /// applied from it may never have been.
    #[error("the history in etcd is another one than before: {how}")]
    HistoryChanged {
        /// What showed it.
        how: String,
    },
    /// The system gave no random bytes, which a new history is named with.
    #[error("cannot name a history: {cause}")]
    Randomness {
        /// Why.
        cause: String,
    },
    /// Anything else: it may be a newer etcd, or a fault in either.
    #[error("etcd at {member} answered {code:?}: {message}")]
    Other {
        /// Who.
        member: String,
        /// gRPC's code.
        code: Code,
        /// In its words.
        message: String,
    },
}

impl EtcdError {
    /// Whether the same may go well later, with nothing done here: the members are away, without a
    /// leader, or not of one cluster. All others are final, or somebody has to do something first.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            EtcdError::Unavailable { .. } | EtcdError::Clusters { .. }
        )
    }
}

/// Why a transaction was not written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// It has more operations than one transaction of this etcd may have. Nothing was sent.
    #[error(
        "{wanted} objects and preconditions in one transaction, and etcd takes {limit}: send fewer, let --chunk split them (not atomic), or raise --max-txn-ops here and at etcd"
    )]
    TooManyOperations {
        /// Objects that may be written or looked at.
        limit: usize,
        /// How many there are.
        wanted: usize,
    },
    /// It takes more bytes than a request to this etcd may. Nothing was sent.
    #[error(
        "{bytes} bytes in one transaction, and etcd takes {limit}: send fewer objects, let --chunk split them (not atomic), or raise --max-request-bytes here and at etcd"
    )]
    TooLarge {
        /// Bytes of a request.
        limit: usize,
        /// What it would take.
        bytes: usize,
    },
    /// It was not written: etcd refused it or could not be reached.
    #[error("not written: {0}")]
    NotWritten(#[source] EtcdError),
    /// It was sent, and etcd did not say what became of it.
    #[error("whether it was written is not known: {0}. Look, or write it again with preconditions")]
    Unknown(#[source] EtcdError),
}
