use std::time::{Duration, Instant};

use super::super::linux::LockWatch;

/// So many times as long as all rules took to read, they need not be read again.
const PAUSE: u32 = 100;
/// But no longer than this, however slow a reading was.
const LONGEST: Duration = Duration::from_secs(600);

/// How long it is believed that nobody writes to the legacy variant, whose kernel counts no changes: as
/// long as nobody takes the lock; but not for ever, since who writes without iptables' programs may take
/// none.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    lock: Option<LockWatch>,
    /// None: the rules have to be read first.
    until: Option<Instant>,
}

impl Quiet {
    /// Whether the rules are what they were.
    pub(super) fn lasts(&mut self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until) && self.saw_nobody()
    }

    /// Reads and compares, which answers whether all is well; if so, it may be quiet from now on.
    pub(super) fn after(&mut self, agrees: impl FnOnce() -> bool) -> bool {
        self.watch();
        let began = Instant::now();
        let agrees = agrees();
        let now = Instant::now();
        let pause = now.duration_since(began).saturating_mul(PAUSE).min(LONGEST);
        self.until = now.checked_add(pause).filter(|_| agrees);
        agrees
    }

    /// Writes, which takes the lock too. Who takes it in the same moment is not seen.
    pub(super) fn but_for<T>(&mut self, write: impl FnOnce() -> T) -> T {
        let was_quiet = self.saw_nobody();
        let written = write();
        if was_quiet {
            self.watch();
        }
        written
    }

    fn saw_nobody(&mut self) -> bool {
        // Once it has seen somebody, it is of no more use.
        self.lock = self.lock.take().filter(LockWatch::saw_nobody);
        self.lock.is_some()
    }

    fn watch(&mut self) {
        // Without it, the rules are read each time.
        self.lock = LockWatch::new().ok();
    }
}
