//! A directory that is filled at once, and takes the place of what was there whole or not at all.
//!
//! What is new is made in a folder of the directory itself, so that it is on the same disk, even where
//! the directory is what a disk is mounted at. Once it is whole and durable, the folder gets another
//! name: that is the moment in which it counts. Then its files are moved to where they belong, by whoever
//! opens the directory next if the process was killed meanwhile.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::directory::{Directory, FORMAT, FORMAT_NEW, RESTORED, RESTORING, STATE, journals};
use super::disk::Disk;
use super::error::OpenError;
use super::format::Format;

/// The folder in which what is new is made. Dropped before it is [`Replacement::commit`]ted, it is
/// removed.
#[derive(Debug)]
pub(super) struct Replacement {
    directory: Directory,
    folder: PathBuf,
    committed: bool,
}

impl Replacement {
    /// Begins with an empty folder. What is there is left as it is, and refused unless it may be
    /// replaced.
    pub(super) fn begin(directory: Directory, replaces: bool) -> Result<Replacement, OpenError> {
        let path = directory.path();
        finish(path)?;
        let occupied =
            path.join(FORMAT).exists() || path.join(STATE).exists() || !journals(path)?.is_empty();
        if occupied && !replaces {
            return Err(OpenError::Occupied {
                directory: path.to_owned(),
            });
        }
        let folder = path.join(RESTORING);
        remove(&folder)?;
        fs::create_dir(&folder).map_err(|error| OpenError::io("make", &folder, error))?;
        directory.sync()?;
        Ok(Replacement {
            directory,
            folder,
            committed: false,
        })
    }

    pub(super) fn disk(&self) -> &Arc<dyn Disk> {
        &self.directory.disk
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts what was made, and is durable, in the place of what was there.
    pub(super) fn commit(mut self) -> Result<(), OpenError> {
        let path = self.directory.path();
        sync(&self.folder)?;
        let whole = path.join(RESTORED);
        fs::rename(&self.folder, &whole)
            .map_err(|error| OpenError::io("rename", &self.folder, error))?;
        self.committed = true;
        sync(path)?;
        finish(path)
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
    finish(path)?;
    let unfinished = path.join(RESTORING);
    if unfinished.exists() && !path.join(FORMAT).exists() {
        return Err(OpenError::Unfinished {
            directory: path.to_owned(),
        });
    }
    remove(&unfinished)
}

/// Moves what is whole to where it belongs. It may have been begun before: what was there goes before
/// the new state comes, and the format, without which the rest is nothing, comes last.
fn finish(path: &Path) -> Result<(), OpenError> {
    let whole = path.join(RESTORED);
    if !whole.exists() {
        return Ok(());
    }
    if whole.join(STATE).exists() {
        // It is what was made here, and nothing goes for anything else.
        if !Format::is_at(&whole)? {
            let format = whole.join(FORMAT);
            return Err(OpenError::damaged(
                path,
                &format,
                "it is missing or not ours",
            ));
        }
        for name in [FORMAT, FORMAT_NEW, STATE] {
            remove(&path.join(name))?;
        }
        for (_, journal) in journals(path)? {
            remove(&journal)?;
        }
        sync(path)?;
        move_in(&whole, path, STATE)?;
        sync(path)?;
    }
    let entries = fs::read_dir(&whole).map_err(|error| OpenError::io("read", &whole, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| OpenError::io("read", &whole, error))?;
        let name = entry.file_name();
        if name != FORMAT {
            let to = path.join(&name);
            fs::rename(entry.path(), &to).map_err(|error| OpenError::io("write", &to, error))?;
        }
    }
    sync(path)?;
    if whole.join(FORMAT).exists() {
        move_in(&whole, path, FORMAT)?;
        sync(path)?;
    }
    remove(&whole)?;
    sync(path)
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
