//! One file, or folder, for each scenario. Another one takes a function that runs it, and a line in
//! `list.rs`.

mod engine;
mod list;
mod peers;

pub use list::{child, chosen, help, names};
