use std::time::Duration;

/// While writes wait, catch-up takes this part of the time that they take: with their own time, a
/// quarter of the whole.
const PART: u32 = 3;
/// No more is saved up than this: who catches up after a long calm gets no head start over writers.
const MOST: Duration = Duration::from_millis(5);

/// What part of the engine's time belongs to catch-up while writes wait. Counts time and has no clock.
#[derive(Debug, Default)]
pub(super) struct Share {
    saved: Duration,
    owed: Duration,
}

impl Share {
    /// Writes took so long.
    pub(super) fn wrote(&mut self, time: Duration) {
        let earned = time / PART;
        let paid = earned.min(self.owed);
        self.owed -= paid;
        self.saved = (self.saved + (earned - paid)).min(MOST);
    }

    /// Catch-up took so long.
    pub(super) fn told(&mut self, time: Duration) {
        let paid = time.min(self.saved);
        self.saved -= paid;
        self.owed += time - paid;
    }

    /// No write waits: what catch-up takes now is taken from nobody.
    pub(super) fn forgive(&mut self) {
        self.owed = Duration::ZERO;
    }

    /// Whether catch-up may go on though writes wait.
    pub(super) fn allows(&self) -> bool {
        self.owed.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writers that always wait, and a queue of pieces that never ends.
    fn told_of(write: Duration, piece: Duration, turns: u32) -> (Duration, Duration) {
        let (mut wrote, mut told) = (Duration::ZERO, Duration::ZERO);
        let mut share = Share::default();
        for _ in 0..turns {
            share.wrote(write);
            wrote += write;
            while share.allows() {
                share.told(piece);
                told += piece;
            }
        }
        (wrote, told)
    }

    #[test]
    fn a_quarter_of_the_time_whatever_pieces_and_writes_take() {
        let micros = Duration::from_micros;
        for (write, piece) in [(20, 150), (150, 150), (5_000, 100), (1, 700), (300, 7)] {
            let (wrote, told) = told_of(micros(write), micros(piece), 10_000);
            let share = told.as_secs_f64() / (wrote + told).as_secs_f64();
            assert!((0.24..=0.26).contains(&share), "{write} {piece}: {share}");
        }
    }

    #[test]
    fn what_was_taken_while_nobody_waited_is_not_owed() {
        let mut share = Share::default();
        share.told(Duration::from_secs(1));
        assert!(!share.allows());
        share.forgive();
        assert!(share.allows());
    }

    #[test]
    fn a_long_group_saves_up_little() {
        let mut share = Share::default();
        share.wrote(Duration::from_secs(10));
        share.told(MOST);
        assert!(share.allows());
        share.told(Duration::from_nanos(1));
        assert!(!share.allows());
    }
}
