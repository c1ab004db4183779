//! Check sums of the small files in which the tree lists its tables, and of the ends of tables, where
//! each lists its parts.
//!
//! The tree believes the counts in them before it looks at its own check sums, and asks for memory that
//! no machine has when one is damaged. So they are looked at here first. A summary that is older than
//! the files, as a crash leaves it, says nothing about them, and neither does one that is damaged.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::error::OpenError;

const SUMMARY: &str = "SUMMARY";
const SUMMARY_NEW: &str = "SUMMARY.new";
/// Names the list that counts.
const CURRENT: &str = "current";

/// The folder of the tables.
const TABLES: &str = "tables";
/// So many bytes of a table's end are looked at.
const END: u64 = 4_096;

/// The lists and tables there are, by name, with their check sums.
fn lists(state: &Path) -> io::Result<Vec<(String, u32)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(state)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() && (name == CURRENT || name.starts_with('v')) {
            let check = crc32fast::hash(&fs::read(entry.path())?);
            found.push((name, check));
        }
    }
    let tables = state.join(TABLES);
    if tables.is_dir() {
        for entry in fs::read_dir(tables)? {
            let entry = entry?;
            let name = format!("{TABLES}/{}", entry.file_name().to_string_lossy());
            found.push((name, crc32fast::hash(&end(&entry.path())?)));
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn end(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let from = file.metadata()?.len().saturating_sub(END);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    Ok(end)
}

/// Notes what the files are now.
pub(super) fn note(directory: &Path, state: &Path) -> io::Result<()> {
    let mut text = String::new();
    for (name, check) in lists(state)? {
        text.push_str(&format!("{check:08x} {name}\n"));
    }
    let check = crc32fast::hash(text.as_bytes());
    text.push_str(&format!("{check:08x}\n"));
    let new = directory.join(SUMMARY_NEW);
    fs::write(&new, text)?;
    fs::rename(new, directory.join(SUMMARY))
}

/// Refuses files that are not what was noted, if it is of them that it was.
pub(super) fn check(directory: &Path, state: &Path) -> Result<(), OpenError> {
    let Ok(text) = fs::read_to_string(directory.join(SUMMARY)) else {
        return Ok(());
    };
    let Some(noted) = read(&text) else {
        return Ok(());
    };
    let there = lists(state).map_err(|error| OpenError::io("read", state, error))?;
    let of = |list: &[(String, u32)], sought: &str| {
        let found = list.iter().find(|(name, _)| name == sought);
        found.map(|(_, check)| *check)
    };
    if of(&noted, CURRENT) != of(&there, CURRENT) {
        return Ok(());
    }
    let differs = noted
        .iter()
        .find(|(name, check)| of(&there, name).is_some_and(|now| now != *check));
    match differs {
        Some((name, _)) => Err(OpenError::damaged(
            directory,
            &state.join(name),
            "it is not what was written",
        )),
        None => Ok(()),
    }
}

fn read(text: &str) -> Option<Vec<(String, u32)>> {
    let (lines, check) = text.strip_suffix('\n')?.rsplit_once('\n')?;
    let lines = format!("{lines}\n");
    let check = u32::from_str_radix(check, 16).ok()?;
    if crc32fast::hash(lines.as_bytes()) != check {
        return None;
    }
    let line = |line: &str| {
        let (check, name) = line.split_once(' ')?;
        Some((name.to_owned(), u32::from_str_radix(check, 16).ok()?))
    };
    lines.lines().map(line).collect()
}
