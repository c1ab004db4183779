//! The corpus as the engine takes it: the very code that `benches/` uses.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "shared with benches/, each uses its own part"
)]

#[path = "../../benches/support/convert.rs"]
mod convert;

use selectord::model::{Change, Operation, Transaction};

pub use convert::*;

/// Changes as a writer asks for them.
pub fn unresolved(changes: impl IntoIterator<Item = Change>) -> Transaction {
    let operation = |change| match change {
        Change::Put(object) => Operation::Put(object),
        Change::Delete(object) => Operation::Delete(object),
    };
    Transaction {
        operations: changes.into_iter().map(operation).collect(),
        ..Transaction::default()
    }
}
