use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::model::Revision;
use crate::store::{HistoryId, StoreError};

use super::directory;
use super::frame::part_header;

/// The end of the journal, which is being written.
#[derive(Debug)]
pub(super) struct Journal {
    directory: PathBuf,
    history: HistoryId,
    file: File,
    /// Bytes that hold whole frames.
    len: u64,
    /// Room that is left to others on the disk, and to the state.
    reserve: u64,
    /// It is not known what is on the disk.
    failed: bool,
}

impl Journal {
    /// Begins a part, with the transaction of this revision.
    pub(super) fn begin(
        directory: &Path,
        history: HistoryId,
        first: Revision,
        reserve: u64,
    ) -> io::Result<Journal> {
        let (file, len) = part(directory, history, first)?;
        Ok(Journal {
            directory: directory.to_owned(),
            history,
            file,
            len,
            reserve,
            failed: false,
        })
    }

    /// Goes on in a new part, which begins with this revision; what is written is durable already.
    pub(super) fn turn(&mut self, first: Revision) -> io::Result<()> {
        (self.file, self.len) = part(&self.directory, self.history, first)?;
        Ok(())
    }

    /// Appends a frame whole or not at all.
    pub(super) fn append(&mut self, frame: &[u8]) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Io(io::Error::other(
                "an earlier write is in doubt: restart the server",
            )));
        }
        let needed = self.reserve.saturating_add(frame.len() as u64);
        if room(&self.file).is_some_and(|room| room < needed) {
            return Err(StoreError::Full);
        }
        let Err(error) = self.file.write_all_at(frame, self.len) else {
            self.len = self.len.saturating_add(frame.len() as u64);
            return Ok(());
        };
        if let Err(error) = self.file.set_len(self.len) {
            self.failed = true;
            return Err(StoreError::Io(error));
        }
        Err(match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
            _ => StoreError::Io(error),
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
        self.file.sync_data().map_err(|error| {
            self.failed = true;
            StoreError::Io(error)
        })
    }
}

/// Bytes that may still be written to the file's disk; none if that cannot be told.
fn room(file: &File) -> Option<u64> {
    let disk = rustix::fs::fstatvfs(file).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Makes a part with nothing but its header. One of the same revision holds nothing else.
fn part(directory: &Path, history: HistoryId, first: Revision) -> io::Result<(File, u64)> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(directory::journal(directory, first))?;
    let header = part_header(history, first);
    file.write_all_at(&header, 0)?;
    file.sync_all()?;
    directory::sync(directory)?;
    Ok((file, header.len() as u64))
}
