//! A disk that is full refuses writes and nothing else, and takes them again when there is room.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use selectord::client::Client;
use selectord::model::Transaction;
use tonic::Code;

use crate::directory::Disk;
use crate::merges::{self, PATIENCE, WATCHED, comes, files, journal};
use crate::process::{BINARY, Server};
use crate::support::build::*;

fn transaction(number: usize) -> Transaction {
    let pods = (0..50).map(|i| {
        let pod = pod(&format!("d/p{i}")).label("number", &number.to_string());
        put_op(pod.uid(&"u".repeat(120)))
    });
    Transaction {
        operations: pods.collect(),
        ..Transaction::default()
    }
}

/// Fills a disk up.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [1 << 20, 1 << 12, 1] {
        let block = vec![1; size];
        while file.write_all(&block).is_ok() {}
    }
}

/// Makes room again. A process that another test starts may have the file open until it begins its program:
/// what is only removed would take room for as long.
fn make_room(ballast: &Path) {
    File::create(ballast).unwrap();
    fs::remove_file(ballast).unwrap();
}

/// What the log says of room on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Full,
    Room,
}

fn told(log: &Path) -> Vec<Told> {
    let log = fs::read_to_string(log).unwrap();
    let told = log.lines().filter_map(|line| {
        if line.contains("WARN") && line.contains("the disk is full") {
            return Some(Told::Full);
        }
        line.contains("there is room on the disk again")
            .then_some(Told::Room)
    });
    told.collect()
}

async fn number(client: &Client) -> String {
    let pod = client.pod(&name("d/p0")).await.unwrap().answer.pod;
    pod.labels.get("number").unwrap().to_string()
}

async fn fills_up(reserve: &str) {
    let Some(disk) = Disk::of("a full disk", 96) else {
        return;
    };
    let directory = disk.folder.path().join("data");
    let arguments = [
        "--data-dir",
        directory.to_str().unwrap(),
        "--disk-reserve",
        reserve,
        "--journal-bytes",
        "100000",
    ];
    let ballast = disk.folder.path().join("ballast");
    // What it logs is on another disk.
    let log = tempfile::NamedTempFile::new().unwrap();
    let to_log = format!("exec \"$@\" 2> {}", log.path().display());
    let logging = ["sh", "-c", &to_log, "sh", BINARY];
    let server = Server::start_by(
        &logging,
        "127.0.0.1:0",
        &[&arguments[..], &["--log", "info"]].concat(),
    );
    let client = Client::connect(&server.address).await.unwrap();
    let mut written = 0;
    for round in 1..=3 {
        for _ in 0..30 {
            written += 1;
            client.commit(transaction(written), "").await.unwrap();
        }
        fill(&ballast);
        let mut refused = 0;
        while refused < 5 {
            match client.commit(transaction(written + 1), "").await {
                Ok(_) => written += 1,
                Err(error) => {
                    assert_eq!(error.code(), Code::ResourceExhausted, "{error}");
                    assert!(error.to_string().contains("full"), "{error}");
                    refused += 1;
                }
            }
        }
        assert_eq!(told(log.path()).last(), Some(&Told::Full));
        // What is there is still told.
        assert_eq!(number(&client).await, written.to_string());
        make_room(&ballast);
        written += 1;
        client.commit(transaction(written), "").await.unwrap();
        let said = told(log.path());
        // Each time it is told once, however many are refused meanwhile.
        let by_turns = [Told::Full, Told::Room].into_iter().cycle();
        let by_turns: Vec<Told> = by_turns.take(said.len()).collect();
        assert_eq!(said, by_turns);
        assert_eq!(said.last(), Some(&Told::Room));
        assert!(said.len() >= 2 * round, "{said:?}");
    }
    // There may be none when it starts, either.
    fill(&ballast);
    drop((client, server));
    let server = Server::start(&arguments);
    let client = Client::connect(&server.address).await.unwrap();
    assert_eq!(number(&client).await, written.to_string());
    assert_eq!(server.revision(), written as u64);
    // It may have made a little when it started.
    let refused = loop {
        match client.commit(transaction(written + 1), "").await {
            Ok(_) => written += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    make_room(&ballast);
    client.commit(transaction(written + 1), "").await.unwrap();
}

/// What a flush that fails has written of its file is not left, however often it is tried.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_that_finds_no_room_leaves_nothing() {
    let Some(disk) = Disk::of("a flush that fails", 16) else {
        return;
    };
    let directory = disk.folder.path().join("data");
    let arguments = [
        "--data-dir",
        directory.to_str().unwrap(),
        "--disk-reserve",
        "0",
        "--journal-bytes",
        "160000",
    ];
    let server = Server::start(&arguments);
    let client = Client::connect(&server.address).await.unwrap();
    // Each takes some 30 kB in the journal, and as much in the state, so the last is flushed with those before.
    for number in 0..5 {
        let transaction = merges::transaction(number);
        client.commit(transaction, "").await.unwrap();
    }
    let before = (files(&directory), journal(&directory));
    let ballast = disk.folder.path().join("ballast");
    fill(&ballast);
    let room = 150_000;
    let file = File::options().write(true).open(&ballast).unwrap();
    file.set_len(file.metadata().unwrap().len() - room).unwrap();
    // What is open is not removed.
    drop(file);
    client.commit(merges::transaction(5), "").await.unwrap();
    // One is of a flush that is being tried, and goes again.
    let more = comes(WATCHED, || files(&directory) > before.0 + 1).await;
    assert!(!more, "there are {} files", files(&directory));
    assert_eq!(journal(&directory), before.1);

    make_room(&ballast);
    assert!(comes(PATIENCE, || journal(&directory) > before.1).await);
    drop((client, server));
    assert_eq!(Server::start(&arguments).revision(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_until_there_is_room() {
    fills_up("8000000").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn even_with_nothing_kept_in_reserve() {
    fills_up("0").await;
}
