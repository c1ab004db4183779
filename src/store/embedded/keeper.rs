//! The thread that writes the state, behind the writer's back.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, park_timeout};
use std::time::Duration;

use tracing::{info, warn};

use crate::model::Revision;
use crate::store::StoreFault;

use super::directory;
use super::disk::Disk;
use super::merger::Merger;
use super::state::{Changes, State};
use super::witness::Witness;

/// How soon a write that failed is tried again: the disk may be full.
const RETRY: Duration = Duration::from_secs(1);
/// What a panic of the thread comes to. Nothing is lost, so writes are taken.
const ENDED: &str = "the thread that keeps the state has ended by a defect: writes are safe and go on, \
                     and the journal grows until the server is restarted";

/// Writes changes into the state, one piece after another, and removes what the journal need not keep any
/// more. A write that fails is tried again until it is done: until then the journal holds what it would
/// keep.
pub(super) struct Keeper {
    changes: Option<Sender<Changes>>,
    /// So much may wait, in bytes of the journal.
    most: u64,
    shared: Arc<Shared>,
    fault: StoreFault,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Told when less waits.
    less: Condvar,
    stop: AtomicBool,
}

/// What is handed over and not written.
#[derive(Debug, Default)]
struct Waiting {
    pieces: usize,
    /// Bytes of the journal that say the same.
    bytes: u64,
    /// The thread has ended, and writes nothing any more.
    ended: bool,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by the thread: nobody waits for it once it has ended, however it has.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.waiting().ended = true;
        self.0.less.notify_all();
    }
}

struct Worker {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    state: State,
    merger: Merger,
    shared: Arc<Shared>,
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

impl Keeper {
    /// Starts the thread, on the state of a directory. What so many bytes of the journal say may wait for
    /// it.
    pub(super) fn start(
        disk: Arc<dyn Disk>,
        directory: PathBuf,
        state: State,
        most: u64,
    ) -> std::io::Result<Keeper> {
        let (changes, queue) = channel();
        let (shared, fault) = (Arc::new(Shared::default()), StoreFault::default());
        let worker = Worker {
            disk,
            directory,
            merger: Merger::start(state.merging(), fault.clone())?,
            state,
            shared: Arc::clone(&shared),
        };
        let thread = thread::Builder::new().name("keeper".to_owned()).spawn({
            let (running, fault) = (Running(Arc::clone(&shared)), fault.clone());
            move || {
                let _running = running;
                let _witness = Witness { fault, says: ENDED };
                worker.run(&queue);
            }
        })?;
        Ok(Keeper {
            changes: Some(changes),
            most,
            shared,
            fault,
            thread: Some(thread),
        })
    }

    /// Whether it has so much to do that it takes no more, or does nothing any more.
    pub(super) fn is_busy(&self) -> bool {
        let waiting = self.shared.waiting();
        waiting.ended || (waiting.pieces > 0 && waiting.bytes >= self.most)
    }

    /// Says should a thread of it have ended by a panic.
    pub(super) fn fault(&self) -> StoreFault {
        self.fault.clone()
    }

    /// Waits until everything that was handed over is written.
    pub(super) fn wait(&self) {
        let waiting = self.shared.waiting();
        let busy = |waiting: &mut Waiting| waiting.pieces > 0 && !waiting.ended;
        let done = self.shared.less.wait_while(waiting, busy);
        drop(done.unwrap_or_else(PoisonError::into_inner));
    }

    /// Hands over changes.
    pub(super) fn write(&self, changes: Changes) {
        let mut waiting = self.shared.waiting();
        waiting.pieces = waiting.pieces.saturating_add(1);
        waiting.bytes = waiting.bytes.saturating_add(changes.journal);
        drop(waiting);
        if let Some(queue) = &self.changes {
            // It takes none once it has ended, which it has said.
            let _ = queue.send(changes);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.changes = None;
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // How it ended it has said.
            let _ = thread.join();
        }
    }
}

impl Worker {
    fn run(mut self, queue: &Receiver<Changes>) {
        for changes in queue {
            let (bytes, flush) = (changes.journal, changes.flush);
            self.state.write(changes);
            if let Some(first) = flush {
                if !self.flush() {
                    return;
                }
                self.shorten(first);
            }
            let mut waiting = self.shared.waiting();
            waiting.pieces = waiting.pieces.saturating_sub(1);
            waiting.bytes = waiting.bytes.saturating_sub(bytes);
            drop(waiting);
            self.shared.less.notify_all();
        }
    }

    /// Makes what is written durable, however long that takes; false if the store is closed before.
    fn flush(&mut self) -> bool {
        let mut failed = false;
        while self.merger.is_stuck() {
            park_timeout(RETRY);
            if self.shared.stop.load(Ordering::Acquire) {
                return false;
            }
        }
        let leftovers = self.state.leftovers();
        while let Err(error) = self.state.flush() {
            self.merger.between(|| leftovers.remove());
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
        self.merger.flushed(self.state.newest());
        true
    }

    /// Removes the parts of the journal before the one that begins with a revision.
    fn shorten(&self, first: Revision) {
        let parts = directory::journals(&self.directory).unwrap_or_default();
        let superseded = parts.iter().filter(|(begins, _)| *begins < first);
        for (_, path) in superseded {
            if let Err(error) = self.disk.remove(path) {
                warn!(%error, path = %path.display(), "cannot remove what the journal need not keep");
            }
        }
    }
}
