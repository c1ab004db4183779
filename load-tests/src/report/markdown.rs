use std::fmt::Write as _;

use super::{Report, Row};

/// The report as a page that GitHub shows; diagrams are files beside it.
pub fn page(report: &Report) -> String {
    let mut out = format!("# Load test\n\n```text\n{}\n```\n", report.heading());
    for section in &report.sections {
        let _ = write!(
            out,
            "\n## {}\n\n{}. Took {:.0} s.\n",
            section.scenario, section.about, section.seconds
        );
        if !section.rows.is_empty() {
            out.push('\n');
            line(&mut out, &Row::HEADINGS.map(str::to_owned));
            line(&mut out, &Row::HEADINGS.map(|_| "---".to_owned()));
            for row in &section.rows {
                line(&mut out, &row.cells());
            }
        }
        for curve in &section.curves {
            let _ = write!(out, "\n![{}]({}.svg)\n", curve.title, curve.name);
        }
        if !section.notes.is_empty() {
            out.push('\n');
        }
        for note in &section.notes {
            let _ = writeln!(out, "- {note}");
        }
    }
    out
}

fn line(out: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}
