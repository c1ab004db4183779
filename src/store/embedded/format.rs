use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::engine::{EngineOptions, MissingNode};
use crate::store::{DERIVATION_VERSION, HistoryId};

use super::directory::{Directory, FORMAT, FORMAT_NEW};
use super::disk::Disk;
use super::error::OpenError;

/// Raised when older versions cannot read what this one writes.
const VERSION: u64 = 1;
const TITLE: &str = "selectord data directory";
/// Bytes that are read of it: it never has as many.
const LONGEST: u64 = 64 << 10;

/// What a directory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) history: HistoryId,
    /// What decides how endpoints are derived, and what is remembered of them.
    rules: String,
}

impl Format {
    pub(super) fn new(history: HistoryId, options: &EngineOptions) -> Format {
        Format {
            history,
            rules: rules(options),
        }
    }

    /// Whether what stands under its name is one, whole or damaged.
    pub(super) fn is_at(directory: &Path) -> Result<bool, OpenError> {
        let path = directory.join(FORMAT);
        let mut title = Vec::new();
        let read = File::open(&path);
        match read.and_then(|file| file.take(TITLE.len() as u64).read_to_end(&mut title)) {
            Ok(_) => Ok(title == TITLE.as_bytes()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(OpenError::io("read", &path, error)),
        }
    }

    /// Reads it; none of a directory that is new.
    pub(super) fn read(directory: &Directory) -> Result<Option<Format>, OpenError> {
        Format::read_at(&*directory.disk, directory.path(), FORMAT)
    }

    /// Reads what stands under a name in a folder; none if there is nothing.
    pub(super) fn read_at(
        disk: &dyn Disk,
        folder: &Path,
        name: &str,
    ) -> Result<Option<Format>, OpenError> {
        let path = folder.join(name);
        let damaged = |what: &str| OpenError::damaged(folder, &path, what);
        let mut bytes = Vec::new();
        let read = disk.read(&path);
        match read.and_then(|file| file.take(LONGEST).read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(OpenError::io("read", &path, error)),
        }
        let text = String::from_utf8(bytes).map_err(|_| damaged("it is not text"))?;
        let rest = text
            .strip_prefix(TITLE)
            .ok_or_else(|| damaged("it does not begin as it has to"))?;
        let lines: BTreeMap<&str, &str> = rest
            .lines()
            .filter_map(|line| line.split_once(": "))
            .collect();
        // Looked at before anything else: the rest may have another form.
        let version = lines.get("format").and_then(|number| number.parse().ok());
        let version: u64 = version.ok_or_else(|| damaged("it names no format"))?;
        if version > VERSION {
            return Err(OpenError::NewerFormat {
                directory: folder.to_owned(),
                found: version,
                known: VERSION,
            });
        }
        let history = lines
            .get("history")
            .and_then(|text| u128::from_str_radix(text, 16).ok());
        let history = history.ok_or_else(|| damaged("it names no history"))?;
        let format = Format {
            history: HistoryId::from_bytes(history.to_be_bytes()),
            rules: (*lines.get("rules").unwrap_or(&"")).to_owned(),
        };
        if format.text() == text {
            Ok(Some(format))
        } else {
            Err(damaged("its check sum is wrong"))
        }
    }

    /// Says, for good, that a directory is being made one of this format: until [`Format::commit`] it is
    /// none, and what is in it may go.
    pub(super) fn begin(&self, disk: &dyn Disk, directory: &Path) -> Result<(), OpenError> {
        let new = directory.join(FORMAT_NEW);
        let write = || {
            let mut file = disk.open(&new)?;
            file.set_size(0)?;
            file.write_all_at(self.text().as_bytes(), 0)?;
            file.sync()
        };
        write().map_err(|error| OpenError::io("write", &new, error))?;
        sync_names(disk, directory)
    }

    /// Makes a directory one of the format that it was begun with, for good.
    pub(super) fn commit(disk: &dyn Disk, directory: &Path) -> Result<(), OpenError> {
        let path = directory.join(FORMAT);
        let renamed = disk.rename(&directory.join(FORMAT_NEW), &path);
        renamed.map_err(|error| OpenError::io("write", &path, error))?;
        sync_names(disk, directory)
    }

    /// Refuses to derive by other rules than before.
    pub(super) fn check(
        &self,
        directory: &Directory,
        options: &EngineOptions,
    ) -> Result<(), OpenError> {
        let asked = rules(options);
        if self.rules == asked {
            return Ok(());
        }
        Err(OpenError::OtherRules {
            directory: directory.path().to_owned(),
            kept: self.rules.clone(),
            asked,
        })
    }

    fn text(&self) -> String {
        let history = u128::from_be_bytes(*self.history.as_bytes());
        let text = format!(
            "{TITLE}\nformat: {VERSION}\nhistory: {history:032x}\nrules: {}\n",
            self.rules
        );
        let check = crc32fast::hash(text.as_bytes());
        format!("{text}check: {check:08x}\n")
    }
}

fn sync_names(disk: &dyn Disk, directory: &Path) -> Result<(), OpenError> {
    let synced = disk.sync_names(directory);
    synced.map_err(|error| OpenError::io("sync", directory, error))
}

fn rules(options: &EngineOptions) -> String {
    let EngineOptions {
        missing_node,
        retention,
    } = options;
    let mode = match missing_node {
        MissingNode::Admit => "admit",
        MissingNode::Withhold => "withhold",
    };
    format!(
        "--missing-node {mode} (derivation {DERIVATION_VERSION}, remembering {} removals, {} names, 1 in {})",
        retention.removals, retention.deleted_names, retention.share
    )
}
