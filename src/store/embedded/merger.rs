//! The thread that merges the state's files, so that the keeper goes on writing meanwhile.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use tracing::{info, warn};

use crate::store::StoreFault;

use super::state::Merging;
use super::witness::Witness;

/// With so many flushes that are not merged, the next one waits for the merger: the tree counts them in
/// a byte, and each makes reading slower.
const MOST_RUNS: usize = 64;
/// What a panic of the thread comes to.
const ENDED: &str = "the thread that merges the state's files has ended by a defect: writes are safe and go on, \
                     and the journal grows once too many are not merged, until the server is restarted";

/// What it comes to that merges fail.
const FAILING: &str = "the files of the state cannot be merged: writes are safe and go on, and the journal grows \
                       once too many are not merged; it is tried again";

pub(super) struct Merger {
    shared: Arc<Shared>,
    flushed: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    merging: Merging,
    fault: StoreFault,
    /// Held by whoever merges.
    turn: Mutex<()>,
    /// The newest of what was flushed.
    newest: AtomicU64,
}

impl Merger {
    pub(super) fn start(merging: Merging, fault: StoreFault) -> io::Result<Merger> {
        let shared = Arc::new(Shared {
            merging,
            fault: fault.clone(),
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
    pub(super) fn between<T>(&self, f: impl FnOnce() -> T) -> T {
        let _turn = self.shared.turn();
        f()
    }

    /// Whether there are as many runs as there may be, and they cannot be merged now. Tries it. The tree
    /// counts the runs of a level in one byte, so no more may be flushed meanwhile.
    pub(super) fn is_stuck(&self) -> bool {
        if self.shared.merging.runs() <= MOST_RUNS {
            return false;
        }
        // That it could be done does not say that it did anything: what a merge was at that ended by a panic, the
        // tree leaves alone from then on.
        self.shared.merge();
        self.shared.merging.runs() > MOST_RUNS
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

    fn merge(&self) {
        let _turn = self.turn();
        let newest = self.newest.load(Ordering::Acquire);
        // What is not merged takes room and nothing else; the next flush tries again.
        match self.merging.merge(newest) {
            Ok(()) => {
                if self.fault.passed(FAILING) {
                    info!("the files of the state are merged again");
                }
            }
            Err(error) => {
                if self.fault.set_for_now(FAILING) {
                    warn!(%error, "{FAILING}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lsm_tree::compaction::filter::Context;
    use lsm_tree::compaction::{CompactionFilter, Factory, ItemAccessor, Verdict};

    use super::super::state::{Changes, State};
    use super::*;

    /// A defect in whatever merges.
    struct Breaking;

    impl Factory for Breaking {
        fn name(&self) -> &str {
            "breaking"
        }

        fn make_filter(&self, _: &Context) -> Box<dyn CompactionFilter> {
            Box::new(Breaking)
        }
    }

    impl CompactionFilter for Breaking {
        fn filter_item(&mut self, _: ItemAccessor<'_>, _: &Context) -> lsm_tree::Result<Verdict> {
            panic!("asked to merge");
        }
    }

    #[test]
    fn no_more_is_flushed_than_can_be_read_once_the_thread_has_ended_by_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let breaking = |config: lsm_tree::Config| {
            config.with_compaction_filter_factory(Some(Arc::new(Breaking)))
        };
        let mut state = State::open_with(&path, breaking).unwrap();
        let fault = StoreFault::default();
        let merger = Merger::start(state.merging(), fault.clone()).unwrap();
        let mut flush = || {
            state.write(Changes::default());
            state.flush().unwrap();
            merger.flushed(state.newest());
        };
        // As many as are merged.
        (0..8).for_each(|_| flush());
        while fault.get().is_none() {
            thread::yield_now();
        }
        assert_eq!(fault.get(), Some(ENDED));
        for _ in 0..300 {
            if !merger.is_stuck() {
                flush();
            }
        }
        assert_eq!(merger.shared.merging.runs(), MOST_RUNS + 1);
        assert!(merger.is_stuck());
        drop((merger, state));
        assert!(State::open(&path).unwrap().end().unwrap().is_some());
    }
}
