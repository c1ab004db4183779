//! A byte of any file of a directory is another: it is either refused, or nothing is different.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use selectord::engine::{Engine, EngineOptions};
use selectord::store::{EmbeddedOptions, EmbeddedStore, Store as _};

use crate::histories::{must_be, open};
use crate::support::generate::{Mix, World};
use crate::support::random::{Random, seeds};

/// Bytes of each file that are looked at, unless SELECTORD_TEST_BYTES says how many.
const BYTES: usize = 24;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// A directory in which every kind of file holds something, and the dump of what it holds.
fn filled(directory: &Path, seed: u64) -> String {
    let rules = EngineOptions::default();
    let mut world = World::new(seed, Mix::ALL);
    let (mut store, mut engine) = open(directory, rules, 1 << 20);
    let mut step = |store: &mut EmbeddedStore, engine: &mut Engine| {
        let group = [world.transaction(), world.transaction()];
        let revisions = store.append(&group).unwrap();
        store.sync().unwrap();
        for (revision, transaction) in revisions.into_iter().zip(group) {
            engine.apply(revision, transaction).unwrap();
        }
        store.applied(engine);
    };
    for life in 0..4 {
        for _ in 0..60 {
            step(&mut store, &mut engine);
        }
        drop(store);
        // What was read back is written into the state with the first transaction; the last life
        // leaves a journal.
        let journal_bytes = if life % 2 == 0 { 0 } else { 1 << 20 };
        (store, engine) = open(directory, rules, journal_bytes);
    }
    for _ in 0..30 {
        step(&mut store, &mut engine);
    }
    engine.dump()
}

/// What kind of file it is: its name without numbers.
fn kind(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[test]
fn a_byte_that_is_another_is_noticed_or_does_no_harm() {
    let bytes = std::env::var("SELECTORD_TEST_BYTES");
    let bytes = bytes.map_or(BYTES, |bytes| bytes.parse().unwrap());
    let seed = seeds(80_000, 1)[0];
    println!("seed {seed} (SELECTORD_TEST_SEED={seed})");
    let mut random = Random::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let right = filled(&whole, seed);
    let mut all = Vec::new();
    files(&whole, &mut all);
    all.sort();
    let mut panics = Vec::new();
    for path in all {
        let relative = path.strip_prefix(&whole).unwrap();
        let content = fs::read(&path).unwrap();
        let (mut refused, mut harmless) = (0, 0);
        for _ in 0..bytes.min(content.len()) {
            let copied = folder.path().join("copy");
            copy(&whole, &copied);
            let mut content = content.clone();
            let at = random.below(content.len());
            content[at] ^= 1 << random.below(8);
            fs::write(copied.join(relative), content).unwrap();
            let options = EmbeddedOptions {
                reserve_bytes: 0,
                ..EmbeddedOptions::default()
            };
            let opened = catch_unwind(AssertUnwindSafe(|| {
                EmbeddedStore::open(&copied, EngineOptions::default(), options, &mut |_| ())
            }));
            let place = format!("{} byte {at}", relative.display());
            match opened {
                Err(_) => panics.push(place),
                Ok(Ok((_, engine))) => {
                    println!("{place}: harmless");
                    must_be(&engine.dump(), &right);
                    harmless += 1;
                }
                Ok(Err(error)) => {
                    let text = error.to_string();
                    assert!(text.contains(copied.to_str().unwrap()), "{place}: {text}");
                    println!("{place}: {text}");
                    refused += 1;
                }
            }
            fs::remove_dir_all(&copied).unwrap();
        }
        println!("{}: {refused} refused, {harmless} harmless", kind(&path));
    }
    assert_eq!(panics, Vec::<String>::new());
}
