//! Many subscribers of one server.
//!
//! | file | what |
//! |---|---|
//! | `run` | the phases, in their order |
//! | `cluster` | a loaded server, and the state that subscribers begin with |
//! | `population` | who subscribes to what |
//! | `load` | changes at a rate, and which subscribers each of them concerns |
//! | `latency` | a thousand subscribers at rising rates |
//! | `crowded` | ten thousand, each counted, some compared |
//! | `memory` | what a subscriber costs the server, idle and stalled |
//! | `single` | one subscriber of one service, while everything else changes |

mod cluster;
mod crowded;
mod latency;
mod load;
mod memory;
mod population;
mod run;
mod single;

pub use cluster::{Cluster, State};
pub use run::run;
