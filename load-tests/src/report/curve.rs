use serde::Serialize;

use super::Unit;

/// An axis of a diagram.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Axis {
    /// What it shows.
    pub title: String,
    /// In what.
    pub unit: Unit,
    /// Whether equal factors, not equal differences, have equal room.
    pub log: bool,
}

impl Axis {
    /// Equal differences have equal room; it begins at zero.
    pub fn linear(title: impl Into<String>, unit: Unit) -> Axis {
        Axis {
            title: title.into(),
            unit,
            log: false,
        }
    }

    /// Equal factors have equal room.
    pub fn log(title: impl Into<String>, unit: Unit) -> Axis {
        Axis {
            log: true,
            ..Axis::linear(title, unit)
        }
    }
}

/// One line of a diagram.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// Whose it is.
    pub name: String,
    /// In the order in which they are joined.
    pub points: Vec<(f64, f64)>,
}

/// A diagram.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// Of its file: a word with hyphens, unlike any other of the report.
    pub name: String,
    /// What stands above it.
    pub title: String,
    /// Across.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// Its lines.
    pub series: Vec<Series>,
    /// A target, drawn across.
    pub target: Option<f64>,
}

impl Curve {
    /// A diagram without lines.
    pub fn new(name: impl Into<String>, title: impl Into<String>, x: Axis, y: Axis) -> Curve {
        Curve {
            name: name.into(),
            title: title.into(),
            x,
            y,
            series: Vec::new(),
            target: None,
        }
    }

    /// With another line.
    pub fn line(mut self, name: impl Into<String>, points: Vec<(f64, f64)>) -> Curve {
        let name = name.into();
        self.series.push(Series { name, points });
        self
    }

    /// With a target drawn across.
    pub fn target(mut self, y: f64) -> Curve {
        self.target = Some(y);
        self
    }
}
