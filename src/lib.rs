//! Kubernetes label selectors over millions of pods: inverted indexes, and a resumable stream of
//! endpoint differences.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod labels;
pub mod model;
pub mod selector;

pub mod engine;

#[cfg(feature = "service")]
pub mod wire;
