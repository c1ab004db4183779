//! Short builders: `pod("ns/a").label("app", "x").ready().ip("10.0.0.1")`.

mod changes;
mod manual;
mod names;
mod pods;
mod services;

pub use changes::*;
pub use manual::*;
pub use names::*;
pub use pods::*;
pub use services::*;
