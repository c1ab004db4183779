use std::time::Duration;

/// The first delay.
const FIRST: Duration = Duration::from_millis(200);
/// The longest delay.
const LONGEST: Duration = Duration::from_secs(10);

/// Delays between attempts: doubling from 0.2 s to 10 s, each shortened at random by up to half so
/// that clients which lost the same server do not come back together.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) fn new() -> Backoff {
        Backoff { next: FIRST }
    }

    /// Begins anew from the shortest delay.
    pub(super) fn reset(&mut self) {
        self.next = FIRST;
    }

    /// How long to wait before the next attempt.
    pub(super) fn delay(&mut self) -> Duration {
        // Without randomness the delays are merely not spread.
        let random = getrandom::u32().unwrap_or(u32::MAX);
        self.step(f64::from(random) / f64::from(u32::MAX))
    }

    /// `share` of 0 to 1: how much of the second half of the delay is waited.
    fn step(&mut self, share: f64) -> Duration {
        let delay = self.next;
        self.next = LONGEST.min(delay.saturating_mul(2));
        delay.mul_f64(0.5 + share.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_the_longest_and_begins_anew() {
        let mut backoff = Backoff::new();
        let whole: Vec<u128> = (0..8).map(|_| backoff.step(1.0).as_millis()).collect();
        assert_eq!(whole, [200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
        backoff.reset();
        assert_eq!(backoff.step(0.0), Duration::from_millis(100));
    }

    #[test]
    fn random_delays_stay_within_their_half() {
        let mut backoff = Backoff::new();
        let delay = backoff.delay();
        assert!(
            delay >= Duration::from_millis(100) && delay <= Duration::from_millis(200),
            "{delay:?}"
        );
    }
}
