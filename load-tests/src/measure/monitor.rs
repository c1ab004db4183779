use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Process, Usage};

/// Looks at a process ten times a second until it is asked what it saw.
#[derive(Debug)]
pub struct Monitor {
    done: Arc<AtomicBool>,
    thread: JoinHandle<Vec<(Duration, Usage)>>,
}

impl Monitor {
    /// Begins to look.
    pub fn start(process: Process) -> Monitor {
        let done = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&done);
        let thread = std::thread::spawn(move || {
            let start = Instant::now();
            let mut seen = Vec::new();
            loop {
                // Read first: the last look is at how it ended.
                let last = until.load(Ordering::Relaxed);
                if let Some(usage) = process.usage() {
                    seen.push((start.elapsed(), usage));
                }
                if last {
                    return seen;
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Monitor { done, thread }
    }

    /// Ends, and answers what the process used, by the time since the start.
    pub fn stop(self) -> Vec<(Duration, Usage)> {
        self.done.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }

    /// Cores that it kept busy between the first and the last look.
    pub fn cores(seen: &[(Duration, Usage)]) -> f64 {
        match (seen.first(), seen.last()) {
            (Some((from, first)), Some((to, last))) if to > from => {
                let busy = last.cpu.saturating_sub(first.cpu);
                busy.as_secs_f64() / (*to - *from).as_secs_f64()
            }
            _ => f64::NAN,
        }
    }

    /// Its resident memory, second by second, as a curve.
    pub fn resident(seen: &[(Duration, Usage)]) -> Vec<(f64, f64)> {
        let point = |(at, usage): &(Duration, Usage)| (at.as_secs_f64(), usage.resident as f64);
        seen.iter().map(point).collect()
    }
}
