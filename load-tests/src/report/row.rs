use serde::Serialize;

use crate::measure::Samples;

use super::Unit;

/// A bound that a figure is held to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Not above.
    AtMost(f64),
    /// Not below.
    AtLeast(f64),
}

impl Bound {
    fn holds(self, figure: f64) -> bool {
        match self {
            Bound::AtMost(bound) => figure <= bound,
            Bound::AtLeast(bound) => figure >= bound,
        }
    }

    fn show(self, unit: Unit) -> String {
        match self {
            Bound::AtMost(bound) => format!("≤ {}", unit.show(bound)),
            Bound::AtLeast(bound) => format!("≥ {}", unit.show(bound)),
        }
    }
}

/// What became of a row's targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All its targets hold.
    Met,
    /// One of them does not.
    Missed,
    /// It has none, or was not measured.
    Shown,
}

impl Verdict {
    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Met => "met",
            Verdict::Missed => "MISSED",
            Verdict::Shown => "shown",
        }
    }
}

/// Several runs, told in short.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// In the middle.
    pub median: f64,
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// How many runs.
    pub runs: usize,
}

impl From<&Samples> for Figure {
    fn from(samples: &Samples) -> Figure {
        Figure {
            median: samples.median(),
            low: samples.low(),
            high: samples.high(),
            runs: samples.runs(),
        }
    }
}

/// What a figure stands beside, measured in the same run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Yardstick {
    /// What it is.
    pub name: String,
    /// Its own figure.
    pub figure: Figure,
    /// Of what.
    pub unit: Unit,
}

/// One thing measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What was measured.
    pub what: String,
    /// Of what the figure is.
    pub unit: Unit,
    /// The figure; none if it could not be measured, and a note says why.
    pub figure: Option<Figure>,
    /// What the figure has to keep to.
    pub target: Option<Bound>,
    /// What it stands beside.
    pub yardstick: Option<Yardstick>,
    /// The figure divided by the yardstick's, where both count the same.
    pub ratio: Option<f64>,
    /// What the ratio has to keep to.
    pub ratio_target: Option<Bound>,
    /// Whether both are kept.
    pub verdict: Verdict,
}

impl Row {
    /// A figure of several runs; of none, it counts as not measured, and a note should say why.
    pub fn new(what: impl Into<String>, unit: Unit, samples: &Samples) -> Row {
        Row {
            what: what.into(),
            unit,
            figure: Some(samples.into()).filter(|figure: &Figure| figure.median.is_finite()),
            target: None,
            yardstick: None,
            ratio: None,
            ratio_target: None,
            verdict: Verdict::Shown,
        }
        .judged()
    }

    /// A figure of one run.
    pub fn one(what: impl Into<String>, unit: Unit, figure: f64) -> Row {
        Row::new(what, unit, &Samples::one(figure))
    }

    /// The target: not above this.
    pub fn at_most(mut self, bound: f64) -> Row {
        self.target = Some(Bound::AtMost(bound));
        self.judged()
    }

    /// The target: not below this.
    pub fn at_least(mut self, bound: f64) -> Row {
        self.target = Some(Bound::AtLeast(bound));
        self.judged()
    }

    /// What it stands beside.
    pub fn beside(mut self, name: impl Into<String>, unit: Unit, samples: &Samples) -> Row {
        let yardstick = Yardstick {
            name: name.into(),
            figure: samples.into(),
            unit,
        };
        let figure = self.figure.filter(|_| unit == self.unit);
        self.ratio = figure.map(|figure| figure.median / yardstick.figure.median);
        self.yardstick = Some(yardstick);
        self.judged()
    }

    /// The target of the ratio: not above this. After [`Row::beside`].
    pub fn ratio_at_most(mut self, bound: f64) -> Row {
        self.ratio_target = Some(Bound::AtMost(bound));
        self.judged()
    }

    /// The target of the ratio: not below this. After [`Row::beside`].
    pub fn ratio_at_least(mut self, bound: f64) -> Row {
        self.ratio_target = Some(Bound::AtLeast(bound));
        self.judged()
    }

    fn judged(mut self) -> Row {
        let figure = self.figure.map(|figure| figure.median);
        let targets = [(self.target, figure), (self.ratio_target, self.ratio)];
        let judged = |(bound, figure): (Option<Bound>, Option<f64>)| Some(bound?.holds(figure?));
        let kept: Vec<bool> = targets.into_iter().filter_map(judged).collect();
        self.verdict = match kept.as_slice() {
            [] => Verdict::Shown,
            kept if kept.iter().all(|kept| *kept) => Verdict::Met,
            _ => Verdict::Missed,
        };
        self
    }

    /// The row as cells: what, target, figure, spread, yardstick, ratio, verdict.
    pub fn cells(&self) -> [String; 7] {
        let figure = self.figure;
        let spread = figure.filter(|f| f.runs > 1).map(|f| {
            let (low, high) = (self.unit.show(f.low), self.unit.show(f.high));
            format!("{low} to {high}, {} runs", f.runs)
        });
        let mut targets: Vec<String> = Vec::new();
        targets.extend(self.target.map(|bound| bound.show(self.unit)));
        let of_ratio = |bound: Bound| format!("{} yardstick", bound.show(Unit::Times));
        targets.extend(self.ratio_target.map(of_ratio));
        let yardstick = self.yardstick.as_ref().map(|yardstick| {
            let figure = yardstick.unit.show(yardstick.figure.median);
            format!("{figure}: {}", yardstick.name)
        });
        [
            self.what.clone(),
            targets.join(", "),
            figure.map_or("not measured".to_owned(), |f| self.unit.show(f.median)),
            spread.unwrap_or_default(),
            yardstick.unwrap_or_default(),
            self.ratio.map(|r| Unit::Times.show(r)).unwrap_or_default(),
            self.verdict.word().to_owned(),
        ]
    }

    /// What stands above the cells.
    pub const HEADINGS: [&str; 7] = [
        "what",
        "target",
        "figure",
        "spread",
        "yardstick",
        "ratio",
        "verdict",
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_met_only_if_both_its_targets_are() {
        let row = |figure| Row::one("count", Unit::Time, figure).at_most(1_000.0);
        assert_eq!(row(900.0).verdict, Verdict::Met);
        assert_eq!(row(1_100.0).verdict, Verdict::Missed);
        let beside = |figure| {
            row(900.0)
                .beside("bitset", Unit::Time, &Samples::one(figure))
                .ratio_at_most(4.0)
        };
        assert_eq!(beside(300.0).verdict, Verdict::Met);
        assert_eq!(beside(200.0).verdict, Verdict::Missed);
        assert_eq!(Row::one("size", Unit::Bytes, 1.0).verdict, Verdict::Shown);
        let none = Row::new("memory", Unit::Bytes, &Samples::default()).at_most(1.0);
        assert_eq!(none.verdict, Verdict::Shown);
        assert_eq!(none.cells()[2], "not measured");
    }

    #[test]
    fn figures_of_different_kinds_have_no_ratio() {
        let row = Row::one("faster", Unit::Times, 20_000.0).at_least(10_000.0);
        let row = row.beside("a scan", Unit::Time, &Samples::one(1e8));
        assert_eq!((row.ratio, row.verdict), (None, Verdict::Met));
    }
}
