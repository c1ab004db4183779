//! The thread that writes the state, behind the writer's back.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, park_timeout};
use std::time::Duration;

use tracing::{error, info, warn};

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

/// What it comes to that the state cannot be written.
const FAILING: &str = "the state cannot be written: writes are safe and go on, and the journal grows; it is tried \
                       again every second";
/// What it comes to that it is not known whether the state was written: a restart finds out.
const IN_DOUBT: &str = "the state was written, and it is not known whether for good: writes are safe and go on, and \
                        the journal grows until the server is restarted";

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
    fault: StoreFault,
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
    ) -> io::Result<Keeper> {
        let (changes, queue) = channel();
        let (shared, fault) = (Arc::new(Shared::default()), StoreFault::default());
        let worker = Worker {
            disk,
            directory,
            merger: Merger::start(state.merging(), fault.clone())?,
            state,
            shared: Arc::clone(&shared),
            fault: fault.clone(),
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

    /// Makes what is written durable, however long that takes; false if the store is closed before, or it is
    /// never known to be.
    fn flush(&mut self) -> bool {
        while self.merger.is_stuck() {
            if !self.pause() {
                return false;
            }
        }
        let leftovers = self.state.leftovers();
        loop {
            let flushed = match self.is_current() {
                Ok(true) => self.state.flush(),
                Ok(false) => {
                    error!("{IN_DOUBT}");
                    self.fault.set(IN_DOUBT);
                    return false;
                }
                Err(error) => Err(error.into()),
            };
            let Err(error) = flushed else { break };
            self.merger.between(|| leftovers.remove());
            if self.fault.set_for_now(FAILING) {
                warn!(%error, "{FAILING}");
            }
            if !self.pause() {
                return false;
            }
        }
        if self.fault.passed(FAILING) {
            info!("the state is written again");
        }
        self.merger.flushed(self.state.newest());
        true
    }

    /// Whether the state goes by what is on the disk.
    fn is_current(&self) -> io::Result<bool> {
        Ok(self.state.is_current()? || self.merger.between(|| self.state.is_current())?)
    }

    /// Waits before it is tried again; false if the store is closed.
    fn pause(&self) -> bool {
        park_timeout(RETRY);
        !self.shared.stop.load(Ordering::Acquire)
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::disk::SystemDisk;
    use super::super::tree_check::{CURRENT, current};
    use super::*;

    /// A state of which `current` was given its name, and that could not be made durable: it names a list that the
    /// tree does not go by. Answers what that holds.
    fn in_doubt(path: &Path) -> (State, Vec<u8>) {
        let mut state = State::open(path).unwrap();
        state.write(Changes::default());
        state.flush().unwrap();
        let mut names = fs::read(path.join(CURRENT)).unwrap();
        let number = u64::from_le_bytes(names[..8].try_into().unwrap());
        let list = fs::read(path.join(format!("v{number}"))).unwrap();
        fs::write(path.join(format!("v{}", number + 1)), &list).unwrap();
        names[..8].copy_from_slice(&(number + 1).to_le_bytes());
        fs::write(path.join(CURRENT), names).unwrap();
        (state, list)
    }

    fn must_name(path: &Path, list: &[u8]) {
        let number = current(path).unwrap();
        assert!(fs::read(path.join(format!("v{number}"))).unwrap() == list);
        let state = State::open(path).unwrap();
        assert!(state.is_current().unwrap() && state.end().unwrap().is_some());
    }

    #[test]
    fn a_list_that_counts_is_not_begun_anew_by_a_flush() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let (state, list) = in_doubt(&path);
        let disk = Arc::new(SystemDisk);
        let keeper = Keeper::start(disk, folder.path().to_owned(), state, 1).unwrap();
        keeper.write(Changes {
            flush: Some(1),
            ..Changes::default()
        });
        keeper.wait();
        assert_eq!(keeper.fault().get(), Some(IN_DOUBT));
        assert!(keeper.is_busy());
        drop(keeper);
        must_name(&path, &list);
    }

    #[test]
    fn a_list_that_counts_is_not_begun_anew_by_a_merge() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let (state, list) = in_doubt(&path);
        let fault = StoreFault::default();
        let merger = Merger::start(state.merging(), fault.clone()).unwrap();
        merger.flushed(state.newest());
        drop(merger);
        assert!(fault.get().unwrap().contains("cannot be merged"));
        drop(state);
        must_name(&path, &list);
    }
}
