use std::sync::{Arc, Once};
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};
use tracing::warn;

use crate::engine::{Engine, Namespaces};
use crate::labels::FieldError;
use crate::model::Revision;
use crate::runtime::{
    CommitError, LiveQueryError, Readiness, Ring, Runtime, SaveError, Stopped, SyncError,
};
use crate::store::StoreError;
use crate::store::etcd::{EtcdError, SubmitError};
use crate::wire::{self, Cursor, Decoded, status};

use super::audience::Audience;
use super::endpoints::Room;
use super::limits::Limits;
use super::subscribers::Subscribers;

/// What every handler shares.
#[derive(Debug)]
pub(super) struct Context {
    pub runtime: Runtime,
    pub limits: Limits,
    pub subscribers: Subscribers,
    pub audience: Arc<Audience>,
    /// Recent changes, for those who watch.
    pub ring: Ring,
    /// For large answers.
    pub room: Room,
    pub started: SystemTime,
    /// Done once a cursor was not believed.
    pub disbelieved: Once,
    /// Cancelled when the server drains.
    pub drain: CancellationToken,
    pub readiness: Readiness,
    /// A source that has not been heard of for longer is not one to begin to follow from.
    pub max_lag: Duration,
}

impl Context {
    /// Refuses a call while something is still to be done before the state is whole.
    pub(super) fn ready(&self) -> Result<(), Status> {
        match self.readiness.pending().as_slice() {
            [] => Ok(()),
            pending => Err(status::unready(&pending.join(", "))),
        }
    }

    /// Refuses who would begin to follow a state that may be old. Who follows already goes on.
    pub(super) fn current(&self) -> Result<(), Status> {
        match current(&self.runtime, self.max_lag) {
            Ok(()) => Ok(()),
            Err(lagging) => Err(status::unready(&lagging)),
        }
    }

    /// What is still to be done, or keeps new watches away; empty: nothing.
    pub(super) fn unready(&self) -> String {
        let mut pending: Vec<String> = self
            .readiness
            .pending()
            .into_iter()
            .map(Into::into)
            .collect();
        pending.extend(current(&self.runtime, self.max_lag).err());
        if let Some(why) = self.runtime.source_ended() {
            pending.push(format!("the store is followed no more: {why}"));
        }
        pending.join(", ")
    }

    /// A cursor, unless it is ahead of everything that its history has come to: then it is of another
    /// one that only bears its name, as of a store that was restored from a backup. That is logged once.
    pub(super) async fn believed(&self, cursor: Option<Cursor>) -> Option<Cursor> {
        let cursor = cursor?;
        let ours = cursor.epoch.as_ref() == self.runtime.epoch().as_bytes();
        if !ours || self.runtime.has_been_at(cursor.revision).await {
            return Some(cursor);
        }
        self.disbelieved.call_once(|| {
            let (cursor, head) = (cursor.revision, self.runtime.head().revision);
            warn!(
                cursor,
                head,
                "a subscriber comes with a cursor of this history that is ahead of it: it, and all others like it, are told what differs. Was the store put back to what it was before? Go back with 'snapshot save' and 'snapshot restore' instead, which begin another history"
            );
        });
        None
    }

    /// Answers a question at a revision not below the one that is demanded.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        at_least: Revision,
        question: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<(Revision, T), Status> {
        self.reach(at_least).await?;
        self.runtime
            .query(|engine| (engine.head(), question(engine)))
            .await
            .map_err(stopped)
    }

    /// How long ago the source of truth was last heard of, as answers carry it.
    pub(super) fn source_age(&self) -> Option<prost_types::Duration> {
        Some(wire::encode_duration(self.runtime.source_age()))
    }

    /// Waits until a revision is applied, no longer than reads may wait.
    pub(super) async fn reach(&self, at_least: Revision) -> Result<(), Status> {
        tokio::select! {
            biased;
            reached = self.runtime.read_at(at_least) => reached.map_err(stopped),
            () = self.drain.cancelled() => Err(status::draining()),
            () = tokio::time::sleep(self.limits.query_wait) => {
                Err(status::too_early(at_least, self.runtime.head().revision))
            }
        }
    }

    /// The status of an error that reading a request's stream gave.
    pub(super) fn unreadable(&self, error: Status) -> Status {
        if status::is_oversized(&error) {
            status::oversized(self.limits.max_message_bytes)
        } else {
            error
        }
    }
}

/// Whether what is applied is no older than that; else why it is not known.
pub(super) fn current(runtime: &Runtime, max_lag: Duration) -> Result<(), String> {
    let age = runtime.source_age();
    if age <= max_lag {
        return Ok(());
    }
    let (age, most) = (age.as_secs(), max_lag.as_secs());
    Err(format!(
        "not caught up, the store was last heard of {age} s ago and --max-lag is {most} s"
    ))
}

/// The part of a request under `path`, or a status that names every fault in it.
pub(super) fn valid<T>(path: &str, part: Decoded<T>) -> Result<T, Status> {
    part.map_err(|faults| {
        let faults: Vec<FieldError> = faults.into_iter().map(|fault| fault.under(path)).collect();
        status::invalid(&faults)
    })
}

/// The namespaces that a request names; none: all.
pub(super) fn namespaces(names: Vec<String>) -> Namespaces {
    if names.is_empty() {
        Namespaces::all()
    } else {
        Namespaces::only(names)
    }
}

/// Who calls: an address, or the kind of socket.
pub(super) fn peer<T>(request: &Request<T>) -> String {
    request
        .remote_addr()
        .map_or_else(|| "unix".to_owned(), |address| address.to_string())
}

pub(super) fn stopped(error: Stopped) -> Status {
    status::unavailable(error.to_string())
}

pub(super) fn uncommitted(error: &CommitError) -> Status {
    match error {
        CommitError::Refused(refused) => status::refused(refused),
        CommitError::SyncAborted { .. } => status::aborted(error.to_string()),
        CommitError::RequestIdReused { .. } => {
            status::invalid_field("transaction.request_id", error.to_string())
        }
        CommitError::Store(refused) => match **refused {
            StoreError::Full => status::limit_exceeded("disk", error.to_string()),
            StoreError::TooLarge => status::limit_exceeded("transaction_bytes", error.to_string()),
            _ => status::unavailable(error.to_string()),
        },
        CommitError::Collided { .. } => status::aborted(error.to_string()),
        CommitError::Shared(refused) => not_submitted(refused),
        _ => status::unavailable(error.to_string()),
    }
}

fn not_submitted(refused: &SubmitError) -> Status {
    let message = refused.to_string();
    match refused {
        SubmitError::TooManyOperations { .. } => status::limit_exceeded("max_txn_ops", message),
        SubmitError::TooLarge { .. } => status::limit_exceeded("max_request_bytes", message),
        SubmitError::NotWritten(EtcdError::Full { .. }) => {
            status::limit_exceeded("etcd_quota", message)
        }
        SubmitError::NotWritten(EtcdError::Limit { .. }) => {
            status::limit_exceeded("etcd_limits", message)
        }
        _ => status::unavailable(message),
    }
}

pub(super) fn unopened(error: LiveQueryError) -> Status {
    match error {
        LiveQueryError::TooMany { .. } => {
            status::limit_exceeded("max_live_queries", error.to_string())
        }
        LiveQueryError::TooManyMembers { .. } => {
            status::limit_exceeded("max_live_query_members", error.to_string())
        }
        LiveQueryError::Stopped(error) => stopped(error),
    }
}

pub(super) fn unsaved(error: SaveError) -> Status {
    match error {
        SaveError::TooMany { .. } => status::limit_exceeded("max_saves", error.to_string()),
        SaveError::TooFarBehind { .. } => {
            status::limit_exceeded("max_save_bytes", error.to_string())
        }
        SaveError::Listed => status::aborted(error.to_string()),
        SaveError::Stopped(error) => stopped(error),
    }
}

pub(super) fn not_begun(error: SyncError) -> Status {
    match error {
        SyncError::TooMany { .. } => status::limit_exceeded("max_syncs", error.to_string()),
        SyncError::Stopped(error) => stopped(error),
    }
}
