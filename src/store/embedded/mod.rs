//! The durable store: a directory with a journal and, behind it, the state.
//!
//! ```text
//! DIR/LOCK                  held by the process that serves the directory
//! DIR/FORMAT                what the directory is: format, history, and the rules of derivation
//! DIR/journal-REVISION.log  groups of transactions, each synced before it is acknowledged
//! DIR/state/                objects and records of the log at some revision: an LSM tree (`lsm-tree`)
//! ```
//!
//! A group is one frame of the journal, written and synced as one. Behind the writer, a little at a time,
//! what changed is taken from the engine and written into the state; when the journal has grown enough, the
//! state is flushed, as the engine is at one revision, and the journal before it is removed. Recovery
//! reads the state, puts the engine together with every record where it stood, and applies the rest of the
//! journal. So the same epoch is served, and a cursor is told what changed behind it and no more.
//!
//! | file | what it does |
//! |---|---|
//! | `disk` | what is asked of the system for the journal and the format |
//! | `format` `directory` | what a directory is; who holds it |
//! | `frame` `frame_search` `journal` `replay` | the journal's bytes, written and read |
//! | `codec` `object` `record` `requests` | keys and values of the state |
//! | `state` `tree_check` `leftovers` | the state, whether its files are what was written, and what is left where one cannot be |
//! | `changed` `keeper` `merger` | what it has not been told of yet; the threads that write it and merge its files |
//! | `witness` | what is said should one of them end by a panic |
//! | `open` `read_back` `embedded_store` | recovery, and the store itself |
//! | `new_directory` `replace` | a directory that is filled with what an engine holds |

mod changed;
mod codec;
mod directory;
mod disk;
mod embedded_store;
mod error;
mod format;
mod frame;
mod frame_search;
mod journal;
mod keeper;
mod leftovers;
mod merger;
mod new_directory;
mod object;
mod open;
mod read_back;
mod record;
mod replace;
mod replay;
mod requests;
mod state;
mod tree_check;
mod witness;

pub use disk::{Disk, DiskFile};
pub use embedded_store::{EmbeddedOptions, EmbeddedStore};
pub use error::OpenError;
pub use new_directory::NewDirectory;
pub use open::RecoveryProgress;
