//! Engines that follow the same history elsewhere, some of them from a listing on, or with a gap in
//! between: each has the same facts and endpoints at the same revision, and subscribers go from one to
//! another with their cursors.

mod cases;
mod histories;

#[path = "../support/mod.rs"]
mod support;
