//! Floor 7: where transactions are kept.
//!
//! A [`Store`] gives each resolved transaction its revision and makes it durable. It knows objects
//! whole and nothing of what is derived from them; whoever reads a store back applies its
//! transactions to a new engine and has the same state.
//!
//! [`MemoryStore`] numbers transactions and keeps none: its history ends with the process.

mod contract;
mod epoch;
mod memory;

pub use contract::{Store, StoreError};
pub use epoch::{DERIVATION_VERSION, Epoch, HistoryId};
pub use memory::MemoryStore;
