use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a directory cannot be served; each says what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process serves it.
    #[error(
        "{directory} is held by another process{holder}: end that one first, or give this one a directory of its own"
    )]
    Held {
        /// The directory.
        directory: PathBuf,
        /// ` (pid 123)`, if it is known.
        holder: String,
    },
    /// It is not this program's.
    #[error(
        "{directory} is not empty and not a data directory of selectord (it has no FORMAT of one): name an empty one or one that does not exist"
    )]
    Foreign {
        /// The directory.
        directory: PathBuf,
    },
    /// It is to be filled, and is not empty.
    #[error(
        "{directory} holds data already: name an empty directory or one that does not exist, or replace what it holds with --force"
    )]
    Occupied {
        /// The directory.
        directory: PathBuf,
    },
    /// It was to be filled, and was not.
    #[error(
        "a snapshot was to be restored into {directory}, and that did not come to its end: restore it again, or empty the directory"
    )]
    Unfinished {
        /// The directory.
        directory: PathBuf,
    },
    /// A later version wrote it.
    #[error(
        "{directory} has format {found}, and this version knows formats up to {known}: serve it with the version that wrote it or a later one"
    )]
    NewerFormat {
        /// The directory.
        directory: PathBuf,
        /// Its format.
        found: u64,
        /// What this version knows.
        known: u64,
    },
    /// Its endpoints were derived by other rules, so its positions mean nothing under these.
    #[error(
        "{directory} was kept with {kept} and is asked for with {asked}: serve it with the former, or begin with an empty directory, whose subscribers are told everything anew"
    )]
    OtherRules {
        /// The directory.
        directory: PathBuf,
        /// By which rules.
        kept: String,
        /// By which it is to be served.
        asked: String,
    },
    /// What is in it is not what was written.
    #[error(
        "{path} is damaged: {what}. Restore {directory} from a backup, or move it away and begin with an empty one, whose subscribers are told everything anew"
    )]
    Damaged {
        /// The directory.
        directory: PathBuf,
        /// The damaged file, or the folder that it is in.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// It cannot be read or written.
    #[error("cannot {doing} {path}: {error}{remedy}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        error: io::Error,
        /// What to do.
        remedy: &'static str,
    },
}

impl OpenError {
    pub(super) fn io(doing: &'static str, path: &Path, error: io::Error) -> OpenError {
        let remedy = match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                ": the directory has to be writable to the user that selectord runs as"
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                ": make room and start again"
            }
            _ => "",
        };
        OpenError::Io {
            doing,
            path: path.to_owned(),
            error,
            remedy,
        }
    }

    pub(super) fn damaged(directory: &Path, path: &Path, what: impl Into<String>) -> OpenError {
        OpenError::Damaged {
            directory: directory.to_owned(),
            path: path.to_owned(),
            what: what.into(),
        }
    }
}
