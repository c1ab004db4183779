use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::engine::{Engine, EngineOptions};
use crate::store::HistoryId;

use super::directory::Directory;
use super::disk::SystemDisk;
use super::embedded_store::EmbeddedStore;
use super::error::OpenError;
use super::format::Format;
use super::journal::Journal;
use super::open::state_error;
use super::replace::Replacement;
use super::state::State;

/// A data directory that is to hold what an engine holds. Dropped before it is
/// [`NewDirectory::fill`]ed, it leaves the directory as it was.
#[derive(Debug)]
pub struct NewDirectory(Replacement);

impl EmbeddedStore {
    /// Takes hold of a directory, which is made if it does not exist, to fill it. One that holds
    /// something already is refused unless it may be replaced; it is replaced at the end, whole.
    ///
    /// # Errors
    /// [`OpenError`]: it holds something, is another program's, is held by another process, or is not
    /// to be had.
    pub fn create(directory: &Path, replace: bool) -> Result<NewDirectory, OpenError> {
        let directory = Directory::hold(Arc::new(SystemDisk), directory)?;
        Ok(NewDirectory(Replacement::begin(directory, replace)?))
    }
}

impl NewDirectory {
    /// Makes everything that an engine holds the directory's content, as a new history; `committed` is
    /// when its newest transaction was. Once this answers it is durable. `tell` is told now and then how
    /// many objects and records were written, of how many.
    ///
    /// Linear in objects and records.
    ///
    /// # Errors
    /// [`OpenError`]; then the directory is as it was, or what has gone wrong came after it was filled,
    /// and the next who opens it brings it to its end.
    pub fn fill(
        self,
        engine: &Engine,
        committed: Option<SystemTime>,
        tell: &mut dyn FnMut(u64, u64),
    ) -> Result<HistoryId, OpenError> {
        let folder = self.0.folder();
        let failed = |doing| move |error| OpenError::io(doing, folder, error);
        let (history, disk) = (self.0.history(), self.0.disk());
        let committed = committed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let committed = committed.map_or(0, |time| time.as_millis());
        let committed = u64::try_from(committed).unwrap_or(u64::MAX);

        // First, as it says whose the rest is.
        let rules: &EngineOptions = engine.options();
        Format::new(history, rules).begin(&**disk, folder)?;
        let path = folder.join(super::directory::STATE);
        let state = State::open(&path).and_then(|state| state.fill(engine, committed, tell));
        state.map_err(|error| state_error(folder, &path, error))?;
        let first = engine.head().saturating_add(1);
        Journal::begin(Arc::clone(disk), folder, history, first, 0)
            .map_err(failed("begin the journal of"))?;
        Format::commit(&**disk, folder)?;
        self.0.commit()?;
        Ok(history)
    }
}
