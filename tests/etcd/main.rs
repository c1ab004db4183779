//! Several selectords on one etcd, all of them the real programs: three members, three replicas, and
//! whatever can befall either while they are written to and watched.
//!
//! | module | what it is |
//! |---|---|
//! | `proxy` | a wire that can be cut |
//! | `members` | three members of etcd, with a wire between each two |
//! | `replica` | `selectord serve --store`, with a wire to each member |
//! | `world` | all of it together |
//! | `patience` | waiting for what has to come |
//! | `workload` | what is written, so that a half or a loss of it is seen |
//! | `writer` | writes, and keeps account of what it was told |
//! | `subscriber` `library` | subscribers that move between replicas with their cursors: on the bare protocol, counting bytes, and with the client library |
//! | `crowd` | all subscribers of a test, and what they are ordered to do |
//! | `truth` | what etcd holds, and whether everybody holds the same |
//! | `faults` | what is done to members and replicas |
//! | `storm` | everything at once, at random |
//! | `compaction` `restore` `quorum` `moving` `conflict` | one thing each |
//!
//! Where there is no etcd, each test says so and passes, unless `SELECTORD_TEST_ETCD` is set. `SELECTORD_TEST_SUBSCRIBERS` and
//! `SELECTORD_TEST_FAULTS` make the storm larger and longer.

#![cfg(feature = "service")]

mod compaction;
mod conflict;
mod crowd;
mod faults;
mod library;
mod members;
mod moving;
mod patience;
mod proxy;
mod quorum;
mod replica;
mod restore;
mod storm;
mod subscriber;
mod truth;
mod workload;
mod world;
mod writer;

#[path = "../member/mod.rs"]
mod member;
#[path = "../process/mod.rs"]
mod process;
#[path = "../support/mod.rs"]
mod support;
