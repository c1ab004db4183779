//! Directories that are taken, and restores that did not come to their end.

use std::fs;
use std::path::{Path, PathBuf};

use selectord::engine::{Engine, EngineOptions, MissingNode};
use selectord::store::{
    EmbeddedOptions, EmbeddedStore, HistoryId, NewDirectory, OpenError, Store as _,
};

use crate::worlds::engine;

fn open(directory: &Path) -> Result<(EmbeddedStore, Engine), OpenError> {
    let options = EmbeddedOptions::default();
    EmbeddedStore::open(directory, EngineOptions::default(), options, &mut |_| ())
}

fn fill(new: NewDirectory, seed: u64) -> (HistoryId, String) {
    let (engine, _) = engine(seed, 40, MissingNode::Admit);
    let history = new.fill(&engine, None, &mut |_, _| ()).unwrap();
    (history, engine.dump())
}

/// The folder that a restore has left.
fn restore(directory: &Path, what: &str, history: HistoryId) -> PathBuf {
    let history = u128::from_be_bytes(*history.as_bytes());
    directory.join(format!("{what}-{history:032x}"))
}

/// A directory that holds a world; its history, and what it holds.
fn filled(directory: &Path, seed: u64) -> (HistoryId, String) {
    fill(EmbeddedStore::create(directory, false).unwrap(), seed)
}

fn must_hold(directory: &Path, right: &(HistoryId, String)) {
    let (store, engine) = open(directory).unwrap();
    assert_eq!((store.history(), &engine.dump()), (right.0, &right.1));
    let names = fs::read_dir(directory).unwrap();
    for name in names.map(|entry| entry.unwrap().file_name()) {
        let name = name.to_str().unwrap();
        assert!(!name.starts_with("restor"), "{name} is left");
    }
}

#[test]
fn a_directory_that_holds_something_is_replaced_only_if_that_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/data");
    let first = filled(&path, 1);
    let refused = EmbeddedStore::create(&path, false).unwrap_err();
    assert!(matches!(refused, OpenError::Occupied { .. }), "{refused}");
    assert!(refused.to_string().contains("--force"), "{refused}");
    must_hold(&path, &first);
    let second = fill(EmbeddedStore::create(&path, true).unwrap(), 2);
    assert_ne!(first, second);
    must_hold(&path, &second);
}

#[test]
fn what_is_held_or_not_ours_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let first = filled(&path, 1);
    let held = open(&path).unwrap();
    let refused = EmbeddedStore::create(&path, true).unwrap_err();
    assert!(matches!(refused, OpenError::Held { .. }), "{refused}");
    drop(held);
    must_hold(&path, &first);
    fs::write(folder.path().join("letter.txt"), "dear").unwrap();
    let refused = EmbeddedStore::create(folder.path(), true).unwrap_err();
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused}");
}

#[test]
fn one_that_is_given_up_leaves_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    drop(EmbeddedStore::create(&path, false).unwrap());
    let first = filled(&path, 1);
    drop(EmbeddedStore::create(&path, true).unwrap());
    must_hold(&path, &first);
}

/// As a process leaves it that is killed before what is new is whole.
#[test]
fn one_that_was_killed_before_it_was_whole_is_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    drop(EmbeddedStore::create(&path, false).unwrap());
    let leave = || {
        let other = folder.path().join("other");
        let (history, _) = filled(&other, 2);
        let left = restore(&path, "restoring", history);
        fs::create_dir_all(left.join("state")).unwrap();
        fs::rename(other.join("FORMAT"), left.join("FORMAT.new")).unwrap();
        fs::remove_dir_all(&other).unwrap();
    };
    leave();
    let refused = open(&path).unwrap_err();
    assert!(matches!(refused, OpenError::Unfinished { .. }), "{refused}");
    let first = filled(&path, 1);
    must_hold(&path, &first);
    // Where something is there already, that is served.
    leave();
    must_hold(&path, &first);
    // Or was begun, and nothing more.
    fs::create_dir(restore(&path, "restoring", first.0)).unwrap();
    must_hold(&path, &first);
}

/// As a process leaves it that is killed after what is new is whole, at each step of putting it into
/// its place.
#[test]
fn one_that_was_killed_after_it_was_whole_is_brought_to_its_end() {
    for steps in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("data"), folder.path().join("new"));
        filled(&path, 1);
        let second = filled(&other, 2);
        let whole = restore(&path, "restored", second.0);
        // What somebody else keeps there is neither in the way nor removed.
        fs::write(path.join("letter.txt"), "dear").unwrap();
        fs::remove_file(other.join("LOCK")).unwrap();
        fs::rename(&other, &whole).unwrap();
        let journals = |of: &Path| -> Vec<_> {
            let names = fs::read_dir(of)
                .unwrap()
                .map(|entry| entry.unwrap().file_name());
            names
                .filter(|name| name.to_str().unwrap().starts_with("journal-"))
                .collect()
        };
        if steps > 0 {
            fs::remove_file(path.join("FORMAT")).unwrap();
        }
        if steps > 1 {
            fs::remove_dir_all(path.join("state")).unwrap();
            for name in journals(&path) {
                fs::remove_file(path.join(name)).unwrap();
            }
        }
        if steps > 2 {
            fs::rename(whole.join("state"), path.join("state")).unwrap();
        }
        if steps > 3 {
            for name in journals(&whole) {
                fs::rename(whole.join(&name), path.join(&name)).unwrap();
            }
        }
        if steps > 4 {
            fs::rename(whole.join("FORMAT"), path.join("FORMAT")).unwrap();
        }
        must_hold(&path, &second);
        assert_eq!(fs::read(path.join("letter.txt")).unwrap(), b"dear");
    }
}

/// Neither what has a name like those of ours, nor what is in a folder that is not what its name says.
#[test]
fn what_somebody_else_put_there_is_neither_moved_nor_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("data"), folder.path().join("other"));
    let first = filled(&path, 1);
    let second = filled(&other, 2);
    fs::remove_file(other.join("LOCK")).unwrap();
    for name in ["restored", "restoring"] {
        fs::create_dir(path.join(name)).unwrap();
        fs::write(path.join(name).join("letter"), "dear").unwrap();
    }
    let theirs = restore(&path, "restoring", second.0);
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("letter"), "dear").unwrap();
    let serves = || {
        let (store, engine) = open(&path).unwrap();
        assert_eq!((store.history(), engine.dump()), first);
        for folder in [
            path.join("restored"),
            path.join("restoring"),
            theirs.clone(),
        ] {
            assert!(folder.join("letter").exists());
        }
    };
    serves();
    // A directory under the name of another one's history; what it is without its state; and without its format.
    let refused = |left: &Path| {
        let refused = open(&path).unwrap_err().to_string();
        assert!(refused.contains("holds something else"), "{refused}");
        assert!(left.exists());
    };
    let left = restore(&path, "restored", HistoryId::from_bytes([7; 16]));
    fs::rename(&other, &left).unwrap();
    refused(&left);
    let own = restore(&path, "restored", second.0);
    fs::rename(&left, &own).unwrap();
    fs::rename(own.join("state"), folder.path().join("state")).unwrap();
    refused(&own);
    fs::remove_file(own.join("FORMAT")).unwrap();
    refused(&own);
    fs::remove_dir_all(&own).unwrap();
    serves();
    // Another version's is not touched.
    fs::create_dir_all(own.join("state")).unwrap();
    let format = fs::read_to_string(path.join("FORMAT")).unwrap();
    let later = format.replace("format: 1", "format: 2");
    fs::write(path.join("FORMAT"), later).unwrap();
    let refused = open(&path).unwrap_err();
    assert!(
        matches!(refused, OpenError::NewerFormat { .. }),
        "{refused}"
    );
    fs::write(path.join("FORMAT"), format).unwrap();
    fs::remove_dir_all(own).unwrap();
    serves();
}
