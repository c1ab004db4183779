//! gRPC as a load generator speaks it: bytes that were encoded before the clock runs.

mod call;
mod ingest;
mod raw;

pub use call::{Call, connect};
pub use ingest::{Batch, ingest, load, send};
pub use raw::RawCodec;
