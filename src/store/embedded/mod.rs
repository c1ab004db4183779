//! The durable store: a directory with a journal and, behind it, the state.
//!
//! ```text
//! DIR/LOCK                  held by the process that serves the directory
//! DIR/FORMAT                what the directory is: format, history, and the rules of derivation
//! DIR/journal-REVISION.log  groups of transactions, each synced before it is acknowledged
//! DIR/SUMMARY               check sums of the lists and tables in the state
//! DIR/state/                objects and records of the log at some revision: an LSM tree (`lsm-tree`)
//! ```
//!
//! A group is one frame of the journal, written and synced as one. Behind the writer, whenever the
//! journal has grown, what changed since the last time is taken from the engine and written into the
//! state in one batch; then the older journal is removed. Recovery reads the state, puts the engine
//! together with every record where it stood, and applies the rest of the journal. So the same epoch is
//! served, and a cursor is told what changed behind it and no more.
//!
//! | file | what it does |
//! |---|---|
//! | `format` `directory` | what a directory is; who holds it |
//! | `frame` `journal` `replay` | the journal's bytes, written and read |
//! | `codec` `object` `record` | keys and values of the state |
//! | `state` `summary` `keeper` | the state, what guards its lists, and the thread that writes it |
//! | `open` `read_back` `embedded_store` | recovery, and the store itself |
//! | `new_directory` `replace` | a directory that is filled with what an engine holds |

mod codec;
mod directory;
mod embedded_store;
mod error;
mod format;
mod frame;
mod journal;
mod keeper;
mod new_directory;
mod object;
mod open;
mod read_back;
mod record;
mod replace;
mod replay;
mod state;
mod summary;

pub use embedded_store::{EmbeddedOptions, EmbeddedStore};
pub use error::OpenError;
pub use new_directory::NewDirectory;
pub use open::RecoveryProgress;
