use std::thread;

use tracing::error;

use crate::store::StoreFault;

/// Held by a thread of the store for as long as it runs: should it end by a panic, that is said aloud, and
/// to whoever asks.
pub(super) struct Witness {
    pub(super) fault: StoreFault,
    /// What it is then.
    pub(super) says: &'static str,
}

impl Drop for Witness {
    fn drop(&mut self) {
        if thread::panicking() {
            error!("{}", self.says);
            self.fault.set(self.says);
        }
    }
}
