//! Recovery.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::engine::{Engine, EngineOptions};
use crate::model::Revision;
use crate::store::HistoryId;

use super::changed::Changed;
use super::directory::{Directory, journals};
use super::disk::Disk;
use super::embedded_store::{EmbeddedOptions, EmbeddedStore};
use super::error::OpenError;
use super::format::Format;
use super::frame::{Group, PART_HEADER};
use super::journal::Journal;
use super::keeper::Keeper;
use super::read_back::read_back;
use super::replace;
use super::replay::Part;
use super::requests::Requests;
use super::state::{Changes, State, StateError};
use super::tree_check;

/// After so many steps, how far it is is told.
const STEP: u64 = 4_096;

/// How far recovery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecoveryProgress {
    /// Objects are read.
    Objects {
        /// So many have been.
        done: u64,
        /// Of so many.
        of: u64,
    },
    /// Records of the log are read.
    Records {
        /// So many have been.
        done: u64,
        /// Of so many.
        of: u64,
    },
    /// The journal is applied.
    Journal {
        /// So many transactions have been.
        done: u64,
    },
    /// Everything is there, up to this revision.
    Done {
        /// The newest.
        revision: Revision,
    },
}

/// Told now and then how far recovery is, and at its end.
pub(super) type Tell<'t> = &'t mut dyn FnMut(RecoveryProgress);

pub(super) fn open(
    disk: Arc<dyn Disk>,
    path: &Path,
    rules: EngineOptions,
    options: EmbeddedOptions,
    tell: Tell<'_>,
) -> Result<(EmbeddedStore, Engine), OpenError> {
    let directory = Directory::hold(disk, path)?;
    replace::settle(&directory)?;
    let format = match Format::read(&directory)? {
        Some(format) => format,
        None => begin(&directory, &rules)?,
    };
    format.check(&directory, &rules)?;
    Opening {
        disk: Arc::clone(&directory.disk),
        path: directory.path().to_owned(),
        history: format.history,
        rules,
        tell,
    }
    .run(directory, options)
}

/// Makes an empty directory one of ours. The format comes first under another name, which says that the
/// rest is not finished, and gets its own last: without it the rest is nothing.
fn begin(directory: &Directory, rules: &EngineOptions) -> Result<Format, OpenError> {
    directory.clear_unfinished()?;
    let history = HistoryId::random().map_err(|error| {
        OpenError::io(
            "name the history of",
            directory.path(),
            std::io::Error::other(error),
        )
    })?;
    let format = Format::new(history, rules);
    format.begin(&*directory.disk, directory.path())?;
    let path = directory.state();
    let failed = |error| state_error(directory.path(), &path, error);
    let mut state = State::open(&path).map_err(failed)?;
    state.write(Changes::default());
    state.flush().map_err(failed)?;
    let disk = Arc::clone(&directory.disk);
    Journal::begin(disk, directory.path(), history, 1, 0)
        .map_err(|error| OpenError::io("begin the journal of", directory.path(), error))?;
    Format::commit(&*directory.disk, directory.path())?;
    Ok(format)
}

pub(super) fn state_error(directory: &Path, path: &Path, error: lsm_tree::Error) -> OpenError {
    use std::io::ErrorKind::{InvalidData, InvalidInput, NotFound, UnexpectedEof};
    match error {
        lsm_tree::Error::Io(error)
            if !matches!(
                error.kind(),
                InvalidData | InvalidInput | NotFound | UnexpectedEof
            ) =>
        {
            OpenError::io("open", path, error)
        }
        error => OpenError::damaged(directory, path, error.to_string()),
    }
}

#[derive(Default)]
struct Replay {
    /// Milliseconds since 1970.
    committed: u64,
    /// Bytes of the journal.
    bytes: u64,
    /// Transactions applied.
    done: u64,
    changed: Changed,
    requests: Requests,
}

struct Opening<'r> {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    history: HistoryId,
    rules: EngineOptions,
    tell: Tell<'r>,
}

impl Opening<'_> {
    fn run(
        mut self,
        directory: Directory,
        options: EmbeddedOptions,
    ) -> Result<(EmbeddedStore, Engine), OpenError> {
        let path = directory.state();
        if !State::is_at(&path) {
            return Err(self.damaged(&path, "it is missing"));
        }
        let wrong = |error| match error {
            StateError::Tree(error) => state_error(directory.path(), &path, error),
            StateError::Wrong(what) => OpenError::damaged(directory.path(), &path, what),
        };
        tree_check::check(directory.path(), &path)?;
        let state = State::open(&path).map_err(|error| wrong(error.into()))?;
        let end = state.end().map_err(wrong)?;
        let end = end.ok_or_else(|| self.damaged(&path, "it has no end"))?;
        let mut engine = read_back(&state, self.rules, end.kept, self.tell).map_err(wrong)?;

        let parts = journals(&self.path)?;
        let mut journal = Replay {
            committed: end.committed,
            requests: state.requests(&end).map_err(wrong)?,
            ..Replay::default()
        };
        if parts.is_empty() {
            return Err(self.damaged(&self.path, "its journal is missing"));
        }
        // Behind it may stand one that could not be begun, which may be missing its end as well.
        let holds = |part: &Path| {
            part.metadata()
                .is_ok_and(|part| part.len() > PART_HEADER as u64)
        };
        let last = parts.iter().rposition(|(_, part)| holds(part));
        let last = last.unwrap_or(parts.len().saturating_sub(1));
        // The newest part goes on, if it holds what was written last: so nothing has to be made on a full disk.
        let mut goes_on = None;
        for (number, (first, part)) in parts.iter().enumerate() {
            let next = self.replay(*first, part, number >= last, &mut engine, &mut journal)?;
            goes_on = Some(*first).filter(|_| next == engine.head().saturating_add(1));
        }
        // What the journal says is handed over bit by bit.
        engine.defer_changed_records();
        let head = engine.head();
        (self.tell)(RecoveryProgress::Done { revision: head });

        let begin = |error| OpenError::io("begin the journal of", &self.path, error);
        let first = goes_on.unwrap_or(head.saturating_add(1));
        let disk = || Arc::clone(&self.disk);
        let reserve = options.reserve_bytes;
        let tail =
            Journal::begin(disk(), &self.path, self.history, first, reserve).map_err(begin)?;
        let keeper = Keeper::start(disk(), self.path.clone(), state, options.journal_bytes)
            .map_err(begin)?;
        let store = EmbeddedStore {
            history: self.history,
            head,
            committed: journal.committed,
            journal: tail,
            unflushed: journal.bytes,
            unkept: journal.bytes,
            changed: journal.changed,
            requests: journal.requests,
            keeper,
            options,
            directory,
        };
        Ok((store, engine))
    }

    /// Applies what a part of the journal has behind the engine's head, and answers the revision that follows on
    /// the part's last.
    fn replay(
        &mut self,
        first: Revision,
        path: &Path,
        is_last: bool,
        engine: &mut Engine,
        journal: &mut Replay,
    ) -> Result<Revision, OpenError> {
        let directory = self.path.clone();
        let damaged = |what: String| OpenError::damaged(&directory, path, what);
        let part = Part {
            disk: &*self.disk,
            directory: &directory,
            path,
            history: self.history,
            first,
            is_last,
        };
        let mut next = first;
        if first > engine.head().saturating_add(1) {
            return Err(damaged(format!(
                "revisions {} to {} are missing before it",
                engine.head().saturating_add(1),
                first.saturating_sub(1)
            )));
        }
        part.read(&mut |group: Group| {
            if group.first != next {
                return Err(damaged(format!(
                    "revision {next} is missing: {} follows",
                    group.first
                )));
            }
            let next_request = journal.requests.next();
            if group.number > next_request && !group.requests.is_empty() {
                return Err(damaged(format!("request {next_request} is missing")));
            }
            let known = usize::try_from(next_request.saturating_sub(group.number));
            let known = known.unwrap_or(usize::MAX);
            (journal.requests).extend(group.requests.into_iter().skip(known));
            journal.committed = group.committed.max(journal.committed);
            for transaction in group.transactions {
                let revision = next;
                next = next.saturating_add(1);
                if revision <= engine.head() {
                    continue;
                }
                journal.changed.note_all(&transaction);
                engine
                    .apply(revision, transaction)
                    .map_err(|error| damaged(error.to_string()))?;
                journal.done += 1;
                if journal.done.is_multiple_of(STEP) {
                    let done = journal.done;
                    (self.tell)(RecoveryProgress::Journal { done });
                }
            }
            Ok(())
        })?;
        let bytes = path.metadata().map_or(0, |part| part.len());
        journal.bytes = journal.bytes.saturating_add(bytes);
        Ok(next)
    }

    fn damaged(&self, path: &Path, what: &str) -> OpenError {
        OpenError::damaged(&self.path, path, what)
    }
}
