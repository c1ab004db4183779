//! How things are measured.

mod latency;
mod open_loop;
mod process;
mod raw;
mod samples;

pub use latency::Latencies;
pub use open_loop::{Pace, open_loop};
pub use process::Process;
pub use raw::{Raw, RawCodec};
pub use samples::{Samples, nanos};
