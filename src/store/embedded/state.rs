use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lsm_tree::compaction::Leveled;
use lsm_tree::{AbstractTree as _, AnyTree, Cache, Config, Guard as _, SeqNo};
use lsm_tree::{CompressionType, SequenceNumberCounter, config::CompressionPolicy};

use crate::engine::{Engine, KeptEnd, ObjectPlace, RecordChange};
use crate::model::{Kind, ObjectRef, Revision};

use super::changed::Now;
use super::codec::Reader;
use super::leftovers::Leftovers;
use super::record::{end_value, read_end};
use super::requests::{RequestChanges, Requests, get_request, put_request};
use super::{object, record, tree_check};

/// The state is written behind the writer's back and read once: little is cached.
const CACHE: u64 = 4 << 20;
/// In a compaction, so many steps at most: the next flush goes on.
const COMPACTIONS: usize = 8;

/// So many objects or records are written before it is told how far a state is filled.
const FILLED_AT_ONCE: usize = 4_096;

/// Which keys: a byte before each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    End = 0,
    Objects = 1,
    Records = 2,
    Requests = 3,
}

/// The key of where the log ends.
const END: [u8; 1] = [Space::End as u8];

/// How the state differs from what is kept of it.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) objects: Vec<(ObjectRef, Now)>,
    pub(super) records: Vec<RecordChange>,
    pub(super) requests: RequestChanges,
    pub(super) end: KeptEnd,
    /// When the newest transaction was committed: milliseconds since 1970.
    pub(super) committed: u64,
    /// Bytes that the journal holds of them.
    pub(super) journal: u64,
    /// Set where the state is the engine at a revision, and is to be flushed: then parts of the journal
    /// before the one that begins with this revision are not needed any more.
    pub(super) flush: Option<Revision>,
}

/// What a state is the state of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct End {
    pub(super) kept: KeptEnd,
    /// When the newest transaction was committed: milliseconds since 1970.
    pub(super) committed: u64,
    /// Numbers of the requests.
    pub(super) requests: std::ops::Range<u64>,
}

/// Objects and records at one revision: what was written last in memory, what was flushed on the disk.
pub(super) struct State {
    path: PathBuf,
    tree: AnyTree,
    next: SeqNo,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl State {
    /// Opens the state of a directory, or makes an empty one.
    pub(super) fn open(path: &Path) -> Result<State, lsm_tree::Error> {
        State::open_with(path, |config| config)
    }

    /// The same, with more that the tree is told.
    pub(super) fn open_with(
        path: &Path,
        more: impl FnOnce(Config) -> Config,
    ) -> Result<State, lsm_tree::Error> {
        let counter = SequenceNumberCounter::default();
        let visible = SequenceNumberCounter::default();
        let config = Config::new(path, counter.clone(), visible.clone())
            .use_cache(Arc::new(Cache::with_capacity_bytes(CACHE)))
            .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4));
        let tree = more(config).open()?;
        let next = tree
            .get_highest_seqno()
            .map_or(0, |seqno| seqno.saturating_add(1));
        counter.set(next);
        visible.set(next);
        let path = path.to_owned();
        Ok(State { path, tree, next })
    }

    /// Whether there is one.
    pub(super) fn is_at(path: &Path) -> bool {
        path.join(tree_check::CURRENT).exists()
    }

    /// Writes changes into memory; [`State::flush`] makes them durable, whole.
    pub(super) fn write(&mut self, changes: Changes) {
        let seqno = self.next;
        self.next = self.next.saturating_add(1);
        for change in changes.records {
            let key = |at| whole(Space::Records, &record::key(at));
            match change {
                RecordChange::Dropped(at) => self.tree.remove(key(at), seqno),
                RecordChange::Written(record) => {
                    let value = record::value(&record);
                    self.tree.insert(key(record.at), value, seqno)
                }
            };
        }
        for (reference, now) in changes.objects {
            let key = whole(Space::Objects, &object::key(&reference));
            match now {
                Now::Stored(stored, positions) => {
                    let value = object::value(&stored, positions);
                    self.tree.insert(key, value, seqno)
                }
                Now::Written(written) => {
                    let (revision, source) = (written.revision, &written.source);
                    let value = object::value_of(revision, source, written.bytes());
                    self.tree.insert(key, value, seqno)
                }
                Now::Gone => self.tree.remove(key, seqno),
            };
        }
        let RequestChanges {
            dropped,
            from,
            written,
            kept,
        } = changes.requests;
        let key = |number: u64| whole(Space::Requests, &number.to_be_bytes());
        for number in dropped {
            self.tree.remove(key(number), seqno);
        }
        for (number, request) in (from..).zip(written) {
            let mut value = Vec::with_capacity(64);
            put_request(&request, &mut value);
            self.tree.insert(key(number), value, seqno);
        }
        let end = End {
            kept: changes.end,
            committed: changes.committed,
            requests: kept,
        };
        self.tree.insert(END, end_value(&end), seqno);
    }

    /// Fills an empty state with everything that an engine holds, and makes it durable, past the memory:
    /// keys come in their order. `tell` is told now and then how many keys were written, of how many.
    pub(super) fn fill(
        &self,
        engine: &Engine,
        committed: u64,
        tell: &mut dyn FnMut(u64, u64),
    ) -> Result<(), lsm_tree::Error> {
        let end = engine.kept_end();
        let of = end.objects.saturating_add(end.records);
        let mut done = 0u64;
        let mut step = |more: usize| {
            done = done.saturating_add(more as u64);
            tell(done, of);
        };
        let mut ingestion = self.tree.ingestion()?;
        let end = End {
            kept: end,
            committed,
            ..End::default()
        };
        ingestion.write(END, end_value(&end))?;
        let mut after = None;
        loop {
            let piece = engine.objects(after.as_ref(), FILLED_AT_ONCE);
            for stored in &piece {
                let reference = stored.object.object_ref();
                let positions = match reference.kind {
                    Kind::Service => engine.service_positions(&reference.name),
                    _ => None,
                };
                let key = whole(Space::Objects, &object::key(&reference));
                ingestion.write(key, object::value(stored, positions))?;
                after = Some(ObjectPlace::from(reference));
            }
            step(piece.len());
            if piece.len() < FILLED_AT_ONCE {
                break;
            }
        }
        let mut written = 0usize;
        for record in engine.records() {
            let key = whole(Space::Records, &record::key(record.at));
            ingestion.write(key, record::value(&record))?;
            written += 1;
            if written.is_multiple_of(FILLED_AT_ONCE) {
                step(FILLED_AT_ONCE);
            }
        }
        ingestion.finish()
    }

    /// What a flush will have left if it fails.
    pub(super) fn leftovers(&self) -> Leftovers {
        Leftovers::watch(&self.path)
    }

    /// Makes what was written durable. What could not be is kept in memory, and may be tried again.
    pub(super) fn flush(&self) -> Result<(), lsm_tree::Error> {
        let lock = self.tree.get_flush_lock();
        self.tree.rotate_memtable();
        self.tree.flush(&lock, self.next)?;
        Ok(())
    }

    /// Whether the list of tables that counts on the disk is the one that it goes by. Where a write has failed
    /// it may be the next one: the tree would begin that anew under its name, and were it stopped
    /// meanwhile, there would be none. While files are merged, it may be that for a moment as well.
    pub(super) fn is_current(&self) -> io::Result<bool> {
        is_current(&self.path, &self.tree)
    }

    /// What merges its files, on another thread.
    pub(super) fn merging(&self) -> Merging {
        Merging {
            path: self.path.clone(),
            tree: self.tree.clone(),
        }
    }

    /// The newest of what was flushed: what is older and superseded need not be kept.
    pub(super) fn newest(&self) -> SeqNo {
        self.next
    }

    /// The requests that clients may ask again.
    pub(super) fn requests(&self, end: &End) -> Result<Requests, StateError> {
        let mut requests = VecDeque::new();
        let mut numbers = end.requests.clone();
        self.each(Space::Requests, &mut |key, value| {
            let expected = numbers.next().map(u64::to_be_bytes);
            if expected.as_ref().is_none_or(|number| number != key) {
                return Err("a request that is not among those noted".to_owned());
            }
            let mut reader = Reader(value);
            let request = get_request(&mut reader).filter(|_| reader.end().is_some());
            requests.push_back(request.ok_or("a request that is none")?);
            Ok(())
        })?;
        if !numbers.is_empty() {
            let what = format!("request {} is missing", numbers.start);
            return Err(StateError::Wrong(what));
        }
        Ok(Requests::of_state(end.requests.start, requests))
    }

    /// What it is the state of.
    pub(super) fn end(&self) -> Result<Option<End>, StateError> {
        let Some(value) = self.tree.get(END, SeqNo::MAX)? else {
            return Ok(None);
        };
        let end = read_end(&value);
        end.map(Some)
            .ok_or_else(|| StateError::Wrong("its end is not what was written".to_owned()))
    }

    /// Hands on everything of one space, in order of the keys.
    pub(super) fn each(&self, space: Space, sink: Sink<'_>) -> Result<(), StateError> {
        for entry in self.tree.prefix([space as u8], SeqNo::MAX, None) {
            let (key, value) = entry.into_inner()?;
            let key = key.get(1..).unwrap_or_default();
            sink(key, &value).map_err(StateError::Wrong)?;
        }
        Ok(())
    }
}

/// Merges the files of a state, while it is written.
pub(super) struct Merging {
    path: PathBuf,
    tree: AnyTree,
}

impl Merging {
    /// Merges what was flushed, up to what is the newest of it. Only one may at a time.
    pub(super) fn merge(&self, newest: SeqNo) -> Result<(), StateError> {
        let nothing_is_flushed = self.tree.get_flush_lock();
        if !is_current(&self.path, &self.tree).map_err(lsm_tree::Error::from)? {
            return Err(StateError::Wrong(format!(
                "{} names another list of tables than was written last",
                tree_check::CURRENT
            )));
        }
        drop(nothing_is_flushed);
        let leftovers = Leftovers::watch(&self.path);
        let merged = self.steps(newest);
        if merged.is_err() {
            let _nothing_is_flushed = self.tree.get_flush_lock();
            leftovers.remove();
        }
        Ok(merged?)
    }

    fn steps(&self, newest: SeqNo) -> Result<(), lsm_tree::Error> {
        // A table that is only moved to another level is a step as well.
        let shape = || -> Vec<_> {
            let levels = (0..).map_while(|level| self.tree.level_table_count(level));
            levels.chain([self.tree.l0_run_count()]).collect()
        };
        for _ in 0..COMPACTIONS {
            let before = shape();
            self.tree.compact(Arc::new(Leveled::default()), newest)?;
            if shape() == before {
                break;
            }
        }
        Ok(())
    }

    /// How many flushes are not merged.
    pub(super) fn runs(&self) -> usize {
        self.tree.l0_run_count()
    }
}

fn is_current(path: &Path, tree: &AnyTree) -> io::Result<bool> {
    Ok(tree_check::current(path)? == tree.current_version().id())
}

fn whole(space: Space, key: &[u8]) -> Vec<u8> {
    [&[space as u8], key].concat()
}

/// Takes a key and its value; says what is wrong with them.
pub(super) type Sink<'s> = &'s mut dyn FnMut(&[u8], &[u8]) -> Result<(), String>;

/// Why the state could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum StateError {
    #[error(transparent)]
    Tree(#[from] lsm_tree::Error),
    #[error("{0}")]
    Wrong(String),
}
