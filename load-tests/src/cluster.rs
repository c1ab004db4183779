//! The corpus as the engine takes it: the very code that `benches/` uses.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "shared with benches/, each uses its own part"
)]

#[path = "../../benches/support/convert.rs"]
mod convert;

use selectord::engine::{Engine, ResolveLimits};
use selectord::model::{Change, ResolvedTransaction, Transaction};

pub use convert::*;

/// What of a write is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// All of it, as every write comes: it is resolved, then applied.
    Whole,
    /// Applying alone, of what was resolved before.
    Applied,
}

/// A write that is ready to be measured.
#[derive(Debug)]
pub enum Prepared {
    /// Not resolved yet.
    Whole(Transaction),
    /// Resolved.
    Applied(ResolvedTransaction),
}

impl Way {
    /// Makes a transaction of the changes. Each names a final state, so that resolving changes nothing.
    pub fn prepare(self, changes: impl IntoIterator<Item = Change>) -> Prepared {
        match self {
            Way::Whole => Prepared::Whole(unresolved(changes)),
            Way::Applied => Prepared::Applied(transaction(changes)),
        }
    }

    /// In words.
    pub fn says(self) -> &'static str {
        match self {
            Way::Whole => "resolved and applied",
            Way::Applied => "applying alone",
        }
    }
}

impl Prepared {
    /// Does it.
    pub fn write(self, engine: &mut Engine) {
        let resolved = match self {
            Prepared::Applied(resolved) => resolved,
            Prepared::Whole(transaction) => {
                engine
                    .resolve(transaction, ResolveLimits::default())
                    .expect("a valid transaction")
                    .transaction
            }
        };
        apply(engine, resolved);
    }
}
