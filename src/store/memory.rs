use crate::model::{ResolvedTransaction, Revision};

use super::{HistoryId, Store, StoreError};

/// Numbers transactions 1, 2, 3… and keeps none of them: the engine is the only copy.
#[derive(Debug)]
pub struct MemoryStore {
    history: HistoryId,
    head: Revision,
}

impl MemoryStore {
    /// An empty store with a history of its own.
    ///
    /// # Errors
    /// The system has no randomness to name the history with.
    pub fn new() -> Result<Self, getrandom::Error> {
        Ok(MemoryStore::with_history(HistoryId::random()?))
    }

    /// An empty store of a given history: two of these that are given the same transactions are
    /// replicas of each other.
    pub const fn with_history(history: HistoryId) -> Self {
        MemoryStore { history, head: 0 }
    }
}

impl Store for MemoryStore {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn history(&self) -> HistoryId {
        self.history
    }

    fn append(&mut self, group: &[ResolvedTransaction]) -> Result<Vec<Revision>, StoreError> {
        let added = u64::try_from(group.len()).map_err(|_| StoreError::Full)?;
        let before = self.head;
        self.head = before.checked_add(added).ok_or(StoreError::Full)?;
        Ok((before..self.head)
            .map(|revision| revision.saturating_add(1))
            .collect())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_count_from_one() {
        let mut store = MemoryStore::with_history(HistoryId::from_bytes([1; 16]));
        let group = [
            ResolvedTransaction::default(),
            ResolvedTransaction::default(),
        ];
        assert_eq!(store.append(&group).ok(), Some(vec![1, 2]));
        assert_eq!(store.append(&group[..1]).ok(), Some(vec![3]));
        assert!(
            store
                .append(&[])
                .is_ok_and(|revisions| revisions.is_empty())
        );
    }

    #[test]
    fn every_memory_store_is_a_history_of_its_own() {
        let histories = [(), ()].map(|()| MemoryStore::new().ok().map(|store| store.history()));
        assert!(histories[0].is_some());
        assert_ne!(histories[0], histories[1]);
    }
}
