//! What it costs to keep what is acknowledged, and to come back to it.
//!
//! | file | what |
//! |---|---|
//! | `run` | the phases |
//! | `etcd` | an etcd of one member, if there is one to be had |
//! | `clients` | clients that wait for each answer before they write again |
//! | `rates` | transactions acknowledged a second, by how many clients, in each store; beside each, the store alone |
//! | `recovery` | a load, a killed server, and its successor: time, disk, and what subscribers are sent |

mod clients;
mod etcd;
mod rates;
mod recovery;
mod run;

pub use run::run;
