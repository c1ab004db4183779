use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;

use crate::subscribers::{Crowd, CrowdOptions};

/// Crowds of subscribers, one after the other, each killed in the middle of what it reads.
pub struct Strangers {
    done: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<u64>>,
}

impl Strangers {
    /// They subscribe with these requests, on connections of a few streams each.
    pub fn start(address: String, requests: Vec<Bytes>, seed: u64) -> Strangers {
        let done = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&done);
        let thread = std::thread::spawn(move || {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut killed = 0;
            while !until.load(Ordering::Relaxed) {
                let requests = requests.iter().map(|request| (request.clone(), false));
                let options = CrowdOptions {
                    per_connection: random.usize(1..64),
                    timed: false,
                };
                let crowd = Crowd::start(&address, requests.collect(), options)?;
                crowd.stall(random.bool());
                std::thread::sleep(Duration::from_millis(random.u64(1..1_500)));
                killed += crowd.streams().len() as u64;
            }
            Ok(killed)
        });
        Strangers { done, thread }
    }

    /// Ends them; answers how many were killed.
    ///
    /// # Errors
    /// One was refused, or was not sent what it should be.
    pub fn stop(self) -> anyhow::Result<u64> {
        self.done.store(true, Ordering::Relaxed);
        self.thread
            .join()
            .unwrap_or_else(|_| Err(anyhow::anyhow!("a thread of subscribers ended by a defect")))
    }
}
