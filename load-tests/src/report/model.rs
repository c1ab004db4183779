use std::path::Path;

use serde::Serialize;

use crate::context::Context;
use crate::machine::Machine;

use super::{Curve, Row, markdown, svg};

/// What one scenario found.
#[derive(Debug, Clone, Serialize)]
pub struct Section {
    /// Its name on the command line.
    pub scenario: &'static str,
    /// What it measures.
    pub about: &'static str,
    /// How long it took.
    pub seconds: f64,
    /// What was measured.
    pub rows: Vec<Row>,
    /// Diagrams.
    pub curves: Vec<Curve>,
    /// What has to be known to read the above; what was left out, and why.
    pub notes: Vec<String>,
}

impl Section {
    /// Nothing found yet.
    pub fn new(scenario: &'static str, about: &'static str) -> Section {
        Section {
            scenario,
            about,
            seconds: 0.0,
            rows: Vec::new(),
            curves: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds a diagram; its name gets the scenario's before it.
    pub fn curve(&mut self, mut curve: Curve) {
        curve.name = format!("{}-{}", self.scenario, curve.name);
        self.curves.push(curve);
    }

    /// Adds a remark, once.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// A whole run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What was typed, but for where the report goes.
    pub command: String,
    /// Where, and of what.
    pub machine: Machine,
    /// Pods of the cluster.
    pub pods: u32,
    /// Its services.
    pub services: u32,
    /// Its seed.
    pub seed: u64,
    /// Fewer and shorter runs than figures need.
    pub quick: bool,
    /// How long it took.
    pub seconds: f64,
    /// What each scenario found.
    pub sections: Vec<Section>,
}

impl Report {
    /// Nothing run yet.
    pub fn new(context: &Context) -> Report {
        Report {
            command: command(std::env::args().skip(1)),
            machine: Machine::detect(),
            pods: context.pods(),
            services: context.corpus.service_count(),
            seed: context.args.seed,
            quick: context.args.quick,
            seconds: 0.0,
            sections: Vec::new(),
        }
    }

    /// Where, of what and how, in some lines.
    pub fn heading(&self) -> String {
        let machine = &self.machine;
        let mut lines = vec![
            format!("$ {}", self.command),
            format!(
                "{} pods, {} services, seed {}",
                self.pods, self.services, self.seed
            ),
            format!(
                "{}, {} cores, {:.1} GiB, Linux {}, load {}",
                machine.cpu,
                machine.cores,
                machine.memory as f64 / f64::from(1 << 30),
                machine.kernel,
                machine.load
            ),
            format!(
                "selectord {}{}, {}, built with {}",
                machine.selectord,
                machine
                    .commit
                    .as_ref()
                    .map(|commit| format!(", commit {commit}"))
                    .unwrap_or_default(),
                machine.rustc,
                machine.features
            ),
            machine.date.clone(),
        ];
        if cfg!(debug_assertions) {
            lines.push("NOT OPTIMISED: run it with --release for figures".to_owned());
        }
        if self.quick {
            lines.push("--quick: too few and too short runs for figures".to_owned());
        }
        if self.pods < 1_000_000 {
            lines.push("targets are stated for 1m pods; this cluster is smaller".to_owned());
        }
        lines.join("\n")
    }

    /// Writes report.json, report.md and each diagram.
    ///
    /// # Errors
    /// The file system's.
    pub fn write(&self, to: &Path) -> anyhow::Result<()> {
        for curve in self.sections.iter().flat_map(|section| &section.curves) {
            std::fs::write(to.join(format!("{}.svg", curve.name)), svg::draw(curve))?;
        }
        std::fs::write(to.join("report.md"), markdown::page(self))?;
        std::fs::write(to.join("report.json"), serde_json::to_vec_pretty(self)?)?;
        Ok(())
    }
}

/// The command that makes the same report elsewhere: a path of this machine does not belong in it.
fn command(words: impl Iterator<Item = String>) -> String {
    let mut command = "cargo run --release -p load-tests --".to_owned();
    let mut is_path = false;
    for word in words {
        if std::mem::take(&mut is_path) || word.starts_with("--out=") {
            continue;
        }
        is_path = word == "--out";
        if !is_path {
            command.push(' ');
            command.push_str(&word);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_no_path() {
        for typed in [
            "engine --out /home/me/report --size 1m",
            "engine --out=/home/me/report --size 1m",
            "engine --size 1m",
        ] {
            assert_eq!(
                command(typed.split(' ').map(Into::into)),
                "cargo run --release -p load-tests -- engine --size 1m"
            );
        }
    }
}
