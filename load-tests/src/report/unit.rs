use serde::{Serialize, Serializer};

/// What a figure counts. Figures are held in the base unit, which is what `report.json` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Time,
    /// Bytes.
    Bytes,
    /// So many of these a second.
    Rate(&'static str),
    /// So many times as much.
    Times,
    /// A share of one, written in percent.
    Share,
    /// So many of these.
    Number(&'static str),
}

impl Unit {
    /// The base unit's name.
    pub fn base(self) -> String {
        match self {
            Unit::Time => "ns".to_owned(),
            Unit::Bytes => "B".to_owned(),
            Unit::Rate(what) => format!("{what}/s"),
            Unit::Times => "×".to_owned(),
            Unit::Share => "%".to_owned(),
            Unit::Number(what) => what.to_owned(),
        }
    }

    /// A figure as people read it: three digits and the unit that fits.
    pub fn show(self, figure: f64) -> String {
        if !figure.is_finite() {
            return "–".to_owned();
        }
        match self {
            Unit::Time => scaled(figure, &["ns", "µs", "ms", "s"], 1_000.0),
            Unit::Bytes if figure.abs() < 10_240.0 => format!("{figure:.0} B"),
            Unit::Bytes => scaled(figure, &["B", "KiB", "MiB", "GiB", "TiB"], 1_024.0),
            Unit::Rate(what) => format!("{} {what}/s", short(figure)),
            // A small share is easier to read upside down.
            Unit::Times if figure > 0.0 && figure < 0.1 => format!("1/{} ×", short(1.0 / figure)),
            Unit::Times if figure < 1_000.0 => format!("{} ×", digits(figure)),
            Unit::Times => format!("{} ×", short(figure)),
            Unit::Share => format!("{} %", digits(figure * 100.0)),
            Unit::Number(what) => format!("{} {what}", short(figure)).trim_end().to_owned(),
        }
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A share is written as it is held.
        match self {
            Unit::Share => serializer.serialize_str("share of 1"),
            unit => serializer.serialize_str(&unit.base()),
        }
    }
}

/// A plain number, with k, M or G.
pub fn short(figure: f64) -> String {
    let (scaled, prefix) = match figure.abs() {
        n if n >= 1e9 => (figure / 1e9, "G"),
        n if n >= 1e6 => (figure / 1e6, "M"),
        n if n >= 1e4 => (figure / 1e3, "k"),
        _ => (figure, ""),
    };
    format!("{}{prefix}", digits(scaled))
}

fn scaled(figure: f64, units: &[&str], step: f64) -> String {
    let mut figure = figure;
    let mut at = 0;
    while figure.abs() >= step * 0.9995 && at + 1 < units.len() {
        figure /= step;
        at += 1;
    }
    format!("{} {}", digits(figure), units[at])
}

/// Three significant digits, without needless zeros.
fn digits(figure: f64) -> String {
    let places = match figure.abs() {
        n if n >= 99.95 => 0,
        n if n >= 9.995 => 1,
        n if n >= 0.0095 => 2,
        0.0 => 0,
        _ => 5,
    };
    let text = format!("{figure:.places$}");
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_read_them() {
        for (unit, figure, text) in [
            (Unit::Time, 312.4, "312 ns"),
            (Unit::Time, 4_120.0, "4.12 µs"),
            (Unit::Time, 999_990.0, "1 ms"),
            (Unit::Time, 2.5e9, "2.5 s"),
            (Unit::Bytes, 200.0, "200 B"),
            (Unit::Bytes, 49_152.0, "48 KiB"),
            (Unit::Rate("pods"), 512_345.0, "512k pods/s"),
            (Unit::Rate("pods"), 1_234_567.0, "1.23M pods/s"),
            (Unit::Times, 1.3, "1.3 ×"),
            (Unit::Times, 10_000.0, "10k ×"),
            (Unit::Times, 0.000_02, "1/50k ×"),
            (Unit::Share, 0.75, "75 %"),
            (Unit::Number("streams"), 1_000.0, "1000 streams"),
            (Unit::Time, f64::NAN, "–"),
            (Unit::Times, 0.0, "0 ×"),
        ] {
            assert_eq!(unit.show(figure), text);
        }
    }
}
