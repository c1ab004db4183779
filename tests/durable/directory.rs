//! Directories that cannot be served: each is refused with what is wrong and what to do, and is left
//! as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use selectord::store::{EmbeddedOptions, EmbeddedStore, OpenError, Store as _};

use crate::process::{Done, Lines, Server, logged, run};
use crate::root;
use crate::support::build::*;

fn serve(directory: &Path, more: &[&str]) -> Done {
    let directory = directory.to_str().unwrap();
    let all = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--http",
        "off",
        "--data-dir",
        directory,
    ];
    run("", &[&all, more].concat(), "")
}

/// A directory that holds something.
fn filled(directory: &Path) {
    let directory = directory.to_str().unwrap();
    let server = Server::start(&["--data-dir", directory, "--disk-reserve", "0"]);
    server.apply("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: d}\n");
}

fn must_be_refused(done: &Done, says: &[&str]) {
    assert_eq!(done.code, 1, "{}", done.err);
    for text in says {
        assert!(done.err.contains(text), "{text:?} is not in: {}", done.err);
    }
    assert!(!done.err.contains("panicked"), "{}", done.err);
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("made/data");
    filled(&directory);
    let server = Server::start(&["--data-dir", directory.to_str().unwrap()]);
    assert_eq!(server.revision(), 1);
    let again = server.apply("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: d}\n");
    assert!(again.contains("unchanged"), "{again}");
    assert_eq!(server.revision(), 1);
    let status = server.ok(&["status"]);
    assert!(status.contains("embedded"), "{status}");
}

#[test]
fn manifests_are_for_a_directory_that_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_str().unwrap();
    let args = ["--data-dir", directory, "--disk-reserve", "0"];
    let args = [&args[..], &["--manifests", "examples/rng"]].concat();
    let server = Server::start(&args);
    assert_eq!(server.ok(&["count", "pods", "-l", "app=rng"]).trim(), "3");
    server.ok(&["label", "pods", "-l", "app=rng", "active=yes"]);
    server.ok(&["delete", "pod", "rng-h7k2p"]);
    let revision = server.revision();
    drop(server);

    let mut server = Server::start(&args);
    assert_eq!(server.revision(), revision);
    assert_eq!(server.ok(&["count", "pods", "-l", "active"]).trim(), "2");
    // Of the manifests' services it is said what they have now.
    let said: Vec<String> = (0..2).filter_map(|_| server.process.next()).collect();
    assert!(said[1].starts_with("default/rng      2 ready"), "{said:?}");
    // What was deleted does not come back, even where nothing is left.
    for kind in ["pods", "services", "nodes"] {
        server.ok(&["delete", kind, "--all"]);
    }
    let revision = server.revision();
    drop(server);
    let serve = ["serve", "--listen", "127.0.0.1:0", "--http", "off"];
    let line = logged(&[&serve[..], &args].concat(), "manifests were not applied");
    assert!(line.contains("selectord apply -f"), "{line}");
    let server = Server::start(&args);
    assert_eq!(server.revision(), revision);
}

#[test]
fn one_process_at_a_time_holds_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--data-dir", folder.path().to_str().unwrap()]);
    let done = serve(folder.path(), &[]);
    let holder = format!("held by another process (pid {})", server.process.id());
    must_be_refused(&done, &[&holder, "a directory of its own"]);
    drop(server);
    Server::start(&["--data-dir", folder.path().to_str().unwrap()]);
}

#[test]
fn a_later_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let format = folder.path().join("FORMAT");
    let text = fs::read_to_string(&format).unwrap();
    fs::write(&format, text.replace("format: 1", "format: 2")).unwrap();
    let done = serve(folder.path(), &[]);
    must_be_refused(
        &done,
        &[
            "has format 2",
            "formats up to 1",
            "the version that wrote it",
        ],
    );
}

#[test]
fn other_rules_of_derivation_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let done = serve(folder.path(), &["--missing-node", "withhold"]);
    must_be_refused(
        &done,
        &[
            "--missing-node admit",
            "--missing-node withhold",
            "serve it with",
        ],
    );
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("letter.txt"), "dear").unwrap();
    let done = serve(folder.path(), &[]);
    must_be_refused(
        &done,
        &["not a data directory of selectord", "name an empty one"],
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_root_of_a_new_file_system_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("lost+found")).unwrap();
    filled(folder.path());
    let server = Server::start(&["--data-dir", folder.path().to_str().unwrap()]);
    assert_eq!(server.revision(), 1);
}

/// Everything that is in a folder, with its content.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.insert(path.clone(), Vec::new());
            all.extend(contents(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            all.insert(path, bytes);
        }
    }
    all
}

#[test]
fn what_another_program_keeps_beside_a_lock_of_its_own_is_left_alone() {
    let programs: [&[(&str, &str)]; 5] = [
        &[
            ("LOCK", ""),
            ("CURRENT", "MANIFEST-1"),
            ("state/letter", ""),
        ],
        &[("LOCK", "theirs"), ("state/letter", "dear")],
        &[
            ("LOCK", "111111111111111111111111111111"),
            ("state/letter", "dear"),
        ],
        &[("FORMAT", "theirs"), ("state/letter", "dear")],
        &[("FORMAT", ""), ("restored/state/letter", "dear")],
    ];
    for files in programs {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let before = contents(folder.path());
        must_be_refused(
            &serve(folder.path(), &[]),
            &["not a data directory of selectord", "name an empty one"],
        );
        assert!(contents(folder.path()) == before, "{files:?}");
    }
}

/// A lock says nothing of whose the rest is, and neither do names alone.
#[test]
fn a_state_that_nobody_says_is_unfinished_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    fs::remove_file(folder.path().join("FORMAT")).unwrap();
    let refused = || {
        let before = contents(&folder.path().join("state"));
        assert!(!before.is_empty());
        must_be_refused(
            &serve(folder.path(), &[]),
            &[
                "FORMAT is damaged: it is missing",
                "from a backup",
                "move it away",
            ],
        );
        assert!(contents(&folder.path().join("state")) == before);
    };
    refused();
    fs::remove_file(folder.path().join("journal-00000000000000000001.log")).unwrap();
    refused();
    let theirs = tempfile::tempdir().unwrap();
    fs::write(theirs.path().join("LOCK"), "").unwrap();
    fs::create_dir(theirs.path().join("state")).unwrap();
    fs::write(theirs.path().join("state/letter"), "dear").unwrap();
    must_be_refused(&serve(theirs.path(), &[]), &["it is missing"]);
    assert!(theirs.path().join("state/letter").exists());
}

#[test]
fn a_first_start_that_did_not_come_to_its_end_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // Killed just before its end, or a moment before that.
    for journal_is_there in [true, false] {
        drop(Server::start(&[
            "--data-dir",
            folder.path().to_str().unwrap(),
        ]));
        fs::rename(path("FORMAT"), path("FORMAT.new")).unwrap();
        // Its lock was not synced.
        fs::write(path("LOCK"), [0; 5]).unwrap();
        if !journal_is_there {
            fs::remove_file(path("journal-00000000000000000001.log")).unwrap();
        }
    }
    filled(folder.path());
    let server = Server::start(&["--data-dir", folder.path().to_str().unwrap()]);
    assert_eq!(server.revision(), 1);
    drop(server);
    // Where something was written, it was not the first start.
    fs::rename(path("FORMAT"), path("FORMAT.new")).unwrap();
    must_be_refused(&serve(folder.path(), &[]), &["it is missing"]);
}

#[test]
fn parts_that_are_missing_are_noticed() {
    for missing in ["state", "journal"] {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name == "state" && missing == "state" {
                fs::remove_dir_all(path).unwrap();
            } else if name.starts_with("journal-") && missing == "journal" {
                fs::remove_file(path).unwrap();
            }
        }
        must_be_refused(&serve(folder.path(), &[]), &["is missing", "from a backup"]);
    }
}

#[test]
fn a_part_that_was_begun_and_lost_is_excused_behind_one_that_holds_groups() {
    for header in [0, 20, 36] {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        let begun = folder.path().join("journal-00000000000000000002.log");
        fs::write(&begun, vec![0; header]).unwrap();
        let directory = ["--data-dir", folder.path().to_str().unwrap()];
        let server = Server::start(&directory);
        assert_eq!(server.revision(), 1);
        server.apply("apiVersion: v1\nkind: Node\nmetadata: {name: another}\n");
        drop(server);
        assert!(begun.metadata().unwrap().len() > 36);
        assert_eq!(Server::start(&directory).revision(), 2);
    }
}

#[test]
fn fsync_without_a_directory_is_a_mistake() {
    let done = run("", &["serve", "--fsync", "always"], "");
    assert_eq!(done.code, 2, "{}", done.err);
    let done = run("", &["serve", "--data-dir", "d", "--fsync", "group:0"], "");
    assert_eq!(done.code, 2, "{}", done.err);
    assert!(done.err.contains("group:MILLIS"), "{}", done.err);
}

#[test]
fn transactions_count_on_from_a_directory_that_a_library_opened() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let options = EmbeddedOptions::default();
        EmbeddedStore::open(folder.path(), Default::default(), options, &mut |_| ())
    };
    let (mut store, _) = open().unwrap();
    assert!(matches!(open(), Err(OpenError::Held { .. })));
    let group = [resolved([put(node("n"))]), resolved([])];
    assert_eq!(store.append(&group).unwrap(), [1, 2]);
    store.sync().unwrap();
    let committed = store.committed_at();
    assert!(committed.is_some());
    drop(store);
    let (mut store, engine) = open().unwrap();
    assert_eq!((engine.head(), store.committed_at()), (2, committed));
    assert_eq!(store.append(&group[..1]).unwrap(), [3]);
}

/// Runs a command as root does; false, and loudly so, where that is not possible and need not be.
pub fn as_root(what: &str, command: &str, arguments: &[&str]) -> bool {
    let done = Command::new(command).args(arguments).output();
    let ok = done.as_ref().is_ok_and(|done| done.status.success());
    if !ok {
        root::skip(
            what,
            &format!("{command} {arguments:?} did not work: {done:?}"),
        );
    }
    ok
}

/// A small disk of its own, as long as it lives.
pub struct Disk {
    pub folder: tempfile::TempDir,
}

impl Disk {
    /// None where the test may not mount one.
    pub fn of(what: &str, mebibytes: usize) -> Option<Disk> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let size = format!("size={mebibytes}m");
        let mount = ["-t", "tmpfs", "-o", &size, "selectord-test", path];
        as_root(what, "mount", &mount).then_some(Disk { folder })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What is left says so by its name.
        let _ = Command::new("umount")
            .arg("-l")
            .arg(self.folder.path())
            .output();
    }
}

#[test]
fn a_read_only_directory_is_refused() {
    let Some(disk) = Disk::of("a read-only directory", 32) else {
        return;
    };
    let directory = disk.folder.path().join("data");
    filled(&directory);
    let path = disk.folder.path().to_str().unwrap();
    assert!(as_root(
        "a read-only directory",
        "mount",
        &["-o", "remount,ro", path]
    ));
    must_be_refused(
        &serve(&directory, &[]),
        &["cannot write", "has to be writable"],
    );
    assert!(as_root(
        "a read-only directory",
        "mount",
        &["-o", "remount,rw", path]
    ));
    let mut server = Lines::start(
        "",
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--http",
            "off",
            "--data-dir",
            directory.to_str().unwrap(),
        ],
    );
    assert!(server.next().is_some());
}
