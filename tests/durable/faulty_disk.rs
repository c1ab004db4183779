//! A disk that fails, tears what is written, and loses power: then what was not synced may be there, or
//! not, or in part, in any order. What was synced stays.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use selectord::store::{Disk, DiskFile};

use crate::support::random::Random;

/// What is written whole or not at all.
const SECTOR: usize = 512;

/// What was done to a file and not synced.
#[derive(Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Size(usize),
}

#[derive(Debug, Default)]
struct Content {
    synced: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Debug)]
struct Inner {
    random: Random,
    seed: u64,
    /// Of a hundred calls, so many fail.
    faults: usize,
    /// After so many calls the power fails.
    calls_left: Option<usize>,
    syncs: usize,
    off: bool,
    /// The files there have been, and which of them has a name now.
    contents: Vec<Content>,
    names: BTreeMap<PathBuf, usize>,
    synced_names: BTreeMap<PathBuf, usize>,
    /// Names that changed and were not synced, each change with all that changed at once.
    unsynced_names: Vec<Vec<(PathBuf, Option<usize>)>>,
}

/// Stands between the store and a folder, which holds what a running process sees.
#[derive(Debug, Clone)]
pub struct FaultyDisk(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct FaultyFile {
    disk: FaultyDisk,
    number: usize,
    file: File,
}

struct FaultyReader {
    disk: FaultyDisk,
    file: File,
}

fn off() -> io::Error {
    io::Error::other("the power is off")
}

impl Content {
    /// What is there after the power has failed.
    fn survives(&self, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        // A sector is there as it was at some time: who lost a write of it lost those behind it.
        let mut lost = BTreeSet::new();
        for change in &self.unsynced {
            match change {
                Change::Size(size) => {
                    if random.chance(50) {
                        bytes.resize(*size, 0);
                    }
                }
                Change::Write(offset, written) => {
                    let fate = random.below(4);
                    let whole = *offset..*offset + written.len();
                    let torn = random.between(whole.start, whole.end);
                    // How long a file is may get to the disk before what is in it: then that is zeros.
                    if random.chance(30) {
                        bytes.resize(bytes.len().max(whole.end), 0);
                    }
                    for part in sectors(whole) {
                        let sector = part.start / SECTOR;
                        let is_written = match fate {
                            0 => false,
                            1 => true,
                            2 => part.end <= torn,
                            _ => random.chance(50),
                        };
                        if !is_written {
                            lost.insert(sector);
                        }
                        if !lost.contains(&sector) {
                            let from = &written[part.start - offset..part.end - offset];
                            put(&mut bytes, part.start, from);
                        }
                    }
                }
            }
        }
        bytes
    }

    fn sync(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            match change {
                Change::Size(size) => self.synced.resize(size, 0),
                Change::Write(offset, written) => put(&mut self.synced, offset, &written),
            }
        }
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, from: &[u8]) {
    let end = offset + from.len();
    bytes.resize(bytes.len().max(end), 0);
    bytes[offset..end].copy_from_slice(from);
}

/// The parts of a range that are in one sector each.
fn sectors(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    (range.start / SECTOR..range.end.div_ceil(SECTOR))
        .map(move |sector| range.start.max(sector * SECTOR)..range.end.min((sector + 1) * SECTOR))
}

impl Inner {
    /// Fails if it is this call's turn.
    fn call(&mut self) -> io::Result<()> {
        if let Some(left) = &mut self.calls_left {
            *left = left.saturating_sub(1);
            self.off |= *left == 0;
        }
        if self.off {
            return Err(off());
        }
        if self.random.chance(self.faults) {
            let errors = [io::ErrorKind::StorageFull, io::ErrorKind::Other];
            return Err(self.random.pick(&errors).into());
        }
        Ok(())
    }
}

impl FaultyDisk {
    /// On a folder, all of which is synced.
    pub fn new(folder: &Path, seed: u64) -> FaultyDisk {
        let mut inner = Inner {
            random: Random::new(seed),
            seed,
            faults: 0,
            calls_left: None,
            syncs: 0,
            off: false,
            contents: Vec::new(),
            names: BTreeMap::new(),
            synced_names: BTreeMap::new(),
            unsynced_names: Vec::new(),
        };
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let synced = fs::read(&path).unwrap();
                inner.names.insert(path.clone(), inner.contents.len());
                inner.synced_names.insert(path, inner.contents.len());
                inner.contents.push(Content {
                    synced,
                    unsynced: Vec::new(),
                });
            }
        }
        FaultyDisk(Arc::new(Mutex::new(inner)))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// From now on, so many of a hundred calls fail, and after so many the power does.
    pub fn fail(&self, faults: usize, calls: Option<usize>) {
        let mut inner = self.inner();
        inner.faults = faults;
        inner.calls_left = calls;
    }

    /// Whether the power has failed.
    pub fn is_off(&self) -> bool {
        self.inner().off
    }

    /// How often it was asked to sync a file.
    pub fn syncs(&self) -> usize {
        self.inner().syncs
    }

    /// Writes into a folder what is found when the power is back.
    pub fn survives_in(&self, folder: &Path) {
        let inner = self.inner();
        // By name, so that it does not matter what another thread did meanwhile.
        let random = |path: &Path| {
            let name = path.file_name().unwrap().as_encoded_bytes();
            let sum = name.iter().fold(inner.seed, |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
            });
            Random::new(sum)
        };
        let mut names = inner.synced_names.clone();
        for changes in &inner.unsynced_names {
            if !random(&changes[0].0).chance(50) {
                continue;
            }
            for (path, number) in changes {
                match number {
                    Some(number) => names.insert(path.clone(), *number),
                    None => names.remove(path),
                };
            }
        }
        for (path, number) in names {
            let bytes = inner.contents[number].survives(&mut random(&path));
            fs::write(folder.join(path.file_name().unwrap()), bytes).unwrap();
        }
    }
}

impl Disk for FaultyDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut inner = self.inner();
        inner.call()?;
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path)?;
        let number = match inner.names.get(path) {
            Some(number) => *number,
            None => {
                let number = inner.contents.len();
                inner.contents.push(Content::default());
                inner.names.insert(path.to_owned(), number);
                let made = vec![(path.to_owned(), Some(number))];
                inner.unsynced_names.push(made);
                number
            }
        };
        Ok(Box::new(FaultyFile {
            disk: self.clone(),
            number,
            file,
        }))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        self.inner().call()?;
        Ok(Box::new(FaultyReader {
            disk: self.clone(),
            file: File::open(path)?,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut inner = self.inner();
        inner.call()?;
        fs::rename(from, to)?;
        let number = inner.names.remove(from).unwrap();
        inner.names.insert(to.to_owned(), number);
        let changes = vec![(from.to_owned(), None), (to.to_owned(), Some(number))];
        inner.unsynced_names.push(changes);
        Ok(())
    }

    /// Another thread removes: what it does changes nothing for the others, so that a seed tells all.
    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.off {
            return Err(off());
        }
        fs::remove_file(path)?;
        inner.names.remove(path);
        inner.unsynced_names.push(vec![(path.to_owned(), None)]);
        Ok(())
    }

    fn sync_names(&self, _folder: &Path) -> io::Result<()> {
        let mut inner = self.inner();
        inner.call()?;
        inner.synced_names = inner.names.clone();
        inner.unsynced_names.clear();
        Ok(())
    }
}

impl DiskFile for FaultyFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let mut inner = self.disk.inner();
        let fails = inner.call();
        let mut written = bytes.len();
        // Of what fails something may have been written, and what does not may be short.
        if fails.is_err() || inner.random.chance(20) {
            written = inner.random.between(1.min(bytes.len()), bytes.len());
        } else if inner.faults > 0 && inner.random.chance(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let bytes = &bytes[..written];
        self.file.write_all_at(bytes, offset)?;
        // What is written are the sectors as they are seen, with what stood in them before.
        let from = offset as usize / SECTOR * SECTOR;
        let until = (offset as usize + written).next_multiple_of(SECTOR);
        let mut sectors = vec![0; until.min(self.file.metadata()?.len() as usize) - from];
        self.file.read_exact_at(&mut sectors, from as u64)?;
        let change = Change::Write(from, sectors);
        inner.contents[self.number].unsynced.push(change);
        fails.map(|()| written)
    }

    fn set_size(&mut self, size: u64) -> io::Result<()> {
        let mut inner = self.disk.inner();
        inner.call()?;
        self.file.set_len(size)?;
        let change = Change::Size(size as usize);
        inner.contents[self.number].unsynced.push(change);
        Ok(())
    }

    /// When it fails, some of it is synced and the rest will never be, though it is still seen.
    fn sync(&mut self) -> io::Result<()> {
        let mut inner = self.disk.inner();
        inner.syncs += 1;
        if let Err(error) = inner.call() {
            if !inner.off {
                let mut random = Random::new(inner.random.number());
                let content = &mut inner.contents[self.number];
                content.synced = content.survives(&mut random);
                content.unsynced.clear();
            }
            return Err(error);
        }
        inner.contents[self.number].sync();
        Ok(())
    }

    fn room(&self) -> Option<u64> {
        let mut inner = self.disk.inner();
        let faults = inner.faults;
        Some(if inner.random.chance(faults) {
            0
        } else {
            u64::MAX
        })
    }
}

impl Read for FaultyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut inner = self.disk.inner();
        if inner.off {
            return Err(off());
        }
        if inner.random.chance(10) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = inner.random.between(1.min(buffer.len()), buffer.len());
        self.file.read(&mut buffer[..most])
    }
}
