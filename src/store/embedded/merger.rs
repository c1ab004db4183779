//! The thread that merges the state's files, so that the keeper goes on writing meanwhile.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use tracing::warn;

use crate::store::StoreFault;

use super::state::Merging;
use super::witness::Witness;

/// With so many flushes that are not merged, the next one waits for the merger: the tree counts them in
/// a byte, and each makes reading slower.
const MOST_RUNS: usize = 64;
/// What a panic of the thread comes to.
const ENDED: &str = "the thread that merges the state's files has ended by a defect: they are merged late, \
                     and reading them takes longer, until the server is restarted";

pub(super) struct Merger {
    shared: Arc<Shared>,
    flushed: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    merging: Merging,
    /// Held by whoever merges.
    turn: Mutex<()>,
    /// The newest of what was flushed.
    newest: AtomicU64,
}

impl Merger {
    pub(super) fn start(merging: Merging, fault: StoreFault) -> io::Result<Merger> {
        let shared = Arc::new(Shared {
            merging,
            turn: Mutex::new(()),
            newest: AtomicU64::new(0),
        });
        // One that waits says as much as many.
        let (flushed, wakes) = sync_channel(1);
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("merger".to_owned())
            .spawn(move || {
                let _witness = Witness { fault, says: ENDED };
                of_thread.run(&wakes);
            })?;
        Ok(Merger {
            shared,
            flushed: Some(flushed),
            thread: Some(thread),
        })
    }

    /// Called after a flush, with the newest of what was flushed.
    pub(super) fn flushed(&self, newest: u64) {
        self.shared.newest.store(newest, Ordering::Release);
        if let Some(flushed) = &self.flushed {
            // One that waits already does for both, and one that has ended has said so.
            let _ = flushed.try_send(());
        }
    }

    /// Does something while nothing is merged; waits for it.
    pub(super) fn between(&self, f: impl FnOnce()) {
        let _turn = self.shared.turn();
        f();
    }

    /// Whether there are as many runs as there may be, and they cannot be merged now. Tries it. The tree
    /// counts the runs of a level in one byte, so no more may be flushed meanwhile.
    pub(super) fn is_stuck(&self) -> bool {
        self.shared.merging.runs() > MOST_RUNS && !self.shared.merge()
    }
}

impl Drop for Merger {
    fn drop(&mut self) {
        self.flushed = None;
        if let Some(thread) = self.thread.take() {
            // How it ended it has said.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self, wakes: &Receiver<()>) {
        for () in wakes {
            self.merge();
        }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it could be done.
    fn merge(&self) -> bool {
        let _turn = self.turn();
        let newest = self.newest.load(Ordering::Acquire);
        // What is not merged takes room and nothing else; the next flush tries again.
        let merged = self.merging.merge(newest);
        if let Err(error) = &merged {
            warn!(%error, "the files of the state cannot be merged");
        }
        merged.is_ok()
    }
}
