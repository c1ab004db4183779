//! A snapshot is restored into an etcd, under servers that share it or wait for it. Where there is no
//! etcd on the machine, each test says so and passes, unless `SELECTORD_TEST_ETCD` is set.

use std::fs;
use std::path::Path;

use selectord::client::Client;
use selectord::model::{Operation, Transaction};
use selectord::store::etcd::{EtcdError, EtcdOptions, EtcdRestore, EtcdStore};

use crate::binary::{must_be_refused, text, write};
use crate::etcd::{Etcd, eventually, patiently};
use crate::process::{Done, Lines, Server, run};
use crate::worlds::{body, facts};

fn restore(file: &Path, address: &str, more: &[&str]) -> Done {
    let all = ["snapshot", "restore", text(file), "--store", address];
    run("", &[&all, more].concat(), "")
}

async fn pods(client: &Client) -> u64 {
    let status = patiently(client.status()).await;
    let sizes = status.map(|status| status.sizes).unwrap_or_default();
    let pods = sizes.iter().find(|(name, _)| *name == "pods");
    pods.map_or(0, |(_, pods)| *pods)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_restored_into_an_etcd_is_served_by_all_who_share_it() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (file, again) = (folder.path().join("one"), folder.path().join("two"));
    let memory = Server::start(&[]);
    let client = Client::connect(&memory.address).await.unwrap();
    write(&client, 0, 1_000).await;
    memory.ok(&["snapshot", "save", text(&file)]);
    drop(memory);

    let store = ["--store", &etcd.address()];
    let servers = [Server::start(&store), Server::start(&store)];
    let one = Client::connect(&servers[0].address).await.unwrap();
    let two = Client::connect(&servers[1].address).await.unwrap();
    write(&one, 0, 20).await;
    eventually("the other replica", async || pods(&two).await == 20).await;
    let before = one.status().await.unwrap().epoch;

    must_be_refused(
        &restore(&file, &etcd.address(), &[]),
        &["objects under /test", "--force"],
    );
    assert_eq!(pods(&one).await, 20);
    // A request id is of the history that goes.
    let requests = || etcd.ctl(&["get", "--prefix", "/test/requests/", "--keys-only"]);
    let another = Transaction {
        operations: vec![Operation::Put(facts(&file)[500].0.clone())],
        ..Transaction::default()
    };
    patiently(one.commit(another, "r1")).await.unwrap();
    assert!(!requests().is_empty());
    let done = restore(&file, &etcd.address(), &["--force", "--max-txn-ops", "64"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let waiting = format!("waiting for etcd at {}", etcd.address());
    assert!(done.err.contains(&waiting), "{}", done.err);
    let serve = format!("serve --store {} --max-txn-ops 64", etcd.address());
    assert!(done.out.contains(&serve), "{}", done.out);
    for client in [&one, &two] {
        eventually("what was restored", async || pods(client).await == 1_000).await;
        assert_ne!(client.status().await.unwrap().epoch, before);
    }
    assert_eq!(requests(), "");
    servers[1].ok(&["snapshot", "save", text(&again)]);
    assert_eq!(facts(&file), facts(&again));
    assert!(body(&fs::read(&file).unwrap()) == body(&fs::read(&again).unwrap()));
}

/// What cannot be restored is found before anything is deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_deleted_for_a_snapshot_that_does_not_fit_or_is_damaged() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (file, damaged) = (folder.path().join("one"), folder.path().join("two"));
    let memory = Server::start(&[]);
    let client = Client::connect(&memory.address).await.unwrap();
    write(&client, 0, 100).await;
    let large = format!("l: \"{}\"", "v".repeat(60));
    let labels: Vec<_> = (0..40)
        .map(|i| large.replace('l', &format!("l{i}")))
        .collect();
    let labels = labels.join(", ");
    memory.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: large, namespace: z, labels: {{{labels}}}}}\n"
    ));
    memory.ok(&["snapshot", "save", text(&file)]);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&damaged, bytes).unwrap();

    let server = Server::start(&["--store", &etcd.address()]);
    let client = Client::connect(&server.address).await.unwrap();
    write(&client, 0, 20).await;
    let before = client.status().await.unwrap();
    let small = ["--force", "--max-request-bytes", "3000"];
    for (file, more, says) in [
        (
            &file,
            &small[..],
            ["z/large takes ", "a request may have 1976"],
        ),
        (&damaged, &["--force"], ["two", "damaged"]),
    ] {
        must_be_refused(&restore(file, &etcd.address(), more), &says);
        let after = client.status().await.unwrap();
        assert_eq!(
            (after.epoch, after.revision),
            (before.epoch.clone(), before.revision)
        );
        assert_eq!(pods(&client).await, 20);
    }
    // All of it is still there to be listed, and is taken again.
    drop((client, server));
    let server = Server::start(&["--store", &etcd.address()]);
    let client = Client::connect(&server.address).await.unwrap();
    assert_eq!(pods(&client).await, 20);
    assert_eq!(restore(&file, &etcd.address(), &["--force"]).code, 0);
    eventually("what was restored", async || pods(&client).await == 101).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_was_broken_off_is_served_by_nobody_and_can_be_done_again() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapshot");
    let memory = Server::start(&[]);
    let client = Client::connect(&memory.address).await.unwrap();
    write(&client, 0, 300).await;
    memory.ok(&["snapshot", "save", text(&file)]);

    // Under a prefix with a history and nothing else: that is empty.
    // In so small transactions that many of them have come through.
    let small = EtcdOptions {
        max_txn_ops: 4,
        ..etcd.options()
    };
    let mut half = EtcdRestore::begin(small, false, &mut |_| ()).await.unwrap();
    for (object, source) in facts(&file).iter().take(200) {
        half.put(object, source).await.unwrap();
    }
    drop(half);
    let refused = EtcdStore::connect(etcd.options()).await.unwrap_err();
    assert!(matches!(refused, EtcdError::Restoring { .. }), "{refused}");

    // Who comes waits.
    let address = etcd.address();
    let serve = ["serve", "--store", &address, "--http", "off"];
    let listen = ["--listen", "127.0.0.1:0", "--log", "error"];
    let mut waiting = Lines::start("", &[&serve[..], &listen].concat());
    must_be_refused(&restore(&file, &etcd.address(), &[]), &["--force"]);
    assert!(waiting.is_running());
    assert_eq!(restore(&file, &etcd.address(), &["--force"]).code, 0);
    let served = waiting.next();
    assert!(served.is_some_and(|line| line.starts_with("serving gRPC")));

    let server = Server::start(&["--store", &etcd.address()]);
    let client = Client::connect(&server.address).await.unwrap();
    assert_eq!(pods(&client).await, 300);

    // One that another has taken the place of goes no further.
    let mut first = EtcdRestore::begin(etcd.options(), true, &mut |_| ())
        .await
        .unwrap();
    let second = EtcdRestore::begin(etcd.options(), true, &mut |_| ())
        .await
        .unwrap();
    let (object, source) = &facts(&file)[0];
    first.put(object, source).await.unwrap();
    assert!(first.finish().await.is_err());
    second.finish().await.unwrap();
    eventually("nothing", async || pods(&client).await == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_restored_deletes_nothing() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapshot");
    let server = Server::start(&["--store", &etcd.address()]);
    let client = Client::connect(&server.address).await.unwrap();
    write(&client, 0, 20).await;
    server.ok(&["snapshot", "save", text(&file)]);
    let keys = || etcd.ctl(&["get", "--prefix", "/", "-w", "json"]);

    // An object that does not fit.
    let before = keys();
    let small = ["--force", "--max-request-bytes", "1100"];
    must_be_refused(
        &restore(&file, &etcd.address(), &small),
        &["--max-request-bytes"],
    );
    // A prefix that is somebody else's.
    etcd.ctl(&["put", "/registry/pods/one", "somebody's"]);
    let registry = etcd.address().replace("/test", "/registry");
    must_be_refused(
        &restore(&file, &registry, &["--force"]),
        &["/registry/pods/one", "/registry/format"],
    );
    etcd.ctl(&["del", "/registry/pods/one"]);
    let kvs = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap()["kvs"].take();
    assert_eq!(kvs(&keys()), kvs(&before));
    assert_eq!(pods(&client).await, 20);
}
