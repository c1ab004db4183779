use std::fmt;

use crate::engine::{EngineOptions, MissingNode};

/// Raised whenever the same transactions come to give other endpoints than before, so that nobody
/// resumes across the difference.
pub const DERIVATION_VERSION: u32 = 1;

const FNV_OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const FNV_PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// Names one run of revisions: random, made with the store. A restored backup gets a new one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HistoryId([u8; 16]);

impl HistoryId {
    /// A new one.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        Ok(HistoryId(id))
    }

    /// One that a store kept.
    pub const fn from_bytes(id: [u8; 16]) -> Self {
        HistoryId(id)
    }

    /// Its bytes, for a store to keep.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for HistoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HistoryId({:032x})", u128::from_be_bytes(self.0))
    }
}

/// Names what subscribers can resume in: a history, and everything that changes what is derived
/// from it. Servers with the same epoch and revision have the same endpoints.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch([u8; 16]);

impl Epoch {
    /// The epoch of a history under these rules: FNV-1a, 128 bits.
    pub fn new(history: HistoryId, options: &EngineOptions) -> Self {
        let EngineOptions {
            missing_node,
            retention,
        } = options;
        let mode = match missing_node {
            MissingNode::Admit => 0,
            MissingNode::Withhold => 1,
        };
        let remembered =
            [retention.removals, retention.deleted_names, retention.share].map(|n| n as u64);
        let rules = [u64::from(DERIVATION_VERSION), mode]
            .into_iter()
            .chain(remembered);
        let bytes = history
            .0
            .into_iter()
            .chain(rules.flat_map(u64::to_be_bytes));
        let hash = bytes.fold(FNV_OFFSET, |hash, byte| {
            (hash ^ u128::from(byte)).wrapping_mul(FNV_PRIME)
        });
        Epoch(hash.to_be_bytes())
    }

    /// Its bytes, as cursors carry them.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epoch({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_changes_what_is_derived_makes_another_epoch() {
        let history = HistoryId::from_bytes([7; 16]);
        let options = EngineOptions::default();
        let withhold = EngineOptions {
            missing_node: MissingNode::Withhold,
            ..options
        };
        let epoch = Epoch::new(history, &options);
        assert_eq!(epoch, Epoch::new(history, &options));
        assert_ne!(epoch, Epoch::new(history, &withhold));
        assert_ne!(epoch, Epoch::new(HistoryId::from_bytes([8; 16]), &options));
    }
}
