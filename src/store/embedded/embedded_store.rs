use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing::warn;

use crate::engine::{Engine, EngineOptions, RecordChange, RecordOf};
use crate::model::{Kind, ObjectRef, ResolvedTransaction, Revision};
use crate::store::{AnsweredRequest, HistoryId, Request, Store, StoreError, StoreFault};

use super::changed::{Changed, PIECE};
use super::directory::Directory;
use super::disk::{Disk, SystemDisk};
use super::error::OpenError;
use super::frame::frame;
use super::journal::Journal;
use super::keeper::Keeper;
use super::open::{RecoveryProgress, open};
use super::requests::Requests;
use super::state::Changes;

/// Each time the journal has grown by so many bytes, what changed is taken from the engine: so little that
/// whoever waits for the engine does not notice, and enough that it is worth waking another thread.
const STEP: u64 = 64 << 10;

/// How a directory is served.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedOptions {
    /// Once the journal has grown by so many bytes, what changed is flushed into the state, and the
    /// journal is shortened. What they say is held in memory, twice while the state is slow to be written.
    pub journal_bytes: u64,
    /// Room on the disk that transactions leave free: for the state, whose files are rewritten from
    /// time to time, and for whoever else needs the disk.
    pub reserve_bytes: u64,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        EmbeddedOptions {
            journal_bytes: 16 << 20,
            reserve_bytes: 64 << 20,
        }
    }
}

/// Keeps transactions in a directory: what is synced survives a killed process and a power failure.
#[derive(Debug)]
pub struct EmbeddedStore {
    pub(super) history: HistoryId,
    pub(super) head: Revision,
    /// Milliseconds since 1970; 0 before the first.
    pub(super) committed: u64,
    pub(super) journal: Journal,
    /// Bytes of the journal that are not needed once what they say is flushed.
    pub(super) unflushed: u64,
    /// Those among them of which the keeper has not been told.
    pub(super) unkept: u64,
    pub(super) changed: Changed,
    pub(super) requests: Requests,
    pub(super) keeper: Keeper,
    pub(super) options: EmbeddedOptions,
    /// Dropped last: then another process may have it.
    pub(super) directory: Directory,
}

impl EmbeddedStore {
    /// Opens a directory, or makes one, and reads it back: the store, and the engine as it was at the
    /// newest transaction that was synced. `tell` is told now and then how far it is.
    ///
    /// Linear in objects and records, and in the transactions of the journal.
    ///
    /// # Errors
    /// [`OpenError`]: it is held, damaged, or not to be had.
    pub fn open(
        directory: &Path,
        engine: EngineOptions,
        options: EmbeddedOptions,
        tell: &mut dyn FnMut(RecoveryProgress),
    ) -> Result<(EmbeddedStore, Engine), OpenError> {
        EmbeddedStore::open_on(Arc::new(SystemDisk), directory, engine, options, tell)
    }

    /// As [`EmbeddedStore::open`], with the journal and the format on another disk than the system's, which
    /// has them under the same names. The state is the system's.
    ///
    /// # Errors
    /// As [`EmbeddedStore::open`].
    pub fn open_on(
        disk: Arc<dyn Disk>,
        directory: &Path,
        engine: EngineOptions,
        options: EmbeddedOptions,
        tell: &mut dyn FnMut(RecoveryProgress),
    ) -> Result<(EmbeddedStore, Engine), OpenError> {
        open(disk, directory, engine, options, tell)
    }

    /// Waits until the state has what it was told, at the latest when the last transactions were applied. What
    /// it was not told stands in the journal. Nobody has to call this.
    pub fn wait_until_kept(&self) {
        self.keeper.wait();
    }

    /// Some of what the engine has that the keeper has not been told; and whether that is all, so that the
    /// state becomes the engine as it is now.
    fn changes(&mut self, engine: &mut Engine) -> (Changes, bool) {
        let mut changes = Changes {
            end: engine.kept_end(),
            committed: self.committed,
            requests: self.requests.take_changes(),
            journal: std::mem::take(&mut self.unkept),
            ..Changes::default()
        };
        let all_records = engine.changed_records(PIECE, &mut |change| {
            if let RecordChange::Written(record) = &change
                && let RecordOf::Service(name) = &record.of
            {
                // Its positions are kept with the service.
                let service = ObjectRef::new(Kind::Service, name.clone());
                self.changed.note(service);
            }
            changes.records.push(change);
        });
        changes.objects = self.changed.take(engine);
        (changes, all_records && self.changed.is_empty())
    }
}

impl Store for EmbeddedStore {
    fn kind(&self) -> &'static str {
        "embedded"
    }

    fn history(&self) -> HistoryId {
        self.history
    }

    fn fault(&self) -> StoreFault {
        self.keeper.fault()
    }

    fn committed_at(&self) -> Option<SystemTime> {
        let at = UNIX_EPOCH.checked_add(Duration::from_millis(self.committed));
        at.filter(|_| self.committed > 0)
    }

    fn append(&mut self, group: &[ResolvedTransaction]) -> Result<Vec<Revision>, StoreError> {
        self.append_for(&[], group)
    }

    fn append_for(
        &mut self,
        requests: &[Request],
        group: &[ResolvedTransaction],
    ) -> Result<Vec<Revision>, StoreError> {
        let added = u64::try_from(group.len()).map_err(|_| StoreError::Full)?;
        let head = self.head.checked_add(added).ok_or(StoreError::Full)?;
        let first = self.head.saturating_add(1);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
        let answered = requests.iter().map(|request| AnsweredRequest {
            request_id: request.request_id.clone(),
            digest: request.digest,
            resolved_at: self.head.saturating_add(request.before as u64),
            revision: self.head.saturating_add(request.appended as u64),
        });
        let answered: Vec<_> = answered.collect();
        let numbered = (self.requests.next(), &answered[..]);
        let frame = frame(first, now, numbered, group).ok_or(StoreError::TooLarge)?;
        self.journal.append(&frame)?;
        self.requests.extend(answered);
        self.unkept = self.unkept.saturating_add(frame.len() as u64);
        self.unflushed = self.unflushed.saturating_add(frame.len() as u64);
        if self.keeper.is_busy() {
            // For who knows how long: not even what the journal says is held in memory then.
            let each = group.iter();
            each.for_each(|transaction| self.changed.note_all(transaction));
        } else {
            self.changed.note_written(first, group, frame);
        }
        self.head = head;
        self.committed = now;
        Ok((first..=head).collect())
    }

    fn answered_requests(&self) -> Vec<AnsweredRequest> {
        self.requests.all()
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.journal.sync()
    }

    fn applied(&mut self, engine: &mut Engine) {
        let journal_bytes = self.options.journal_bytes;
        if self.keeper.is_busy() {
            engine.defer_changed_records();
            return;
        }
        if self.unkept < journal_bytes.min(STEP) {
            return;
        }
        let (mut changes, is_all) = self.changes(engine);
        if is_all && self.unflushed >= journal_bytes {
            // The older part can only be removed if what is still to come stands in another.
            let first = self.head.saturating_add(1);
            match self.journal.turn(first) {
                Ok(()) => {
                    changes.flush = Some(first);
                    self.unflushed = 0;
                }
                Err(error) => {
                    warn!(%error, "cannot begin a new part of the journal in {}: the old one goes on", self.directory.path().display());
                }
            }
        }
        self.keeper.write(changes);
    }
}
