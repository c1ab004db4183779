//! The durable store: what was acknowledged is there after whatever happened to the process, the disk
//! or the directory, and subscribers go on from where they were.

#[path = "../process/mod.rs"]
mod process;
#[path = "../support/mod.rs"]
mod support;

mod histories;
