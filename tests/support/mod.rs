//! What the tests of the engine share.
//!
//! | module | what it is |
//! |---|---|
//! | [`build`] | short builders for objects and transactions |
//! | [`facts`] | an engine that knows a few facts |
//! | [`generate`] | small random worlds that change, made to collide |
//! | [`oracle`] | the whole behaviour once more, slow and obvious, sharing no code with the engine |
//! | [`questions`] | everything the engine answers, compared |
//! | [`random`] | random numbers from a seed that is printed when a test fails |
//! | [`reader`] | a subscriber that knows what it may be sent |
//! | [`resolve_model`] | what a transaction comes to, step by step |
//! | [`resolving`] | asking for transactions, and reading the answers |
//! | [`shrink`] | the smallest part of a failing history that still fails |
#![allow(
    dead_code,
    unused_imports,
    reason = "each test crate uses its own part of this"
)]

pub mod build;
pub mod facts;
pub mod generate;
pub mod oracle;
pub mod questions;
pub mod random;
pub mod reader;
pub mod resolve_model;
pub mod resolving;
pub mod shrink;
