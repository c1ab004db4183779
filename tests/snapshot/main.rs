//! Snapshots: what is saved is the state at one revision, and what is restored is that state, whole or
//! not at all, under another epoch.
//!
//! | module | what happens |
//! |---|---|
//! | `storm` | saves beside writes that change everything, ahead of the walk and behind it |
//! | `round_trip` | random worlds are saved, restored, read back and saved again |
//! | `directory` | directories that are taken, and restores that were broken off |
//! | `binary` | the real program: saved, restored, served; what it refuses and says |
//! | `shared` | restored into an etcd, under servers that share it |

#![cfg(feature = "service")]

mod binary;
mod directory;
mod round_trip;
mod shared;
mod storm;
mod worlds;

#[path = "../replica/etcd.rs"]
#[allow(dead_code, reason = "each test crate uses its own part of this")]
mod etcd;
#[path = "../member/mod.rs"]
mod member;
#[path = "../process/mod.rs"]
mod process;
#[path = "../support/mod.rs"]
mod support;
