//! Questions, from the index alone to gRPC.
//!
//! | file | what it measures |
//! |---|---|
//! | `questions` | the selectors, and what each is held to |
//! | `counts` | counts in this process, beside flat bitsets and a scan of ordinary maps |
//! | `ids` | pages and whole answers as ids |
//! | `beside_writer` | counts through the owner thread, beside a writer flat out |
//! | `unary` | counts over gRPC beside an empty echo: rates, and latency by load |

mod beside_writer;
mod counts;
mod ids;
mod questions;
mod run;
mod unary;

pub use questions::counts;
pub use run::run;
