use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};

use super::{Row, Section};

/// Prints what a scenario found.
pub fn print(section: &Section) {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width())
        .set_header(Row::HEADINGS);
    for row in &section.rows {
        table.add_row(row.cells());
    }
    for column in [2, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    println!("\n{} ({:.0} s)", section.scenario, section.seconds);
    if !section.rows.is_empty() {
        println!("{table}");
    }
    for note in &section.notes {
        println!("- {note}");
    }
}

/// Columns of the terminal, where the shell says so.
fn width() -> u16 {
    let columns = std::env::var("COLUMNS").ok();
    let columns = columns.and_then(|columns| columns.parse().ok());
    columns.unwrap_or(160).max(100)
}
