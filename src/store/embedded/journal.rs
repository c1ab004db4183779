use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::{info, warn};

use crate::model::Revision;
use crate::store::{HistoryId, StoreError};

use super::directory;
use super::disk::{Disk, DiskFile};
use super::frame::{PART_HEADER, part_header};

/// So often a frame is written anew that was written in part.
const ATTEMPTS: usize = 3;

/// The end of the journal, which is being written.
#[derive(Debug)]
pub(super) struct Journal {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    history: HistoryId,
    file: Box<dyn DiskFile>,
    /// The revision that the part begins with.
    first: Revision,
    /// Bytes that hold whole frames.
    len: u64,
    /// Room that is left to others on the disk, and to the state.
    reserve: u64,
    /// The last frame was appended and not synced.
    unsynced: bool,
    /// It is not known what is on the disk.
    failed: bool,
    /// Bytes of the smallest frame that there was no room for, until one as large is taken.
    refused: Option<usize>,
}

impl Journal {
    /// Begins a part, with the transaction of this revision; or goes on with one that does, and holds
    /// whole frames.
    pub(super) fn begin(
        disk: Arc<dyn Disk>,
        directory: &Path,
        history: HistoryId,
        first: Revision,
        reserve: u64,
    ) -> io::Result<Journal> {
        let (file, len) = part(&*disk, directory, history, first)?;
        Ok(Journal {
            disk,
            directory: directory.to_owned(),
            history,
            file,
            first,
            len,
            reserve,
            unsynced: false,
            failed: false,
            refused: None,
        })
    }

    /// Goes on in a new part, which begins with this revision; what is written is durable already. If it
    /// cannot be made, the old one goes on.
    pub(super) fn turn(&mut self, first: Revision) -> io::Result<()> {
        if first != self.first {
            (self.file, self.len) = part(&*self.disk, &self.directory, self.history, first)?;
            self.first = first;
        }
        Ok(())
    }

    /// Appends a frame whole or not at all, by one write: so each sector of it is there or not, should the
    /// power fail. The one before it is durable then: where a frame stands, those before it were whole.
    pub(super) fn append(&mut self, frame: &[u8]) -> Result<(), StoreError> {
        let appended = self.try_append(frame);
        match (&appended, self.refused) {
            (Err(StoreError::Full), None) => warn!(
                directory = %self.directory.display(),
                bytes_free = self.file.room(),
                disk_reserve = self.reserve,
                "the disk is full: writes are refused until there is room"
            ),
            (Ok(()), Some(refused)) if frame.len() >= refused => {
                self.refused = None;
                info!(
                    directory = %self.directory.display(),
                    bytes_free = self.file.room(),
                    "there is room on the disk again: writes go on"
                );
            }
            _ => {}
        }
        if matches!(appended, Err(StoreError::Full)) {
            let smallest = self.refused.unwrap_or(usize::MAX);
            self.refused = Some(smallest.min(frame.len()));
        }
        appended
    }

    fn try_append(&mut self, frame: &[u8]) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Io(io::Error::other(
                "an earlier write is in doubt: restart the server",
            )));
        }
        if self.unsynced {
            self.sync()?;
        }
        let needed = self.reserve.saturating_add(frame.len() as u64);
        if self.file.room().is_some_and(|room| room < needed) {
            return Err(StoreError::Full);
        }
        for _ in 0..ATTEMPTS {
            match self.file.write_at(frame, self.len) {
                Ok(written) if written == frame.len() => {
                    self.len = self.len.saturating_add(written as u64);
                    self.unsynced = true;
                    return Ok(());
                }
                Ok(_) => self.undo()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.undo()?;
                    return Err(match error.kind() {
                        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                            StoreError::Full
                        }
                        _ => StoreError::Io(error),
                    });
                }
            }
        }
        // A file takes less than it is given where there is no room for the rest.
        Err(StoreError::Full)
    }

    /// Takes back what there may be of a frame, for good: nothing of it may be found between the bytes of the
    /// next one.
    fn undo(&mut self) -> Result<(), StoreError> {
        let undone = self.file.set_size(self.len);
        undone.and_then(|()| self.file.sync()).map_err(|error| {
            self.failed = true;
            StoreError::InDoubt(error)
        })
    }

    /// Makes what was appended durable. Once this has failed, nothing is written any more: a system may
    /// drop what it could not write, and call the next attempt a success.
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Io(io::Error::other(
                "an earlier sync has failed",
            )));
        }
        self.file.sync().map_err(|error| {
            self.failed = true;
            StoreError::Io(error)
        })?;
        self.unsynced = false;
        Ok(())
    }
}

/// The part that begins with a revision, and how many bytes it has: of a new one, a header.
fn part(
    disk: &dyn Disk,
    directory: &Path,
    history: HistoryId,
    first: Revision,
) -> io::Result<(Box<dyn DiskFile>, u64)> {
    let mut file = disk.open(&directory::journal(directory, first))?;
    let len = file.size()?.max(PART_HEADER as u64);
    // Also where one is seen: the sync of it may have failed.
    file.write_all_at(&part_header(history, first), 0)?;
    file.sync()?;
    disk.sync_names(directory)?;
    Ok((file, len))
}
