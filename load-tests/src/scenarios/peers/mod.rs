//! What today's systems take for the same: Kubernetes' lister and EndpointSlice reconciler, and
//! Calico's index, run in the same minutes on the same objects and changes. See `peers/README.md`.
//!
//! | file | what it compares |
//! |---|---|
//! | `queries` | selectors over all pods, and memory |
//! | `relabels` | which services a relabelled or replaced pod concerns |
//! | `flips` | a readiness flip in services of 100, 1,000 and 10,000 endpoints |
//! | `churn` | every endpoint of every service after changes of every kind: no times |
//! | `rollout` | what a rolling update sends to nodes |
//! | `stream` | the same by selectord's messages |
//! | `go` | builds and runs the programs of `peers/`, reads what they print |
//! | `files` | the files they are fed |
//! | `answers` | endpoints as text, and the comparison |

mod answers;
mod churn;
mod files;
mod flips;
mod go;
mod queries;
mod relabels;
mod rollout;
mod run;
mod stream;

pub use go::{Peers, find};
pub use run::run;
