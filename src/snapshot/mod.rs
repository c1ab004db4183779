//! Floor 7: snapshots: a file with every object as it was at one revision.
//!
//! ```text
//! "selctrdS"  format  length-of-header  header   body              SHA-256
//! 8 bytes     u32     u32               message  one LZ4 frame     32 bytes, of all before
//! ```
//!
//! Numbers are in little-endian order, the header is a `SnapshotHeader`, the body `StoredObject`s behind
//! their lengths, by kind, namespace and name ([`ObjectPlace`](crate::engine::ObjectPlace)). It has no
//! revision of any object: who restores it gives them all the one of the header. So it depends on the
//! objects alone, and of the same objects the same bytes are written again.
//!
//! | file | what it does |
//! |---|---|
//! | `format` | what stands before the body, and the check sum behind it |
//! | `writer` | makes the bytes |
//! | `new_file` | puts them into a file that is there whole or not at all |
//! | `reader` | refuses what is not whole, and reads the rest |
//! | `load` | makes an engine of it |

mod error;
mod format;
mod load;
mod new_file;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use error::SnapshotError;
pub use format::{Checked, Header};
pub use load::load;
pub use new_file::NewFile;
pub use reader::{Objects, SnapshotReader};
pub use writer::SnapshotWriter;
