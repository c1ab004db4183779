use std::time::Duration;

/// How long a client is waited for that takes what it asked for in parts: it may fall so far behind a rate,
/// in all of its answer together.
#[derive(Debug)]
pub(super) struct Patience {
    most: Duration,
    /// Bytes a second.
    rate: u64,
    left: Duration,
}

impl Patience {
    pub(super) fn new(most: Duration, rate: u64) -> Patience {
        Patience {
            most,
            rate: rate.max(1),
            left: most,
        }
    }

    /// For how long the next bytes are waited for.
    pub(super) fn left(&self) -> Duration {
        self.left
    }

    /// So many bytes were taken, and that took so long. Who is fast gets no more than at first.
    pub(super) fn taken(&mut self, bytes: u64, waited: Duration) {
        let earned = Duration::try_from_secs_f64(bytes as f64 / self.rate as f64);
        let left = self.left.saturating_sub(waited);
        let left = left.saturating_add(earned.unwrap_or(self.most));
        self.left = left.min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_secs(30);
    const RATE: u64 = 256 << 10;

    /// For how long one is waited for who takes so many bytes each time that so much has passed; none of
    /// who is waited for to the end of a gigabyte.
    fn waited_for(bytes: u64, each: Duration) -> Option<Duration> {
        let mut patience = Patience::new(MOST, RATE);
        let mut waited = Duration::ZERO;
        for _ in 0..(1 << 30) / bytes {
            if each > patience.left() {
                return Some(waited + patience.left());
            }
            patience.taken(bytes, each);
            waited += each;
        }
        None
    }

    #[test]
    fn who_takes_a_trickle_is_let_go_as_is_who_takes_nothing() {
        let second = Duration::from_secs(1);
        assert_eq!(waited_for(64 << 10, 31 * second), Some(MOST));
        for each in [29 * second, second, second / 3] {
            let waited = waited_for(64 << 10, each).unwrap();
            // No longer than the rate allows for what was taken meanwhile.
            let taken = (64 << 10) * (waited.as_nanos() / each.as_nanos()) as u64;
            let most = MOST + Duration::from_secs_f64(taken as f64 / RATE as f64);
            assert!(waited <= most, "{each:?}: {waited:?} and not {most:?}");
        }
        assert_eq!(waited_for(64 << 10, second / 4), None);
        assert_eq!(waited_for(1 << 20, 4 * second), None);
    }

    #[test]
    fn who_was_fast_may_not_stand_still_for_longer() {
        let mut patience = Patience::new(MOST, RATE);
        patience.taken(1 << 40, Duration::ZERO);
        assert_eq!(patience.left(), MOST);
        patience.taken(0, 2 * MOST);
        assert_eq!(patience.left(), Duration::ZERO);
        patience.taken(RATE, Duration::ZERO);
        assert_eq!(patience.left(), Duration::from_secs(1));
    }
}
