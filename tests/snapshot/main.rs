//! Snapshots: what is saved is the state at one revision, and what is restored is that state, whole or
//! not at all, under another epoch.
//!
//! | module | what happens |
//! |---|---|
//! | `storm` | saves beside writes that change everything, ahead of the walk and behind it |
//! | `round_trip` | random worlds are saved, restored, read back and saved again |
//! | `directory` | directories that are taken, and restores that were broken off |
//! | `binary` | the real program: saved, restored, served; what it refuses and says |

#![cfg(feature = "service")]

mod binary;
mod directory;
mod round_trip;
mod storm;
mod worlds;

#[path = "../process/mod.rs"]
mod process;
#[path = "../support/mod.rs"]
mod support;
