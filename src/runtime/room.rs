use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Stopped;

/// Bytes to a permit.
const UNIT: usize = 1 << 10;

/// Room in memory for transactions that are on their way, given in the order in which it is asked for.
#[derive(Debug)]
pub(super) struct Room {
    units: Arc<Semaphore>,
    all: u32,
}

impl Room {
    pub(super) fn new(bytes: usize) -> Self {
        let most = Semaphore::MAX_PERMITS.min(u32::MAX as usize);
        let all = bytes.div_ceil(UNIT).clamp(1, most);
        Room {
            units: Arc::new(Semaphore::new(all)),
            all: u32::try_from(all).unwrap_or(u32::MAX),
        }
    }

    /// Waits for room for so many bytes. What needs more than there is has all of it to itself.
    pub(super) async fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Stopped> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        Arc::clone(&self.units)
            .acquire_many_owned(units.clamp(1, self.all))
            .await
            .map_err(|_| Stopped)
    }
}
