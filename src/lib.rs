//! Kubernetes label selectors over millions of pods: inverted indexes, and a resumable stream of
//! endpoint differences.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[cfg(feature = "service")]
pub mod cli;
#[cfg(feature = "service")]
pub mod client;
pub mod engine;
pub mod index;
pub mod labels;
pub mod model;
pub mod reconcile;
pub mod selector;
#[cfg(feature = "service")]
pub mod store;
#[cfg(feature = "service")]
pub mod wire;
