//! The files of the state cannot be merged, because a file that is merged would be larger than the process may
//! make one: writes go on, the files come to no more than can be read again, and they are merged later.

use std::fs;
use std::path::Path;
use std::time::Duration;

use selectord::client::Client;
use selectord::model::Transaction;

use crate::directory::as_root;
use crate::process::{BINARY, Server};
use crate::support::build::*;

/// Largest file, while merges are to fail: a flush stays below it, and what four are merged into does not.
const LARGEST: &str = "110000";
/// Pods of a transaction, which are as much as the journal grows by before a flush.
const PODS: usize = 200;
/// With so many files none is added: flushes that are not merged, and the first ones, which are.
const MOST: usize = 66;
/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(20);
/// After so many looks it will not come any more.
pub const PATIENCE: usize = 6_000;
/// After so many, what takes a moment otherwise has not come.
const STUCK: usize = 500;
/// For so many looks nothing is to come.
pub const WATCHED: usize = 150;

pub fn transaction(number: usize) -> Transaction {
    // What no compression makes smaller.
    let mut noise = number as u64;
    let mut uid = || {
        let digits = (0..16).map(|_| {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            format!("{:08x}", noise >> 32)
        });
        digits.collect::<String>()
    };
    let pods = (0..PODS).map(|i| put_op(pod(&format!("d/p{number:04}-{i:03}")).uid(&uid())));
    Transaction {
        operations: pods.collect(),
        ..Transaction::default()
    }
}

pub fn files(directory: &Path) -> usize {
    fs::read_dir(directory.join("state/tables"))
        .unwrap()
        .count()
}

/// The revision that the journal begins with: what was before is flushed.
pub fn journal(directory: &Path) -> String {
    let names = fs::read_dir(directory).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let parts = names.filter(|name| name.starts_with("journal-"));
    parts.min().unwrap()
}

/// Whether something comes to hold within so many looks.
pub async fn comes(looks: usize, mut holds: impl FnMut() -> bool) -> bool {
    for _ in 0..looks {
        if holds() {
            return true;
        }
        tokio::time::sleep(LOOK).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_is_flushed_than_can_be_read_while_merges_fail() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("data");
    let arguments = [
        "--data-dir",
        directory.to_str().unwrap(),
        "--disk-reserve",
        "0",
        "--journal-bytes",
        "1000",
    ];
    // A write beyond the limit fails then, and ends nobody.
    let ignoring = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh", BINARY];
    let server = Server::start_by(&ignoring, "127.0.0.1:0", &arguments);
    let limit = |bytes: &str| {
        let (id, soft) = (server.process.id().to_string(), format!("--fsize={bytes}:"));
        as_root("merges that fail", "prlimit", &["--pid", &id, &soft])
    };
    if !limit(LARGEST) {
        return;
    }
    let client = Client::connect(&server.address).await.unwrap();
    let mut written = 0;
    let mut write = async || {
        client.commit(transaction(written), "").await.unwrap();
        written += 1;
        written
    };
    // Each is flushed into a file of its own, until no more is. One file more is of a merge that is being tried,
    // and goes again.
    for _ in 0..MOST + 3 {
        let before = journal(&directory);
        write().await;
        if !comes(STUCK, || journal(&directory) > before).await {
            break;
        }
    }
    let more = comes(WATCHED, || files(&directory) > MOST + 1).await;
    assert!(!more, "there are {} files", files(&directory));

    assert!(limit("unlimited"));
    // The tree removes what it has merged with a later flush.
    let mut written = 0;
    for _ in 0..10 {
        let before = journal(&directory);
        written = write().await;
        assert!(comes(PATIENCE, || journal(&directory) > before).await);
    }
    let left = files(&directory);
    assert!(left < MOST / 2, "{left} files are left");
    drop((client, server));
    let server = Server::start(&arguments);
    assert_eq!(server.revision(), written as u64);
    let status = server.ok(&["status", "-o", "json"]);
    let pods = format!("\"pods\": {}", written * PODS);
    assert!(status.contains(&pods), "{pods} is not in {status}");
}
