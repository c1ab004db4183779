//! A cluster in motion, and subscribers that fold it.
//!
//! | file | what |
//! |---|---|
//! | `run` | the phases: load, subscribe, churn at a rate, churn flat out, compare |
//! | `writer` | changes over gRPC, at a rate or as fast as they are taken |
//! | `follower` | a subscriber that folds what it is sent, and keeps when it was where |
//! | `compare` | what is folded against what the server answers |

pub mod compare;
mod follower;
mod run;
pub mod writer;

pub use run::run;
