use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use smol_str::SmolStr;
use thiserror::Error;

use crate::engine::Engine;
use crate::model::{ResolvedTransaction, Revision};

use super::HistoryId;

/// How many answered requests are remembered: the last ones.
pub const MAX_REQUESTS: usize = 4_096;

/// A request that a group answers, and that its client may ask again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The client's name for it.
    pub request_id: SmolStr,
    /// Tells another request of the same name from this one asked again.
    pub digest: u64,
    /// So many of the group's transactions it was resolved behind.
    pub before: usize,
    /// So many of the group's transactions it is answered with: with the revision of the last of them, or
    /// with the one before the group.
    pub appended: usize,
}

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredRequest {
    /// The client's name for it.
    pub request_id: SmolStr,
    /// Tells another request of the same name from this one asked again.
    pub digest: u64,
    /// The revision that it was resolved at.
    pub resolved_at: Revision,
    /// The revision it was answered with.
    pub revision: Revision,
}

/// What is wrong with a store that goes on all the same, for whoever asks for a server's status: nothing at
/// first. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct StoreFault(Arc<Mutex<Faults>>);

#[derive(Debug, Default)]
struct Faults {
    lasting: Option<&'static str>,
    passing: Vec<&'static str>,
}

impl StoreFault {
    /// What is wrong, and what to do: what lasts before what may pass.
    pub fn get(&self) -> Option<&'static str> {
        let faults = self.faults();
        faults.lasting.or_else(|| faults.passing.first().copied())
    }

    /// Says what is wrong until a restart. What was said first stays.
    pub fn set(&self, what: &'static str) {
        self.faults().lasting.get_or_insert(what);
    }

    /// Says what is wrong until it [has passed](StoreFault::passed). False if that was said already.
    pub fn set_for_now(&self, what: &'static str) -> bool {
        let passing = &mut self.faults().passing;
        let is_new = !passing.contains(&what);
        if is_new {
            passing.push(what);
        }
        is_new
    }

    /// Says that something is not wrong any more. False if it was not.
    pub fn passed(&self, what: &'static str) -> bool {
        let passing = &mut self.faults().passing;
        let before = passing.len();
        passing.retain(|said| *said != what);
        passing.len() < before
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps resolved transactions, in order.
///
/// The writer appends a group, syncs, and only then applies and acknowledges it. So a store may
/// lose what was appended and not yet synced, and nothing else.
pub trait Store: Send + fmt::Debug {
    /// What kind of store it is, in one word, for whoever asks for a server's status.
    fn kind(&self) -> &'static str;

    /// The history these revisions belong to: made once with the store and kept in it.
    fn history(&self) -> HistoryId;

    /// Appends a group whole or not at all, and answers the revision of each transaction: growing,
    /// and above every earlier one.
    ///
    /// # Errors
    /// The group does not fit or could not be written. Nothing of it is left, and later groups may
    /// be appended; but behind [`StoreError::InDoubt`] it may be there, and the store must not be written to
    /// again before it has been read back.
    fn append(&mut self, group: &[ResolvedTransaction]) -> Result<Vec<Revision>, StoreError>;

    /// As [`Store::append`], and keeps with the group the requests that it answers, if the store keeps
    /// requests at all. Where some are answered without a transaction, the group may be empty.
    ///
    /// # Errors
    /// As [`Store::append`].
    fn append_for(
        &mut self,
        _requests: &[Request],
        group: &[ResolvedTransaction],
    ) -> Result<Vec<Revision>, StoreError> {
        self.append(group)
    }

    /// The last [`MAX_REQUESTS`] requests that the store knows, oldest first.
    fn answered_requests(&self) -> Vec<AnsweredRequest> {
        Vec::new()
    }

    /// Makes everything appended durable.
    ///
    /// # Errors
    /// It is not known what is durable. The store must not be written to again before it has been
    /// read back.
    fn sync(&mut self) -> Result<(), StoreError>;

    /// What is wrong with it though it goes on, now and later.
    fn fault(&self) -> StoreFault {
        StoreFault::default()
    }

    /// When the newest transaction was appended, by this machine's clock; none if that is not kept.
    fn committed_at(&self) -> Option<SystemTime> {
        None
    }

    /// Called once what was synced is applied and acknowledged: the store may take from the engine what
    /// it keeps of it, so that it need not read every transaction back.
    fn applied(&mut self, _engine: &mut Engine) {}
}

/// Why a store did not take a group.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no room, on the disk or among the revisions.
    #[error("the store is full: nothing was written; make room and try again")]
    Full,
    /// The transactions take more bytes than can be written as one.
    #[error("the transactions are too large to be written together: split them")]
    TooLarge,
    /// A group was written in part or whole, and could not be taken back.
    #[error(
        "it is not known whether the store holds it, as what was written could not be taken back"
    )]
    InDoubt(#[source] io::Error),
    /// The store's files could not be written.
    #[error("the store could not be written")]
    Io(#[from] io::Error),
}
