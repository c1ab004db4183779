use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::engine::KeptEnd;

use super::record::{end_value, read_end};

const OBJECTS: &str = "objects";
const RECORDS: &str = "records";
/// Sorts before every object.
const END: &[u8] = &[0];
/// The state is written behind the writer's back and read once: little is cached.
const CACHE: u64 = 4 << 20;
const MEMTABLE: u64 = 8 << 20;
const OWN_JOURNAL: u64 = 64 << 20;

/// Where a key belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    Objects,
    Records,
}

/// How the state differs from what is kept of it.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) puts: Vec<(Space, Vec<u8>, Vec<u8>)>,
    pub(super) deletions: Vec<(Space, Vec<u8>)>,
    pub(super) end: KeptEnd,
    /// When the newest transaction was committed: milliseconds since 1970.
    pub(super) committed: u64,
}

/// Takes a key and its value; says what is wrong with them.
pub(super) type Sink<'s> = &'s mut dyn FnMut(&[u8], &[u8]) -> Result<(), String>;

/// Objects and records at one revision.
#[derive(Clone)]
pub(super) struct State {
    database: Database,
    objects: Keyspace,
    records: Keyspace,
}

impl State {
    /// Opens the state of a directory, or makes an empty one.
    pub(super) fn open(path: &Path) -> Result<State, fjall::Error> {
        let database = Database::builder(path)
            .cache_size(CACHE)
            .max_journaling_size(OWN_JOURNAL)
            .worker_threads(1)
            .open()?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE);
        Ok(State {
            objects: database.keyspace(OBJECTS, options)?,
            records: database.keyspace(RECORDS, options)?,
            database,
        })
    }

    /// Writes changes whole, for good.
    pub(super) fn write(&self, changes: &Changes) -> Result<(), fjall::Error> {
        let mut batch = self.database.batch();
        for (space, key) in &changes.deletions {
            batch.remove(self.keyspace(*space), key.as_slice());
        }
        for (space, key, value) in &changes.puts {
            batch.insert(self.keyspace(*space), key.as_slice(), value.as_slice());
        }
        let end = end_value(&changes.end, changes.committed);
        batch.insert(&self.objects, END, end);
        batch.commit()?;
        self.database.persist(PersistMode::SyncAll)
    }

    /// Where the log ended, and when its newest transaction was committed.
    pub(super) fn end(&self) -> Result<Option<(KeptEnd, u64)>, StateError> {
        let Some(value) = self.objects.get(END)? else {
            return Ok(None);
        };
        let end = read_end(&value);
        end.map(Some)
            .ok_or_else(|| StateError::Wrong("its end is not what was written".to_owned()))
    }

    /// Hands on everything of one space, in order of the keys.
    pub(super) fn each(&self, space: Space, sink: Sink<'_>) -> Result<(), StateError> {
        for entry in self.keyspace(space).iter() {
            let (key, value) = entry.into_inner()?;
            if space == Space::Records || *key != *END {
                sink(&key, &value).map_err(StateError::Wrong)?;
            }
        }
        Ok(())
    }

    fn keyspace(&self, space: Space) -> &Keyspace {
        match space {
            Space::Objects => &self.objects,
            Space::Records => &self.records,
        }
    }
}

/// Why the state could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum StateError {
    #[error(transparent)]
    Fjall(#[from] fjall::Error),
    #[error("{0}")]
    Wrong(String),
}
