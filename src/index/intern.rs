use std::hash::Hash;

use super::paged::Slots;
use super::table::{IdTable, hash};

/// Values that many share, each once, counted by those who hold it and gone with the last.
#[derive(Debug)]
pub(crate) struct Interner<T> {
    values: Slots<(T, u32)>,
    table: IdTable,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Interner {
            values: Slots::default(),
            table: IdTable::default(),
        }
    }
}

impl<T: Hash + Eq> Interner<T> {
    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        self.values.get(id).map(|(value, _)| value)
    }

    fn find(&self, value: &T) -> Option<u32> {
        self.table
            .find(hash(value), |id| self.get(id) == Some(value))
    }

    /// The id of a value; the caller holds it from now on.
    pub(crate) fn acquire(&mut self, value: T) -> u32 {
        if let Some(id) = self.find(&value) {
            return self.retain(id);
        }
        let hashed = hash(&value);
        let id = self.values.insert((value, 1));
        let values = &self.values;
        self.table.insert(hashed, id, |id| {
            values.get(id).map_or(0, |(value, _)| hash(value))
        });
        id
    }

    /// Makes the caller another holder of a value that is there; answers its id.
    pub(crate) fn retain(&mut self, id: u32) -> u32 {
        if let Some((_, holders)) = self.values.get_mut(id) {
            *holders += 1;
        }
        id
    }

    /// The caller holds it no longer.
    pub(crate) fn release(&mut self, id: u32) {
        let Some((value, holders)) = self.values.get_mut(id) else {
            return;
        };
        *holders -= 1;
        if *holders == 0 {
            self.table.remove(hash(&*value), id);
            self.values.remove(id);
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.values.bytes() + self.table.bytes()
    }
}
