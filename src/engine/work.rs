use std::ops::{AddAssign, Sub};

/// Work done, counted: what proportionality is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Objects put or deleted.
    pub changes: u64,
    /// Postings that gained or lost a pod.
    pub postings_touched: u64,
    /// Standing selectors tested against a label set.
    pub selectors_tested: u64,
    /// Endpoints, or pods that might be one, looked at.
    pub endpoints_visited: u64,
    /// Records written to the log.
    pub records_written: u64,
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Work) {
        self.changes += other.changes;
        self.postings_touched += other.postings_touched;
        self.selectors_tested += other.selectors_tested;
        self.endpoints_visited += other.endpoints_visited;
        self.records_written += other.records_written;
    }
}

impl Sub for Work {
    type Output = Work;

    fn sub(self, before: Work) -> Work {
        Work {
            changes: self.changes - before.changes,
            postings_touched: self.postings_touched - before.postings_touched,
            selectors_tested: self.selectors_tested - before.selectors_tested,
            endpoints_visited: self.endpoints_visited - before.endpoints_visited,
            records_written: self.records_written - before.records_written,
        }
    }
}
