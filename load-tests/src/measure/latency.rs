use std::time::Duration;

use hdrhistogram::Histogram;

use super::Samples;

/// Latencies from a microsecond's fraction to an hour, to three digits.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies::new()
    }
}

impl Latencies {
    /// None yet.
    pub fn new() -> Latencies {
        let hour = Duration::from_secs(3_600).as_nanos() as u64;
        // These bounds are legal, so there is no error to answer.
        Latencies(Histogram::new_with_bounds(1, hour, 3).expect("legal bounds"))
    }

    /// Adds one. Above an hour it counts as an hour.
    pub fn record(&mut self, latency: Duration) {
        self.0.saturating_record(latency.as_nanos() as u64);
    }

    /// Adds those of another.
    pub fn add(&mut self, other: &Latencies) {
        // Both have the same bounds.
        self.0.add(&other.0).expect("equal bounds");
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Nanoseconds that this share of them (0 to 1) took at most.
    pub fn quantile(&self, share: f64) -> f64 {
        self.0.value_at_quantile(share) as f64
    }

    /// The same as a figure of a report.
    pub fn at(&self, share: f64) -> Samples {
        Samples::one(self.quantile(share))
    }

    /// Nanoseconds of the longest.
    pub fn max(&self) -> f64 {
        self.0.max() as f64
    }

    /// The distribution as a curve: x is 1 / (1 - share), so that each nine has as much room; y is
    /// nanoseconds.
    pub fn tail(&self) -> Vec<(f64, f64)> {
        let most = self.count().max(1) as f64;
        let mut points = Vec::new();
        let mut x = 1.0;
        while x < most {
            points.push((x, self.quantile(1.0 - 1.0 / x)));
            x *= 1.25;
        }
        points.push((most, self.max()));
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_what_was_recorded() {
        let mut latencies = Latencies::new();
        for micros in 1..=1_000 {
            latencies.record(Duration::from_micros(micros));
        }
        assert_eq!(latencies.count(), 1_000);
        assert!((latencies.quantile(0.5) / 500_000.0 - 1.0).abs() < 0.01);
        assert!((latencies.max() / 1_000_000.0 - 1.0).abs() < 0.01);
        let tail = latencies.tail();
        assert!(tail.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1));
    }
}
