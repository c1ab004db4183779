use std::time::Duration;

/// A process, looked at from outside through `/proc`.
#[derive(Debug, Clone, Copy)]
pub struct Process(u32);

/// What a process uses.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Bytes in memory (`VmRSS`).
    pub resident: u64,
    /// The most there ever were (`VmHWM`).
    pub peak: u64,
    /// Processor time since it began, of all threads.
    pub cpu: Duration,
}

impl Process {
    /// The process of this number.
    pub fn of(id: u32) -> Process {
        Process(id)
    }

    /// This process.
    pub fn own() -> Process {
        Process(std::process::id())
    }

    /// From now on its peak is counted anew. Where that is refused, the peak stays the highest ever.
    pub fn reset_peak(self) {
        let _ = std::fs::write(format!("/proc/{}/clear_refs", self.0), "5");
    }

    /// What it uses now; none if it is gone, or there is no `/proc`.
    pub fn usage(self) -> Option<Usage> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0)).ok()?;
        let bytes = |name: &str| -> Option<u64> {
            let line = status.lines().find(|line| line.starts_with(name))?;
            Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
        };
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?;
        // The name in parentheses may hold anything, blanks too; what follows it does not.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |field: usize| fields.get(field)?.parse::<u64>().ok();
        let ticks = ticks(11)? + ticks(12)?;
        let a_second = rustix::param::clock_ticks_per_second().max(1);
        Some(Usage {
            resident: bytes("VmRSS:")?,
            peak: bytes("VmHWM:")?,
            cpu: Duration::from_secs_f64(ticks as f64 / a_second as f64),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let usage = Process::own().usage().unwrap();
        assert!(usage.resident > 0 && usage.peak >= usage.resident);
        assert!(Process::of(u32::MAX).usage().is_none());
    }
}
