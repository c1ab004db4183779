//! The etcd store against real etcds, started for each test and treated badly.
//!
//! | module | what it is |
//! |---|---|
//! | `etcd` | one or three members, with or without TLS and users |
//! | `wire` | a wire to a member, on which requests and answers can be lost |
//! | `replica` | an engine that follows, and what a writer proposes |
//! | `following` `writing` `losing` `entering` | the tests: what comes back, what goes in, what happens when members, history or room are lost, and who is let in |
//! | `strangers` | a member that comes back as a cluster of its own |
//!
//! Where there is no etcd, each test says so and passes, unless `SELECTORD_TEST_ETCD` is set.

#![cfg(feature = "service")]

mod entering;
mod etcd;
mod following;
mod losing;
mod replica;
mod strangers;
mod wire;
mod writing;

#[path = "../member/mod.rs"]
mod member;
#[path = "../support/mod.rs"]
mod support;
