//! The corpus as the engine takes it: the very code that `benches/` uses.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "shared with benches/, each uses its own part"
)]

#[path = "../../benches/support/convert.rs"]
mod convert;

pub use convert::*;
