use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::store::HistoryId;

use super::disk::Disk;
use super::error::OpenError;
use super::format::Format;
use super::frame::PART_HEADER;
use super::replace;

const LOCK: &str = "LOCK";
/// What a file system of its own may have at its root.
const LOST_AND_FOUND: &str = "lost+found";
/// So often is asked for the lock again: a process that has just ended may not have let go of it.
const PATIENCE: usize = 10;
const PAUSE: Duration = Duration::from_millis(50);
pub(super) const FORMAT: &str = "FORMAT";
pub(super) const FORMAT_NEW: &str = "FORMAT.new";
pub(super) const STATE: &str = "state";
/// Begins the name of the folder in which is made what is to take the place of what there is; the id of its
/// history ends it.
pub(super) const RESTORING: &str = "restoring-";
/// The same once it is whole.
pub(super) const RESTORED: &str = "restored-";
/// What a directory of ours may hold beside these and the parts of its journal.
const NAMES: [&str; 5] = [LOCK, FORMAT, FORMAT_NEW, STATE, LOST_AND_FOUND];
/// Longest content of a lock: a pid.
const LONGEST_PID: u64 = 20;
const JOURNAL: &str = "journal-";
const JOURNAL_END: &str = ".log";

/// A data directory that this process holds: nobody else gets it before this is dropped.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) disk: Arc<dyn Disk>,
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes the directory unless it is there, and takes hold of it.
    pub(super) fn hold(disk: Arc<dyn Disk>, path: &Path) -> Result<Directory, OpenError> {
        make(disk.as_ref(), path).map_err(|error| OpenError::io("make", path, error))?;
        let is_served = Format::is_at(path)? || replace::is_left_in(&*disk, path)?;
        if !is_served && !is_empty(path)? && !is_ours(path)? {
            return Err(OpenError::Foreign {
                directory: path.to_owned(),
            });
        }
        let lock = path.join(LOCK);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock)
            .map_err(|error| OpenError::io("write", &lock, error))?;
        let mut left = PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if left > 0 => {
                    left -= 1;
                    thread::sleep(PAUSE);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(OpenError::Held {
                        directory: path.to_owned(),
                        holder: holder(file),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(OpenError::io("lock", &lock, error)),
            }
        }
        // Only for the message that others get: the lock is what counts.
        let mut writer = &file;
        let _ = file.set_len(0);
        let _ = writer.rewind();
        let _ = writeln!(writer, "{}", std::process::id());
        Ok(Directory {
            disk,
            path: path.to_owned(),
            _lock: file,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn state(&self) -> PathBuf {
        self.path.join(STATE)
    }

    /// Makes the names of files that were made or removed durable.
    pub(super) fn sync(&self) -> Result<(), OpenError> {
        let synced = self.disk.sync_names(&self.path);
        synced.map_err(|error| OpenError::io("sync", &self.path, error))
    }

    /// Removes what a first start has left that did not come to its end: nothing was ever written. One has
    /// left the format under its first name; where there is none, what is there was begun and served, or is
    /// somebody else's, and is left alone.
    pub(super) fn clear_unfinished(&self) -> Result<(), OpenError> {
        let missing = || {
            let format = self.path.join(FORMAT);
            Err(OpenError::damaged(&self.path, &format, "it is missing"))
        };
        let (state, parts) = (self.state(), journals(&self.path)?);
        let is_begun = self.path.join(FORMAT_NEW).exists();
        if !is_begun && (state.exists() || !parts.is_empty()) {
            return missing();
        }
        let is_new = |(first, path): &(u64, PathBuf)| {
            let len = path.metadata().map_or(u64::MAX, |file| file.len());
            *first <= 1 && len <= PART_HEADER as u64
        };
        if !parts.iter().all(is_new) {
            return missing();
        }
        for (_, path) in parts {
            let removed = self.disk.remove(&path);
            removed.map_err(|error| OpenError::io("remove", &path, error))?;
        }
        if state.exists() {
            fs::remove_dir_all(&state).map_err(|error| OpenError::io("clear", &state, error))?;
        }
        Ok(())
    }
}

/// Makes a directory and those that it lies in, unless they are there, and each name for good.
fn make(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|it| !it.exists()).collect();
    fs::create_dir_all(path)?;
    for parent in missing.into_iter().filter_map(Path::parent) {
        // Of a name without folders, the parent is empty.
        let here = parent.as_os_str().is_empty();
        disk.sync_names(if here { Path::new(".") } else { parent })?;
    }
    Ok(())
}

/// Whether there is nothing in it that somebody put there.
fn is_empty(path: &Path) -> Result<bool, OpenError> {
    let failed = |error| OpenError::io("read", path, error);
    for entry in fs::read_dir(path).map_err(failed)? {
        if entry.map_err(failed)?.file_name() != LOST_AND_FOUND {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether everything in a directory without a format of ours has a name that we give, and its lock holds
/// what we write there. Others have a file of that name as well.
fn is_ours(path: &Path) -> Result<bool, OpenError> {
    let lock = path.join(LOCK);
    match File::open(&lock) {
        Ok(file) => {
            let mut content = Vec::new();
            let read = file.take(LONGEST_PID + 1).read_to_end(&mut content);
            read.map_err(|error| OpenError::io("read", &lock, error))?;
            // Of what is not synced, a power failure may leave zeros.
            let is_blank = content.iter().all(|byte| *byte == 0);
            if content.len() as u64 > LONGEST_PID || (!is_blank && pid(&content).is_none()) {
                return Ok(false);
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(OpenError::io("read", &lock, error)),
    }
    let failed = |error| OpenError::io("read", path, error);
    for entry in fs::read_dir(path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let is_known = NAMES.iter().any(|known| name == *known)
            || first_revision(&name).is_some()
            || [RESTORING, RESTORED]
                .iter()
                .any(|prefix| history(&name, prefix).is_some());
        if !is_known {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Who holds a lock that says this.
fn pid(content: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(content).ok()?;
    text.trim().parse().ok()
}

fn holder(lock: File) -> String {
    let mut content = Vec::new();
    let read = lock.take(LONGEST_PID).read_to_end(&mut content);
    let pid = read.ok().and_then(|_| pid(&content));
    pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}

/// The folder of what is restored as a history.
pub(super) fn restore(directory: &Path, prefix: &str, history: HistoryId) -> PathBuf {
    let history = u128::from_be_bytes(*history.as_bytes());
    directory.join(format!("{prefix}{history:032x}"))
}

/// The history that such a folder is named for; none of what is named otherwise.
fn history(name: &OsStr, prefix: &str) -> Option<HistoryId> {
    let id = name.to_str()?.strip_prefix(prefix)?;
    let history = u128::from_str_radix(id, 16).ok()?;
    (id == format!("{history:032x}")).then(|| HistoryId::from_bytes(history.to_be_bytes()))
}

/// The folders with such a name, and the histories that they are named for.
pub(super) fn restores(
    directory: &Path,
    prefix: &str,
) -> Result<Vec<(HistoryId, PathBuf)>, OpenError> {
    let failed = |error| OpenError::io("read", directory, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let is_folder = entry.file_type().map_err(failed)?.is_dir();
        if let Some(history) = history(&entry.file_name(), prefix).filter(|_| is_folder) {
            found.push((history, entry.path()));
        }
    }
    Ok(found)
}

/// Where the part of the journal is that begins with a revision.
pub(super) fn journal(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("{JOURNAL}{first:020}{JOURNAL_END}"))
}

/// The revision that a part of the journal begins with, by its name; none of what is no part.
fn first_revision(name: &OsStr) -> Option<u64> {
    let number = name.to_str()?.strip_prefix(JOURNAL)?;
    number.strip_suffix(JOURNAL_END)?.parse().ok()
}

/// The parts of the journal by the revisions that they begin with, oldest first.
pub(super) fn journals(directory: &Path) -> Result<Vec<(u64, PathBuf)>, OpenError> {
    let failed = |error| OpenError::io("read", directory, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let Some(first) = first_revision(&entry.file_name()) {
            found.push((first, entry.path()));
        }
    }
    found.sort_unstable();
    Ok(found)
}
