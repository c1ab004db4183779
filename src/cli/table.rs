//! Tables without borders whose columns line up, as kubectl prints them.

use std::io::{self, Write};

use comfy_table::{ColumnConstraint, Table, TableStyle, Width};

/// Rows under a header. More may be added later: columns never get narrower, so that what a watch
/// prints stays in line as far as it can.
#[derive(Debug)]
pub(super) struct Columns {
    header: Option<Vec<&'static str>>,
    widths: Vec<u16>,
}

/// Blanks between columns.
const GAP: u16 = 3;

impl Columns {
    pub(super) fn new(header: Vec<&'static str>) -> Columns {
        Columns {
            widths: vec![0; header.len()],
            header: Some(header),
        }
    }

    pub(super) fn without_header(self) -> Columns {
        Columns {
            header: None,
            ..self
        }
    }

    /// Prints rows; the first time, under the header. Nothing at all for no rows.
    pub(super) fn print(&mut self, out: &mut dyn Write, rows: Vec<Vec<String>>) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut table = Table::new();
        table.load_style(TableStyle::new());
        if let Some(header) = self.header.take() {
            table.set_header(header);
        }
        table.add_rows(rows.into_iter().map(|row| row.into_iter().map(shown)));
        let found = table.column_max_content_widths();
        for (i, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, GAP));
            if let (Some(width), Some(found)) = (self.widths.get_mut(i), found.get(i)) {
                *width = (*width).max(*found);
                let with_gap = width.saturating_add(GAP);
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(with_gap)));
            }
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Longest cell, in characters: columns are counted in 16 bits, and nobody reads so far.
const MAX_CELL: usize = 4_000;

/// A cell that can be shown: not too long, and without what a terminal would take for a command.
fn shown(text: String) -> String {
    let legible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    if text.len() <= MAX_CELL && !text.contains(char::is_control) {
        return text;
    }
    let mut cell: String = text.chars().take(MAX_CELL).map(legible).collect();
    if text.chars().nth(MAX_CELL).is_some() {
        cell.push('…');
    }
    cell
}

/// A cell for something that may be absent.
pub(super) fn or_none(text: impl Into<String>) -> String {
    let text = text.into();
    if text.is_empty() {
        "<none>".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn columns_line_up_and_stay_so() {
        let mut columns = Columns::new(vec!["NAME", "READY", "IP"]);
        let mut out = Vec::new();
        columns
            .print(
                &mut out,
                vec![
                    row(&["rng-a", "True", "10.1.0.4"]),
                    row(&["rng-long-name", "False", "<none>"]),
                ],
            )
            .unwrap();
        columns
            .print(&mut out, vec![row(&["b", "True", "10.1.0.5"])])
            .unwrap();
        columns.print(&mut out, vec![]).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\
NAME            READY   IP
rng-a           True    10.1.0.4
rng-long-name   False   <none>
b               True    10.1.0.5
"
        );
    }
}
