//! A disk that is full refuses writes and nothing else, and takes them again when there is room.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use selectord::client::Client;
use selectord::model::Transaction;
use tonic::Code;

use crate::directory::Disk;
use crate::process::Server;
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
    let mut file = fs::File::create(path).unwrap();
    for size in [1 << 20, 1 << 12, 1] {
        let block = vec![1; size];
        while file.write_all(&block).is_ok() {}
    }
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
    let server = Server::start(&arguments);
    let client = Client::connect(&server.address).await.unwrap();
    let mut written = 0;
    for _ in 0..3 {
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
        // What is there is still told.
        assert_eq!(number(&client).await, written.to_string());
        fs::remove_file(&ballast).unwrap();
        written += 1;
        client.commit(transaction(written), "").await.unwrap();
    }
    drop((client, server));
    let server = Server::start(&arguments);
    let client = Client::connect(&server.address).await.unwrap();
    assert_eq!(number(&client).await, written.to_string());
    assert_eq!(server.revision(), written as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_writes_until_there_is_room() {
    fills_up("8000000").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn even_with_nothing_kept_in_reserve() {
    fills_up("0").await;
}
