use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::scenarios;

/// Measures selectord against its targets, on a seeded cluster, beside yardsticks of the same run
///
/// Tables go to standard output, progress to standard error, and report.md, report.json and the
/// curves as SVG to --out. Exits with 0 if everything ran, whatever the figures; with 1 if a scenario
/// failed or an answer was wrong.
#[derive(Debug, Clone, Parser)]
#[command(name = "load-tests", after_help = scenarios::help())]
pub struct Args {
    /// What to run, or all
    #[arg(value_parser = PossibleValuesParser::new(scenarios::names()))]
    pub scenario: String,
    /// Pods of the cluster: 100k, 1m, 5m, 10m, or any number. Services are a tenth of it
    #[arg(long, value_name = "PODS", default_value = "100k")]
    pub size: Size,
    /// Seed of the cluster and of its changes
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where to write the report [default: target/load-tests/SCENARIO-SIZE]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// A server that runs already, instead of one started for each scenario; its memory and CPU time
    /// are then not measured
    #[arg(long, value_name = "HOST:PORT")]
    pub server: Option<String>,
    /// Fewer and shorter runs: to see that it works, not for figures
    #[arg(long)]
    pub quick: bool,
    /// Seconds that each timed part over gRPC lasts [default: 10; 2 with --quick]
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<f64>,
    /// A part that needs a process of its own; used by the scenarios
    #[arg(long, hide = true)]
    pub child: Option<String>,
}

/// A number of pods, as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u32);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let lower = text.to_ascii_lowercase();
        let (digits, unit) = match lower.strip_suffix(['k', 'm']) {
            Some(digits) if lower.ends_with('k') => (digits, 1_000),
            Some(digits) => (digits, 1_000_000),
            None => (lower.as_str(), 1),
        };
        let pods = digits.parse::<u32>().ok().and_then(|n| n.checked_mul(unit));
        match pods {
            Some(pods) if pods >= 1_000 => Ok(Size(pods)),
            _ => Err("give at least 1000 pods, as in 100k, 1m or 250000".to_owned()),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n.is_multiple_of(1_000_000) => write!(f, "{}m", n / 1_000_000),
            n if n.is_multiple_of(1_000) => write!(f, "{}k", n / 1_000),
            n => write!(f, "{n}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written_as_people_write_them() {
        for (text, pods, printed) in [
            ("100k", 100_000, "100k"),
            ("1M", 1_000_000, "1m"),
            ("10m", 10_000_000, "10m"),
            ("250000", 250_000, "250k"),
            ("1234", 1_234, "1234"),
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.0, size.to_string().as_str()), (pods, printed));
        }
        for text in ["", "k", "12", "1g", "-1k", "99999m"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
