//! The durable store: what was acknowledged is there after whatever happened to the process, the disk
//! or the directory, and subscribers go on from where they were.
//!
//! | module | what happens |
//! |---|---|
//! | `histories` | a directory is closed and opened again, at random |
//! | `crash` | the real server is killed in the midst of a storm, over and over |
//! | `directory` | a directory that cannot be served, and what is said of it |
//! | `damage` | a byte of a file is another |
//! | `full_disk` | there is no room left, and then there is |

#![cfg(feature = "service")]

mod crash;
mod damage;
mod directory;
mod full_disk;
mod histories;

#[path = "../process/mod.rs"]
mod process;
#[path = "../support/mod.rs"]
mod support;
