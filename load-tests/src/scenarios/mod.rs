//! One file, or folder, for each scenario. Another one takes a function that runs it, and a line in
//! `list.rs`.

mod churn;
mod engine;
mod fanout;
mod ingest;
mod list;
mod peers;
mod proxy;
mod query;
mod resume;
mod soak;
mod store;

pub use list::{child, chosen, help, names};
