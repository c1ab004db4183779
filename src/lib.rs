//! Kubernetes label selectors over millions of pods: inverted indexes, and a resumable stream of
//! endpoint differences.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod labels;
pub mod model;
pub mod selector;
#[allow(missing_docs)]
pub mod wire { pub mod proto { tonic::include_proto!("selectord.v1"); } }
