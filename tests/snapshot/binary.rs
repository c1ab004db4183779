//! The real program.

use std::fs;
use std::future::Future;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use selectord::client::{Client, Resume, WatchOptions, Watcher};
use selectord::engine::{Event, Scope};
use selectord::model::Transaction;
use serde_json::Value;

use crate::process::{BINARY, Done, Server, run};
use crate::support::build::*;
use crate::support::random::{Random, seeds};
use crate::worlds::{body, facts};

async fn patiently<T>(answer: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(180);
    let answer = tokio::time::timeout(patience, answer).await;
    answer.expect("no answer")
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn restore(file: &Path, directory: &Path, more: &[&str]) -> Done {
    let all = [
        "snapshot",
        "restore",
        text(file),
        "--data-dir",
        text(directory),
    ];
    run("", &[&all, more].concat(), "")
}

pub fn must_be_refused(done: &Done, says: &[&str]) {
    assert_eq!(done.code, 1, "{done:?}");
    for text in says {
        assert!(done.err.contains(text), "{text:?} is not in: {}", done.err);
    }
    assert!(!done.err.contains("panicked"), "{}", done.err);
}

pub async fn write(client: &Client, from: usize, to: usize) -> u64 {
    let pods = (from..to).map(|i| {
        let pod = pod(&format!("d/p{i:05}")).label("app", "rng").ready();
        put_op(pod.ip(&format!("10.0.{}.{}", i >> 8, i & 255)))
    });
    let operations = [put_op(service("d/rng").selects("app=rng"))];
    let transaction = Transaction {
        operations: operations.into_iter().chain(pods).collect(),
        source: "test".into(),
        ..Transaction::default()
    };
    let committed = patiently(client.commit(transaction, "")).await;
    committed.unwrap().revision
}

/// Follows up to a revision; answers what was told on the way.
async fn follow(watcher: &mut Watcher, to: impl Fn(u64) -> bool) -> Vec<Event> {
    let mut told = Vec::new();
    loop {
        let cut = patiently(watcher.next()).await.unwrap();
        told.extend(cut.events);
        if to(cut.revision) {
            return told;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_saved_is_restored_and_no_cursor_of_the_former_history_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, again) = (folder.path().join("one"), folder.path().join("two"));
    let directory = folder.path().join("data");
    let socket = format!("unix:{}", folder.path().join("selectord.sock").display());

    let server = Server::start_at(&socket, &["--missing-node", "withhold"]);
    let client = Client::connect(&socket).await.unwrap();
    write(&client, 0, 300).await;
    let saved = write(&client, 300, 400).await;
    let said = server.ok(&["snapshot", "save", text(&file)]);
    assert!(
        said.contains(&format!("revision {saved}: 401 objects")),
        "{said}"
    );
    // What comes later is not in it, but the subscriber has seen it.
    let mut watcher = client.watch(Scope::all(), WatchOptions::default());
    write(&client, 400, 450).await;
    let later = asked([put_op(service("d/later"))]);
    let last = client.commit(later, "").await.unwrap().revision;
    follow(&mut watcher, |revision| revision == last).await;
    let resume = Resume::Cursor(watcher.cursor().unwrap().clone());
    let epoch = client.status().await.unwrap().epoch;
    drop(server);

    let status = run("", &["snapshot", "status", text(&file), "-o", "json"], "");
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["revision"], saved);
    assert_eq!(status["objects"]["pods"], 400);
    assert_eq!(status["objects"]["services"], 1);
    assert_eq!(status["objects"]["total"], 401);
    assert_eq!(status["missingNode"], "withhold");
    assert_eq!(status["bytes"], fs::metadata(&file).unwrap().len());
    assert!(status["commitTime"].as_str() <= status["saved"].as_str());
    let hex: String = epoch.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(status["epoch"], hex);

    let done = restore(&file, &directory, &[]);
    assert_eq!(done.code, 0, "{}", done.err);
    let serve = "--missing-node withhold";
    assert!(done.out.contains(serve), "{}", done.out);
    let arguments = ["--data-dir", text(&directory), "--missing-node", "withhold"];
    let server = Server::start_at(&socket, &arguments);
    assert_eq!(server.revision(), saved);
    let mut fresh = client.watch(Scope::all(), WatchOptions::default());
    follow(&mut fresh, |revision| revision == saved).await;
    // Who holds the state is sent what differs, and who has a cursor alone is sent everything.
    let told = follow(&mut watcher, |revision| revision == saved).await;
    assert!(!told.contains(&Event::Reset));
    assert!(told.contains(&Event::Remove(name("d/later"))), "{told:?}");
    assert_eq!(watcher.view(), fresh.view());
    let options = WatchOptions {
        resume,
        ..WatchOptions::default()
    };
    let mut resumed = client.watch(Scope::all(), options);
    let told = follow(&mut resumed, |revision| revision == saved).await;
    assert!(told.contains(&Event::Reset));
    assert_eq!(resumed.view(), fresh.view());
    let restored = client.status().await.unwrap();
    assert_ne!(restored.epoch, epoch);
    let commit = restored.commit_time.unwrap();
    assert!(commit <= std::time::SystemTime::now());
    assert_eq!(server.ok(&["count", "pods", "-A"]).trim(), "400");

    server.ok(&["snapshot", "save", text(&again)]);
    let (one, two) = (fs::read(&file).unwrap(), fs::read(&again).unwrap());
    assert_ne!(one, two);
    assert!(body(&one) == body(&two));
    assert_eq!(facts(&file), facts(&again));
    let human = run("", &["snapshot", "status", text(&again)], "");
    assert_eq!(human.code, 0);
    let contents = status["contents"].as_str().unwrap();
    assert!(human.out.contains(contents), "{}", human.out);
}

#[test]
fn standard_output_gets_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&[]);
    server.apply("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: d}\n");
    let output = Command::new(BINARY)
        .args(["snapshot", "save", "-", "--server", &server.address])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("saved revision 1: 1 objects"), "{said}");
    let path = folder.path().join("piped");
    fs::write(&path, output.stdout).unwrap();
    assert_eq!(facts(&path).len(), 1);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapshot");
    let directory = folder.path().join("data");
    let server = Server::start(&[]);
    server.apply("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: d}\n");
    server.ok(&["snapshot", "save", text(&file)]);

    let whole = fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(&file, &damaged).unwrap();
    must_be_refused(
        &restore(&file, &directory, &[]),
        &["is damaged", "check sum"],
    );
    must_be_refused(
        &run("", &["snapshot", "status", text(&file)], ""),
        &["is damaged"],
    );
    fs::write(&file, "kind: Pod\n").unwrap();
    must_be_refused(
        &restore(&file, &directory, &[]),
        &["not a snapshot of selectord"],
    );
    assert!(!directory.exists());

    fs::write(&file, &whole).unwrap();
    assert_eq!(restore(&file, &directory, &[]).code, 0);
    let refused = restore(&file, &directory, &[]);
    must_be_refused(&refused, &["holds data already", "--force"]);
    assert_eq!(restore(&file, &directory, &["--force"]).code, 0);
    let holder = Server::start(&["--data-dir", text(&directory)]);
    must_be_refused(
        &restore(&file, &directory, &["--force"]),
        &["held by another process"],
    );
    drop(holder);
    must_be_refused(
        &restore(&file, folder.path(), &["--force"]),
        &["not a data directory of selectord"],
    );

    let saves = |to: &str| server.run(&["snapshot", "save", to]);
    must_be_refused(&saves(text(folder.path())), &["cannot write"]);
    must_be_refused(
        &saves("/nowhere/snapshot"),
        &["cannot write /nowhere/snapshot"],
    );
    let early = run("", &["-s", "a:1", "snapshot", "status", text(&file)], "");
    assert_eq!(early.code, 2, "{}", early.err);
}

/// A restore over what is there is killed again and again: what is there is the one or the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_is_killed_leaves_all_of_the_one_or_of_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let files = [folder.path().join("few"), folder.path().join("many")];
    let directory = folder.path().join("data");
    let server = Server::start(&[]);
    let client = Client::connect(&server.address).await.unwrap();
    write(&client, 0, 100).await;
    server.ok(&["snapshot", "save", text(&files[0])]);
    write(&client, 100, 2_000).await;
    server.ok(&["snapshot", "save", text(&files[1])]);
    assert_eq!(restore(&files[0], &directory, &[]).code, 0);
    let seed = seeds(82_000, 1)[0];
    println!("seed {seed} (SELECTORD_TEST_SEED={seed})");
    let mut random = Random::new(seed);
    for round in 0..12 {
        let file = text(&files[(round + 1) % 2]);
        let mut child = Command::new(BINARY)
            .args(["snapshot", "restore", file, "--force"])
            .args(["--data-dir", text(&directory)])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Some time on its way: so often the directory is looked at.
        for _ in 0..random.between(0, 4_000) {
            let _ = fs::read_dir(&directory).map(Iterator::count);
        }
        let _ = child.kill();
        child.wait().unwrap();
        let server = Server::start(&["--data-dir", text(&directory)]);
        let pods = server.ok(&["count", "pods", "-A"]);
        assert!(["100", "2000"].contains(&pods.trim()), "{pods} pods");
        let verified = server.ok(&["status", "--verify"]);
        assert!(verified.contains("everything agrees"), "{verified}");
        let names = fs::read_dir(&directory).unwrap().flatten();
        let mut names = names.map(|entry| entry.file_name().into_string().unwrap());
        assert!(!names.any(|name| name.starts_with("restor")));
    }
}
