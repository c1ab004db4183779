//! The real server and the real client library over real sockets, under a storm of changes: whoever is
//! dropped, loses its server or does not read for a while holds in the end what the server holds.
//!
//! | module | what it is |
//! |---|---|
//! | `cluster` | random changes of pods, services and nodes, from a seed |
//! | `state` | what a server answers for a scope, compared with what a watcher holds |
//! | `writer` | the storm: transactions one after another, and how far they are |
//! | `flood` | a large set of which everything changes, over and over |
//! | `killed_subscribers` `killed_server` `stalled` `connection` | the tests |

#![cfg(feature = "service")]

mod cluster;
mod connection;
mod flood;
mod killed_server;
mod killed_subscribers;
mod stalled;
mod state;
mod writer;

#[path = "../process/mod.rs"]
mod process;
#[path = "../support/mod.rs"]
mod support;
