//! A directory that is filled at once, and takes the place of what was there whole or not at all.
//!
//! What is new is made in a folder of the directory itself, so that it is on the same disk, even where
//! the directory is what a disk is mounted at. Once it is whole and durable, the folder gets another
//! name: that is the moment in which it counts. Then its files are moved to where they belong, by whoever
//! opens the directory next if the process was killed meanwhile.
//!
//! Both names end with the id of the new history, and the format in the folder names the same. So a folder that
//! somebody else put there is never taken for one of these, nor removed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::HistoryId;

use super::directory::{
    Directory, FORMAT, FORMAT_NEW, RESTORED, RESTORING, STATE, journal, journals, restore, restores,
};
use super::disk::Disk;
use super::error::OpenError;
use super::format::Format;

/// The folder in which what is new is made. Dropped before it is [`Replacement::commit`]ted, it is
/// removed.
#[derive(Debug)]
pub(super) struct Replacement {
    directory: Directory,
    history: HistoryId,
    folder: PathBuf,
    committed: bool,
}

impl Replacement {
    /// Begins with an empty folder. What is there is left as it is, and refused unless it may be
    /// replaced.
    pub(super) fn begin(directory: Directory, replaces: bool) -> Result<Replacement, OpenError> {
        let path = directory.path();
        finish(&directory)?;
        let occupied =
            path.join(FORMAT).exists() || path.join(STATE).exists() || !journals(path)?.is_empty();
        if occupied && !replaces {
            return Err(OpenError::Occupied {
                directory: path.to_owned(),
            });
        }
        clear(&directory)?;
        let history = HistoryId::random().map_err(io::Error::other);
        let history = history.map_err(|error| OpenError::io("name the history of", path, error))?;
        let folder = restore(path, RESTORING, history);
        fs::create_dir(&folder).map_err(|error| OpenError::io("make", &folder, error))?;
        directory.sync()?;
        Ok(Replacement {
            directory,
            history,
            folder,
            committed: false,
        })
    }

    pub(super) fn disk(&self) -> &Arc<dyn Disk> {
        &self.directory.disk
    }

    pub(super) fn history(&self) -> HistoryId {
        self.history
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts what was made, and is durable, in the place of what was there.
    pub(super) fn commit(mut self) -> Result<(), OpenError> {
        let path = self.directory.path();
        sync(&self.folder)?;
        fs::rename(&self.folder, restore(path, RESTORED, self.history))
            .map_err(|error| OpenError::io("rename", &self.folder, error))?;
        self.committed = true;
        sync(path)?;
        finish(&self.directory)
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.committed {
            // What is left is refused by its name.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Brings to an end what a process that was killed has left: what was whole is put in its place, and
/// what was not is removed. Where there is nothing else, nobody is to take that for an empty directory.
pub(super) fn settle(directory: &Directory) -> Result<(), OpenError> {
    let path = directory.path();
    finish(directory)?;
    if !path.join(FORMAT).exists() && !restores(path, RESTORING)?.is_empty() {
        return Err(OpenError::Unfinished {
            directory: path.to_owned(),
        });
    }
    clear(directory)
}

/// Whether what was whole is still in a folder, or was when its files were being moved.
pub(super) fn is_left_in(disk: &dyn Disk, path: &Path) -> Result<bool, OpenError> {
    for (history, whole) in restores(path, RESTORED)? {
        if names(disk, &whole, FORMAT, history)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the format under a name in a folder is one of this history.
fn names(
    disk: &dyn Disk,
    folder: &Path,
    name: &str,
    history: HistoryId,
) -> Result<bool, OpenError> {
    match Format::read_at(disk, folder, name) {
        Ok(format) => Ok(format.is_some_and(|format| format.history == history)),
        Err(OpenError::Damaged { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes what was being made and is not whole.
fn clear(directory: &Directory) -> Result<(), OpenError> {
    let disk = &*directory.disk;
    for (history, folder) in restores(directory.path(), RESTORING)? {
        if names(disk, &folder, FORMAT_NEW, history)? || names(disk, &folder, FORMAT, history)? {
            remove(&folder)?;
        } else {
            // The format is the first that comes in: what has something else is not ours.
            let _ = fs::remove_dir(&folder);
        }
    }
    Ok(())
}

/// Moves what is whole to where it belongs.
fn finish(directory: &Directory) -> Result<(), OpenError> {
    // What a later version keeps here is not for this one to move, and what is damaged may be replaced.
    match Format::read(directory) {
        Ok(_) | Err(OpenError::Damaged { .. }) => {}
        Err(error) => return Err(error),
    }
    for (history, whole) in restores(directory.path(), RESTORED)? {
        put_in_place(directory, history, &whole)?;
    }
    Ok(())
}

/// Goes on wherever it was before: what was there goes before the new state comes, and the format, without
/// which the rest is nothing, comes last.
fn put_in_place(directory: &Directory, history: HistoryId, whole: &Path) -> Result<(), OpenError> {
    let path = directory.path();
    let is_ours = names(&*directory.disk, whole, FORMAT, history)?;
    let foreign = || {
        let what = "it is named like what a restore leaves, and holds something else";
        Err(OpenError::damaged(path, whole, what))
    };
    if whole.join(STATE).exists() {
        if !is_ours {
            return foreign();
        }
        for name in [FORMAT, FORMAT_NEW, STATE] {
            remove(&path.join(name))?;
        }
        for (_, journal) in journals(path)? {
            remove(&journal)?;
        }
        sync(path)?;
        move_in(whole, path, STATE)?;
        sync(path)?;
    }
    if is_ours {
        if path.join(FORMAT).exists() || !path.join(STATE).exists() {
            return foreign();
        }
        for (first, _) in journals(whole)? {
            let (from, to) = (journal(whole, first), journal(path, first));
            fs::rename(from, &to).map_err(|error| OpenError::io("write", &to, error))?;
        }
        sync(path)?;
        move_in(whole, path, FORMAT)?;
        sync(path)?;
    }
    match fs::remove_dir(whole) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => foreign(),
        Err(error) => Err(OpenError::io("remove", whole, error)),
        Ok(()) => sync(path),
    }
}

fn move_in(from: &Path, to: &Path, name: &str) -> Result<(), OpenError> {
    let to = to.join(name);
    fs::rename(from.join(name), &to).map_err(|error| OpenError::io("write", &to, error))
}

/// Removes a file or a folder with all that is in it, if it is there.
fn remove(path: &Path) -> Result<(), OpenError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(OpenError::io("remove", path, error))
        }
        _ => Ok(()),
    }
}

fn sync(path: &Path) -> Result<(), OpenError> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.map_err(|error| OpenError::io("sync", path, error))
}
