//! The thread that writes the state, behind the writer's back.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle, park_timeout};
use std::time::Duration;

use tracing::{error, info, warn};

use crate::model::Revision;

use super::directory;
use super::state::{Changes, State};
use super::summary;

/// How soon a write that failed is tried again: the disk may be full.
const RETRY: Duration = Duration::from_secs(1);

/// Most changes that wait while one is written or files are merged: each is about what a mebibyte of the
/// journal says.
const WAITING: usize = 8;

/// Writes changes into the state, one at a time, and removes what the journal need not keep any more.
/// A write that fails is tried again until it is done: until then the journal holds what it would keep.
pub(super) struct Keeper {
    changes: Option<SyncSender<Changes>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Changes that are handed over and not written.
    waiting: AtomicUsize,
    stop: AtomicBool,
}

struct Worker {
    directory: PathBuf,
    state: State,
    /// Once so many bytes of the journal are in the state, it is flushed.
    journal_bytes: u64,
    /// Bytes of the journal that are in the state and not flushed.
    unflushed: u64,
    shared: Arc<Shared>,
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

impl Keeper {
    /// Starts the thread, on the state of a directory.
    pub(super) fn start(
        directory: PathBuf,
        state: State,
        journal_bytes: u64,
    ) -> std::io::Result<Keeper> {
        let (changes, queue) = sync_channel(WAITING);
        let shared = Arc::new(Shared::default());
        let worker = Worker {
            directory,
            state,
            journal_bytes,
            unflushed: 0,
            shared: Arc::clone(&shared),
        };
        let thread = thread::Builder::new()
            .name("keeper".to_owned())
            .spawn(move || worker.run(&queue))?;
        Ok(Keeper {
            changes: Some(changes),
            shared,
            thread: Some(thread),
        })
    }

    /// Whether it has so much to do that it takes no more.
    pub(super) fn is_busy(&self) -> bool {
        self.shared.waiting.load(Ordering::Acquire) >= WAITING
    }

    /// Hands over changes; the caller has seen that it is not busy.
    pub(super) fn write(&self, changes: Changes) {
        self.shared.waiting.fetch_add(1, Ordering::AcqRel);
        if let Some(queue) = &self.changes
            && queue.send(changes).is_err()
        {
            error!("the thread that keeps the state has ended: the journal grows until a restart");
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.changes = None;
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                error!("the thread that keeps the state ended by a panic");
            }
        }
    }
}

impl Worker {
    fn run(mut self, queue: &Receiver<Changes>) {
        for changes in queue {
            let head = changes.end.head;
            self.unflushed = self.unflushed.saturating_add(changes.journal);
            self.state.write(changes);
            if self.unflushed >= self.journal_bytes {
                if !self.flush() {
                    return;
                }
                self.unflushed = 0;
                self.shorten(head);
            }
            self.shared.waiting.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Makes what is written durable, however long that takes; false if the store is closed before.
    fn flush(&self) -> bool {
        let mut failed = false;
        while let Err(error) = self.state.flush() {
            if !failed {
                failed = true;
                warn!(%error, "the state cannot be written: the journal is kept, and it is tried again every second");
            }
            park_timeout(RETRY);
            if self.shared.stop.load(Ordering::Acquire) {
                return false;
            }
        }
        if failed {
            info!("the state is written again");
        }
        // What is not merged takes room and nothing else; the next flush tries again.
        if let Err(error) = self.state.compact() {
            warn!(%error, "the files of the state cannot be merged");
        }
        // One that is older says nothing, and is no reason to stop.
        let _ = summary::note(&self.directory, &self.directory.join(directory::STATE));
        true
    }

    /// Removes the parts of the journal that hold nothing behind a revision.
    fn shorten(&self, kept: Revision) {
        let parts = directory::journals(&self.directory).unwrap_or_default();
        let superseded = parts.windows(2).filter_map(|pair| match pair {
            [(_, path), (next, _)] if *next <= kept.saturating_add(1) => Some(path),
            _ => None,
        });
        for path in superseded {
            if let Err(error) = fs::remove_file(path) {
                warn!(%error, path = %path.display(), "cannot remove what the journal need not keep");
            }
        }
    }
}
