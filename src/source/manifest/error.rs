use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::labels::FieldError;
use crate::model::ObjectRef;

use super::origin::Origin;
use super::syntax::SyntaxError;

/// How many errors are kept; more are only counted.
const LIMIT: usize = 20;

/// One reason why manifests are refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// A file or directory could not be read.
    #[error("{}: cannot be read: {cause}", path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A directory holds no manifests.
    #[error("{}: holds no files ending in .yaml, .yml or .json; directories within it are not looked into", path.display())]
    NoManifests {
        /// Its path.
        path: PathBuf,
    },
    /// A file is neither YAML nor JSON.
    #[error("{file}:{}:{}: document {}: {cause}", cause.place.line, cause.place.column, cause.document)]
    Syntax {
        /// The file.
        file: Arc<str>,
        /// What is wrong, and where.
        #[source]
        cause: SyntaxError,
    },
    /// A field of an object is refused.
    #[error("{at}: {object}: {error}")]
    Field {
        /// The object's file and document, and the field's line.
        at: Origin,
        /// Kind, namespace and name as far as they are known: `Pod default/rng`.
        object: String,
        /// The field's path from the document's root, and what is wrong with it.
        #[source]
        error: FieldError,
    },
    /// The same object stands in the input twice.
    #[error("{second}: {object} stands in the input already, at {first}: keep one")]
    Duplicate {
        /// The object.
        object: ObjectRef,
        /// Where it stands first.
        first: Origin,
        /// Where it stands again.
        second: Origin,
    },
}

/// Why manifests are refused: every reason, up to a number, and how many more there are.
#[derive(Debug, Default)]
pub struct ManifestErrors {
    errors: Vec<ManifestError>,
    more: usize,
}

impl ManifestErrors {
    /// The first of them, in the order found.
    pub fn errors(&self) -> &[ManifestError] {
        &self.errors
    }

    /// How many more there are.
    pub fn more(&self) -> usize {
        self.more
    }

    pub(super) fn push(&mut self, error: ManifestError) {
        if self.errors.len() < LIMIT {
            self.errors.push(error);
        } else {
            self.more += 1;
        }
    }

    pub(super) fn add_more(&mut self, more: usize) {
        self.more += more;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }
}

/// One error a line.
impl fmt::Display for ManifestErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.errors.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        match self.more {
            0 => Ok(()),
            1 => f.write_str("\nand 1 more error"),
            more => write!(f, "\nand {more} more errors"),
        }
    }
}

impl std::error::Error for ManifestErrors {}
