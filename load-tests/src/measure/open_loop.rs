use std::num::NonZeroU64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::Latencies;

/// Times at which to send, evenly at a rate. Whoever is late sends what is due at once, and the time
/// at which it was due stays what latency is measured from.
#[derive(Debug)]
pub struct Pace {
    start: Instant,
    interval: f64,
    sent: u64,
}

impl Pace {
    /// So many a second, from now on. The calling thread's sleeps become precise.
    pub fn new(a_second: f64) -> Pace {
        // Sleeps are prolonged by 50 µs by default, so that wakes coincide; here they must not. Where
        // this is refused, the generator's lateness shows it.
        let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
        Pace {
            start: Instant::now(),
            interval: 1.0 / a_second.max(f64::MIN_POSITIVE),
            sent: 0,
        }
    }

    /// Sleeps until the next is due; answers when it was to be sent.
    pub fn next(&mut self) -> Instant {
        let due = self.start + Duration::from_secs_f64(self.sent as f64 * self.interval);
        self.sent += 1;
        let ahead = due.saturating_duration_since(Instant::now());
        if !ahead.is_zero() {
            std::thread::sleep(ahead);
        }
        due
    }
}

/// What an open loop saw.
#[derive(Debug)]
pub struct OpenLoop {
    /// From when a request was to be sent to when its answer was there.
    pub latencies: Latencies,
    /// How late the generator itself was in sending: what of the above is not the server's.
    pub lateness: Latencies,
    /// Requests that failed.
    pub failed: u64,
}

/// Sends at a rate, whether or not answers come, until `send` has nothing more. Blocks this thread; the
/// requests run on `on`. Ends when all have been answered, or `patience` after the last was sent.
pub fn open_loop<F>(
    on: &Handle,
    a_second: f64,
    patience: Duration,
    mut send: impl FnMut(u64) -> Option<F>,
) -> OpenLoop
where
    F: Future<Output = bool> + Send + 'static,
{
    let seen = Arc::new(Mutex::new((Latencies::new(), 0u64)));
    let mut lateness = Latencies::new();
    let tracker = Arc::new(tokio::sync::Semaphore::new(0));
    let mut count = 0;
    let mut pace = Pace::new(a_second);
    loop {
        let due = pace.next();
        let late = due.elapsed();
        let Some(request) = send(count) else { break };
        lateness.record(late);
        count += 1;
        let (seen, tracker) = (Arc::clone(&seen), Arc::clone(&tracker));
        on.spawn(async move {
            let well = request.await;
            let latency = due.elapsed();
            if let Ok(mut seen) = seen.lock() {
                if well {
                    seen.0.record(latency);
                } else {
                    seen.1 += 1;
                }
            }
            tracker.add_permits(1);
        });
    }
    let all = u32::try_from(count).unwrap_or(u32::MAX);
    let answered = on.block_on(async {
        tokio::time::timeout(patience, tracker.acquire_many(all))
            .await
            .is_ok()
    });
    let unanswered = if answered {
        0
    } else {
        count.saturating_sub(tracker.available_permits() as u64)
    };
    let (latencies, failed) = match seen.lock() {
        Ok(seen) => (seen.0.clone(), seen.1),
        Err(_) => (Latencies::new(), count),
    };
    OpenLoop {
        latencies,
        lateness,
        failed: failed + unanswered,
    }
}
