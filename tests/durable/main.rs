//! The durable store: what was acknowledged is there after whatever happened to the process, the disk
//! or the directory, and subscribers go on from where they were.
//!
//! | module | what happens |
//! |---|---|
//! | `histories` | a directory is closed and opened again, at random |
//! | `crash` | the real server is killed in the midst of a storm, over and over |
//! | `directory` | a directory that cannot be served, and what is said of it |
//! | `damage` | a byte of a file is another |
//! | `faults` | the disk fails, tears what is written, and loses what was not synced (`faulty_disk`) |
//! | `order` | what is synced before a part of the journal goes |
//! | `merges` | the files of the state cannot be merged |
//! | `pieces` | what changed is handed over bit by bit |
//! | `defects` | a thread of the store ends by a panic |
//! | `requests` | what was answered before a restart is asked again |
//! | `full_disk` | there is no room left, and then there is |
//!
//! Some need root (`root`).

#![cfg(feature = "service")]

mod crash;
mod damage;
mod defects;
mod directory;
mod faults;
mod faulty_disk;
mod full_disk;
mod histories;
mod merges;
mod order;
mod pieces;
mod requests;

#[path = "../process/mod.rs"]
mod process;
#[path = "../root/mod.rs"]
mod root;
#[path = "../support/mod.rs"]
mod support;
