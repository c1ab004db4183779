//! Text into trees that still know where each scalar stood and whether it was quoted, which typed
//! decoding would hide: `active: yes` is a boolean to YAML 1.1, and text to whoever wrote it.
//!
//! [`documents`] takes YAML or JSON; [`plain`] says what YAML reads in an unquoted scalar.

mod error;
mod json;
pub mod plain;
mod text;
mod tree;
mod yaml;

pub use error::{SyntaxCause, SyntaxError};
pub use text::{Document, documents};
pub use tree::{Data, Entry, Extent, Mapping, MappingBuilder, Place, Scalar, Tree};
