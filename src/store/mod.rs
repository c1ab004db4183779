//! Floor 7: where transactions are kept.
//!
//! A [`Store`] is handed resolved transactions. It gives each its revision and makes it durable; and it
//! gives back the engine as it was.
//!
//! | store | |
//! |---|---|
//! | [`MemoryStore`] | numbers transactions and keeps none: its history ends with the process |
//! | [`EmbeddedStore`] | keeps them in a directory, with the engine's records where they stood |
//!
//! [`etcd`] is for several processes: what is written there comes back, in one order, to all of them.

mod contract;
mod embedded;
mod epoch;
pub mod etcd;
mod memory;

pub use contract::{AnsweredRequest, MAX_REQUESTS, Request, Store, StoreError, StoreFault};
pub use embedded::{
    Disk, DiskFile, EmbeddedOptions, EmbeddedStore, NewDirectory, OpenError, RecoveryProgress,
};
pub use epoch::{DERIVATION_VERSION, Epoch, HistoryId};
pub use memory::MemoryStore;
