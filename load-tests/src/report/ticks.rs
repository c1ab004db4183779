use super::{Axis, Unit};

/// Where values of an axis stand, and which of them are named.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    log: bool,
    /// Values that are named, in order.
    pub ticks: Vec<f64>,
}

impl Scale {
    /// A scale on which all these values have room.
    pub fn of(axis: &Axis, values: impl Iterator<Item = f64>) -> Scale {
        let usable = |v: &f64| v.is_finite() && (!axis.log || *v > 0.0);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(usable) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            (low, high) = (1.0, 10.0);
        }
        if axis.log {
            Scale::log(low, high, axis.unit)
        } else {
            Scale::linear(low.min(0.0), high, axis.unit)
        }
    }

    /// From 0 (the low end) to 1 (the high end).
    pub fn place(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }

    /// Some six steps of 1, 2 or 5 times a power of ten; of bytes, of a power of two.
    fn linear(low: f64, high: f64, unit: Unit) -> Scale {
        let high = if high > low { high } else { low + 1.0 };
        let rough = (high - low) / 6.0;
        let magnitude = 10f64.powf(rough.log10().floor());
        let step = match unit {
            Unit::Bytes => 2f64.powf(rough.log2().ceil()),
            _ => [1.0, 2.0, 5.0, 10.0]
                .into_iter()
                .map(|n| n * magnitude)
                .find(|step| *step >= rough)
                .unwrap_or(rough),
        };
        let (first, last) = ((low / step).floor() as i64, (high / step).ceil() as i64);
        Scale {
            low: first as f64 * step,
            high: last as f64 * step,
            log: false,
            ticks: (first..=last).map(|n| n as f64 * step).collect(),
        }
    }

    /// Powers of ten, with 2 and 5 times them too where there are few; of bytes, powers of two.
    fn log(low: f64, high: f64, unit: Unit) -> Scale {
        let all = match unit {
            Unit::Bytes => powers_of_two(low, high),
            _ => powers_of_ten(low, high),
        };
        // Rounding must not push an end value off its own tick.
        let first = all.iter().rposition(|t| *t <= low * 1.000_001).unwrap_or(0);
        let last = all
            .iter()
            .position(|t| *t >= high * 0.999_999)
            .unwrap_or(all.len() - 1)
            .max(first + 1);
        Scale {
            low: all[first],
            high: all[last],
            log: true,
            ticks: all[first..=last].to_vec(),
        }
    }
}

fn powers_of_ten(low: f64, high: f64) -> Vec<f64> {
    let steps: &[f64] = match (high / low).log10() {
        d if d <= 1.5 => &[1.0, 2.0, 5.0],
        d if d <= 3.0 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let exponents = (low.log10().floor() as i32 - 1)..=(high.log10().ceil() as i32 + 1);
    exponents
        .flat_map(|e| steps.iter().map(move |s| s * 10f64.powi(e)))
        .collect()
}

fn powers_of_two(low: f64, high: f64) -> Vec<f64> {
    let step = match (high / low).log2() {
        d if d <= 8.0 => 1.0,
        d if d <= 16.0 => 2.0,
        _ => 4.0,
    };
    let (first, last) = (
        (low.log2() / step).floor() as i32 - 1,
        (high.log2() / step).ceil() as i32 + 1,
    );
    (first..=last)
        .map(|n| 2f64.powf(f64::from(n) * step))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Unit;
    use super::*;

    #[test]
    fn every_value_has_room_between_the_ends() {
        for log in [false, true] {
            for (low, high) in [(1.0, 1.0), (3.0, 7.5e6), (0.2, 0.3), (100.0, 1_000.0)] {
                let axis = Axis {
                    log,
                    ..Axis::linear("x", Unit::Time)
                };
                let scale = Scale::of(&axis, [low, high].into_iter());
                for value in [low, high].into_iter().chain(scale.ticks.iter().copied()) {
                    let place = scale.place(value);
                    assert!(
                        (-1e-6..=1.0 + 1e-6).contains(&place),
                        "{value} in {scale:?}"
                    );
                }
                assert!((2..=12).contains(&scale.ticks.len()), "{scale:?}");
            }
        }
    }

    #[test]
    fn bytes_have_round_steps() {
        let axis = Axis::linear("memory", Unit::Bytes);
        let scale = Scale::of(&axis, [170e6].into_iter());
        assert_eq!(scale.ticks.get(1), Some(&f64::from(32 << 20)));
        let scale = Scale::of(&Axis::log("sent", Unit::Bytes), [5e3, 90e9].into_iter());
        let shown: Vec<String> = scale.ticks.iter().map(|t| Unit::Bytes.show(*t)).collect();
        let round = [
            "4096 B", "64 KiB", "1 MiB", "16 MiB", "256 MiB", "4 GiB", "64 GiB", "1 TiB",
        ];
        assert_eq!(shown, round);
    }

    #[test]
    fn nothing_to_show_is_no_harm() {
        let scale = Scale::of(&Axis::log("x", Unit::Time), std::iter::empty());
        assert!(scale.place(f64::MAX) <= 1.0);
    }
}
