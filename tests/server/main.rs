//! The gRPC service end to end, over real sockets.

#![cfg(feature = "service")]

mod bounds;
mod drain;
mod errors;
mod harness;
mod ingest;
mod offers;
mod pods;
mod read;
mod save;
mod stalled;
mod subscriber;
mod subscribers;
mod unready;
mod watch;
