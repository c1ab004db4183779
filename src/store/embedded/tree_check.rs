//! Whether the tree's files are what was written.
//!
//! The tree keeps a check sum of everything: `current` names the list that counts and has its check sum, the
//! list names the tables and has theirs. When it is opened it looks at some of them only, and late: it
//! believes counts that it finds, and asks for memory that no machine has when one is damaged. So all of them
//! are looked at here before. It costs one reading of the files, which recovery has to read anyway.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use super::error::OpenError;

/// Names the list that counts.
pub(super) const CURRENT: &str = "current";
/// The folder of the tables.
pub(super) const TABLES: &str = "tables";
/// Bytes that are read at once.
const BLOCK: usize = 1 << 18;
/// The check sums are XXH3 with 128 bits, which has this number.
const XXH3: u8 = 0;

/// Refuses a tree of which a file is not what was written.
pub(super) fn check(directory: &Path, state: &Path) -> Result<(), OpenError> {
    for (number, check) in named(directory, state)? {
        let table = state.join(TABLES).join(number.to_string());
        let found = check_sum(&table).map_err(|error| failed(directory, &table, error))?;
        if found != check {
            return damaged(directory, &table);
        }
    }
    Ok(())
}

fn damaged<T>(directory: &Path, path: &Path) -> Result<T, OpenError> {
    let what = "it is not what was written";
    Err(OpenError::damaged(directory, path, what))
}

fn failed(directory: &Path, path: &Path, error: io::Error) -> OpenError {
    match error.kind() {
        io::ErrorKind::NotFound => OpenError::damaged(directory, path, "it is missing"),
        _ => OpenError::io("read", path, error),
    }
}

/// The tables that the list which counts names, each with its check sum.
pub(super) fn named(directory: &Path, state: &Path) -> Result<Vec<(u64, u128)>, OpenError> {
    let read = |path: &Path| std::fs::read(path).map_err(|error| failed(directory, path, error));
    let current = state.join(CURRENT);
    let Some((number, check)) = read_current(&read(&current)?) else {
        return damaged(directory, &current);
    };
    let list = state.join(format!("v{number}"));
    let bytes = read(&list)?;
    if xxh3_128(&bytes) != check {
        return damaged(directory, &list);
    }
    tables(&list, &bytes).ok_or_else(|| {
        let what = "it does not list tables as this version knows them";
        OpenError::damaged(directory, &list, what)
    })
}

fn check_sum(path: &Path) -> io::Result<u128> {
    let mut file = File::open(path)?;
    let mut hash = Xxh3Default::new();
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(hash.digest128()),
            Ok(read) => hash.update(block.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The number of the list that counts.
pub(super) fn current(state: &Path) -> io::Result<u64> {
    let bytes = std::fs::read(state.join(CURRENT))?;
    let number = read_current(&bytes).map(|(number, _)| number);
    number.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The list's number and its check sum.
fn read_current(bytes: &[u8]) -> Option<(u64, u128)> {
    let mut fields = Fields(bytes);
    let number = u64::from_le_bytes(fields.take()?);
    let check = u128::from_le_bytes(fields.take()?);
    let [kind] = fields.take()?;
    (kind == XXH3 && fields.0.is_empty()).then_some((number, check))
}

/// The tables of a list, each with its check sum.
fn tables(path: &Path, bytes: &[u8]) -> Option<Vec<(u64, u128)>> {
    let archive = sfa::Reader::new(path).ok()?;
    let section = archive.toc().section(b"tables")?;
    let from = usize::try_from(section.pos()).ok()?;
    let len = usize::try_from(section.len()).ok()?;
    let mut fields = Fields(bytes.get(from..)?.get(..len)?);
    let mut tables = Vec::new();
    let [levels] = fields.take()?;
    for _ in 0..levels {
        let [runs] = fields.take()?;
        for _ in 0..runs {
            for _ in 0..u32::from_le_bytes(fields.take()?) {
                let number = u64::from_le_bytes(fields.take()?);
                let [kind] = fields.take()?;
                let check = u128::from_le_bytes(fields.take()?);
                let _sequence: [u8; 8] = fields.take()?;
                if kind != XXH3 {
                    return None;
                }
                tables.push((number, check));
            }
        }
    }
    fields.0.is_empty().then_some(tables)
}

/// Fields of a fixed length, one behind the other.
struct Fields<'b>(&'b [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}
