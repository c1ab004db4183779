use std::hash::{BuildHasher, Hash};

use foldhash::quality::FixedState;
use hashbrown::HashTable;

/// Tables in one. A table that is full is copied whole; one of so many is little.
const SHARDS: usize = 1_024;

/// Ids by the hash of what they stand for, which stands elsewhere. Grows in pieces.
#[derive(Debug)]
pub(crate) struct IdTable(Box<[HashTable<u32>]>);

impl Default for IdTable {
    fn default() -> Self {
        IdTable((0..SHARDS).map(|_| HashTable::new()).collect())
    }
}

/// The hash by which things are found. The seed is fixed, as whatever the engine does must be.
pub(crate) fn hash(what: &impl Hash) -> u64 {
    FixedState::with_seed(0x005e_1ec7_0dd0).hash_one(what)
}

impl IdTable {
    /// The id with this hash that `is` what is looked for.
    pub(crate) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        self.shard(hash)?.find(hash, |id| is(*id)).copied()
    }

    /// Adds an id. `hash_of` says the hash of each that is there, should they have to move.
    pub(crate) fn insert(&mut self, hash: u64, id: u32, hash_of: impl Fn(u32) -> u64) {
        if let Some(shard) = self.0.get_mut(place(hash)) {
            shard.insert_unique(hash, id, |id| hash_of(*id));
        }
    }

    /// The ids that move when one more of this hash is added: none, unless a table is full.
    pub(crate) fn moving(&self, hash: u64) -> impl Iterator<Item = u32> {
        let shard = self.shard(hash);
        let full = shard.filter(|shard| shard.len() == shard.capacity());
        full.into_iter().flatten().copied()
    }

    /// Makes room for about so many ids, of which none is there: so that they need not move.
    pub(crate) fn reserve(&mut self, ids: usize) {
        for shard in &mut self.0 {
            shard.reserve(ids / SHARDS, |_| 0);
        }
    }

    /// Takes an id out.
    pub(crate) fn remove(&mut self, hash: u64, id: u32) {
        if let Some(shard) = self.0.get_mut(place(hash))
            && let Ok(entry) = shard.find_entry(hash, |other| *other == id)
        {
            entry.remove();
        }
    }

    /// Bytes of the tables.
    pub(crate) fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|shard| size_of::<HashTable<u32>>() + shard.allocation_size())
            .sum()
    }

    fn shard(&self, hash: u64) -> Option<&HashTable<u32>> {
        self.0.get(place(hash))
    }
}

/// Which table: by bits that the table itself does not look at.
fn place(hash: u64) -> usize {
    (hash >> 40) as usize % SHARDS
}
