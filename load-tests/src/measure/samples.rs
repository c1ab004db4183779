use std::time::{Duration, Instant};

use serde::Serialize;

/// Figures of several runs of the same thing. The median is the figure, the rest is its spread.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// One run.
    pub fn one(figure: f64) -> Samples {
        Samples(vec![figure])
    }

    /// How many runs.
    pub fn runs(&self) -> usize {
        self.0.len()
    }

    /// The middle one, or the mean of the two in the middle; not a number if there is none.
    pub fn median(&self) -> f64 {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        match (sorted.get(middle), sorted.len() % 2) {
            (Some(high), 0) => (high + sorted[middle - 1]) / 2.0,
            (Some(figure), _) => *figure,
            (None, _) => f64::NAN,
        }
    }

    /// The smallest.
    pub fn low(&self) -> f64 {
        self.sorted().first().copied().unwrap_or(f64::NAN)
    }

    /// The largest.
    pub fn high(&self) -> f64 {
        self.sorted().last().copied().unwrap_or(f64::NAN)
    }

    /// Adds a run.
    pub fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    /// Each of them, changed alike.
    pub fn map(&self, change: impl Fn(f64) -> f64) -> Samples {
        self.0.iter().copied().map(change).collect()
    }

    /// Run by run, this one divided by that: for two things measured in turn.
    pub fn over(&self, other: &Samples) -> Samples {
        self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect()
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(figures: I) -> Samples {
        Samples(figures.into_iter().collect())
    }
}

/// Nanoseconds that one of `count` repetitions takes. `once` is repeated within one measurement, so
/// that the clock costs nothing.
pub fn nanos(count: u32, mut once: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        once();
    }
    per(start.elapsed(), count)
}

fn per(elapsed: Duration, count: u32) -> f64 {
    elapsed.as_nanos() as f64 / f64::from(count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let odd: Samples = [3.0, 1.0, 2.0].into_iter().collect();
        assert_eq!((odd.low(), odd.median(), odd.high()), (1.0, 2.0, 3.0));
        let even: Samples = [4.0, 1.0, 2.0, 3.0].into_iter().collect();
        assert_eq!(even.median(), 2.5);
        assert!(Samples::default().median().is_nan());
        assert_eq!(even.over(&odd).runs(), 3);
    }
}
