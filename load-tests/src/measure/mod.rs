//! How things are measured.

mod latency;
mod monitor;
mod open_loop;
mod process;
mod samples;

pub use latency::Latencies;
pub use monitor::Monitor;
pub use open_loop::{OpenLoop, Pace, open_loop};
pub use process::{Process, Usage};
pub use samples::{Samples, nanos};
