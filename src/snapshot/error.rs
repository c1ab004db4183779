use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a snapshot cannot be read; each says what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It is another kind of file.
    #[error(
        "{path} is not a snapshot of selectord: name a file that 'selectord snapshot save' wrote"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A later version wrote it.
    #[error(
        "{path} has format {found}, and this version knows formats up to {known}: read it with the version that wrote it or a later one"
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// What this version knows.
        known: u32,
    },
    /// It is not what was written.
    #[error("{path} is damaged: {what}. Nothing of it is used; take another copy or an older one")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// It cannot be read.
    #[error("cannot read {path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

impl SnapshotError {
    pub(super) fn io(path: &Path, error: io::Error) -> SnapshotError {
        SnapshotError::Io {
            path: path.to_owned(),
            error,
        }
    }

    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> SnapshotError {
        SnapshotError::Damaged {
            path: path.to_owned(),
            what: what.into(),
        }
    }
}
