//! Several replicas of one store: a real etcd, started here. Where there is none, each test
//! says so and passes, unless `SELECTORD_TEST_ETCD` is set.
//!
//! | module | what happens |
//! |---|---|
//! | `together` | two replicas write and hear of each other, at once and one after another |
//! | `away` | etcd stands still, and goes on |
//! | `retries` | a replica is asked again for what it has not heard of |
//! | `moving` | a subscriber moves from one replica to another |
//! | `serving` | the real server: before there is a state, and when the history is another one |
//! | `chunks` | the command line, and what is more than one transaction holds |
//! | `etcd` `replicas` | the etcd, and replicas of it in this process |

#![cfg(feature = "service")]

mod away;
mod chunks;
mod etcd;
mod moving;
mod replicas;
mod retries;
mod serving;
mod together;

#[path = "../member/mod.rs"]
mod member;
#[path = "../process/mod.rs"]
mod process;
