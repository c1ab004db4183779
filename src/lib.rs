//! Kubernetes label selectors over millions of pods: inverted indexes, and a resumable stream of
//! endpoint differences.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
// What input could make panic. Tests are exempt by clippy.toml.
#![warn(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

#[cfg(feature = "service")]
pub mod cli;
#[cfg(feature = "service")]
pub mod client;
pub mod engine;
pub mod index;
pub mod labels;
pub mod model;
#[cfg(feature = "service")]
pub mod proxy;
pub mod reconcile;
#[cfg(feature = "service")]
pub mod runtime;
pub mod selector;
#[cfg(feature = "service")]
pub mod server;
#[cfg(feature = "service")]
pub mod snapshot;
#[cfg(feature = "service")]
pub mod source;
#[cfg(feature = "service")]
pub mod store;
#[cfg(feature = "service")]
pub mod wire;

/// The version of this library, as in its `Cargo.toml`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
