use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing::warn;

use crate::engine::{Engine, EngineOptions, RecordChange, RecordOf};
use crate::model::{Change, Kind, ObjectRef, ResolvedTransaction, Revision};
use crate::store::{HistoryId, Store, StoreError};

use super::directory::Directory;
use super::error::OpenError;
use super::frame::frame;
use super::journal::Journal;
use super::keeper::Keeper;
use super::open::{RecoveryProgress, open};
use super::state::Changes;

/// Each time the journal has grown by so many bytes, what changed is taken from the engine: little
/// enough that whoever waits for the engine does not notice.
const STEP: u64 = 1 << 20;

/// How a directory is served.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedOptions {
    /// Once the journal has grown by so many bytes, what changed is flushed into the state, and the
    /// journal is shortened. About as much is held in memory.
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
    /// Bytes of the journal behind what the state has.
    pub(super) unkept: u64,
    /// Objects that differ from what the state has, and perhaps others.
    pub(super) changed: HashSet<ObjectRef>,
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
        open(directory, engine, options, tell)
    }

    pub(super) fn note(&mut self, transaction: &ResolvedTransaction) {
        let changes = transaction.changes().iter();
        self.changed.extend(changes.map(Change::object_ref));
    }

    /// What the engine has that the state has not.
    fn changes(&mut self, engine: &mut Engine) -> Changes {
        let mut changes = Changes {
            end: engine.kept_end(),
            committed: self.committed,
            ..Changes::default()
        };
        let mut changed = std::mem::take(&mut self.changed);
        engine.changed_records(&mut |change| {
            if let RecordChange::Written(record) = &change
                && let RecordOf::Service(name) = &record.of
            {
                // Its positions are kept with the service.
                changed.insert(ObjectRef::new(Kind::Service, name.clone()));
            }
            changes.records.push(change);
        });
        let objects = changed.into_iter().map(|object| {
            let positions = match object.kind {
                Kind::Service => engine.service_positions(&object.name),
                _ => None,
            };
            let stored = engine.get(&object);
            (object, stored, positions)
        });
        changes.objects = objects.collect();
        changes
    }
}

impl Store for EmbeddedStore {
    fn kind(&self) -> &'static str {
        "embedded"
    }

    fn history(&self) -> HistoryId {
        self.history
    }

    fn committed_at(&self) -> Option<SystemTime> {
        let at = UNIX_EPOCH.checked_add(Duration::from_millis(self.committed));
        at.filter(|_| self.committed > 0)
    }

    fn append(&mut self, group: &[ResolvedTransaction]) -> Result<Vec<Revision>, StoreError> {
        let added = u64::try_from(group.len()).map_err(|_| StoreError::Full)?;
        let head = self.head.checked_add(added).ok_or(StoreError::Full)?;
        let first = self.head.saturating_add(1);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
        let frame = frame(first, now, group).ok_or(StoreError::TooLarge)?;
        self.journal.append(&frame)?;
        group.iter().for_each(|transaction| self.note(transaction));
        self.unkept = self.unkept.saturating_add(frame.len() as u64);
        self.head = head;
        self.committed = now;
        Ok((first..=head).collect())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.journal.sync()
    }

    fn applied(&mut self, engine: &mut Engine) {
        if self.unkept < self.options.journal_bytes.min(STEP) || self.keeper.is_busy() {
            return;
        }
        // The older part can only be removed if what is still to come stands in another.
        if let Err(error) = self.journal.turn(self.head.saturating_add(1)) {
            warn!(%error, "cannot begin a new part of the journal in {}: the old one goes on", self.directory.path().display());
            return;
        }
        let mut changes = self.changes(engine);
        changes.journal = std::mem::take(&mut self.unkept);
        self.keeper.write(changes);
    }
}
