use std::fmt;
use std::sync::Arc;

use super::syntax::Place;

/// Where an object was read: `pods.yaml:12:3: document 2, items[4]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file's path, or a name for a text that is none.
    pub file: Arc<str>,
    /// Line and column, unknown in JSON.
    pub place: Place,
    /// Which document of the file, counted from 1.
    pub document: usize,
    /// The object's path within its document: empty, or its place in a list.
    pub path: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.place.is_known() {
            write!(f, ":{}:{}", self.place.line, self.place.column)?;
        }
        write!(f, ": document {}", self.document)?;
        if !self.path.is_empty() {
            write!(f, ", {}", self.path)?;
        }
        Ok(())
    }
}
