//! A thread of the store ends by a panic: that is seen, nothing is lost, and writes go on.

use std::fs::{self, File};
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use selectord::engine::{Engine, EngineOptions};
use selectord::model::ResolvedTransaction;
use selectord::runtime::{self, RuntimeOptions};
use selectord::server::{ServerOptions, serve};
use selectord::store::{Disk, DiskFile, EmbeddedOptions, EmbeddedStore, Store as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::support::build::*;

/// The system's disk, and a defect: what removes a file panics. Only the thread that keeps the state does.
#[derive(Debug)]
struct Breaking;

impl Disk for Breaking {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut options = File::options();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        Ok(Box::new(file))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        panic!("asked to remove {}", path.display());
    }

    fn sync_names(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

const OPTIONS: EmbeddedOptions = EmbeddedOptions {
    journal_bytes: 0,
    reserve_bytes: 0,
};

fn open(directory: &Path) -> (EmbeddedStore, Engine) {
    let disk = Arc::new(Breaking);
    EmbeddedStore::open_on(
        disk,
        directory,
        EngineOptions::default(),
        OPTIONS,
        &mut |_| (),
    )
    .unwrap()
}

fn transaction(number: usize) -> ResolvedTransaction {
    resolved([put(pod("d/p").label("number", &number.to_string()))])
}

fn must_hold(directory: &Path, number: usize) {
    let rules = EngineOptions::default();
    let opened = EmbeddedStore::open(directory, rules, OPTIONS, &mut |_| ());
    let (store, engine) = opened.unwrap();
    assert_eq!(engine.head(), number as u64);
    assert_eq!(store.fault().get(), None);
    let pod = engine.pod(&name("d/p")).unwrap().object;
    assert_eq!(
        pod.labels.get("number").unwrap().as_str(),
        number.to_string()
    );
}

#[test]
fn nobody_waits_for_a_thread_that_has_ended_by_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, mut engine) = open(folder.path());
    let fault = store.fault();
    assert_eq!(fault.get(), None);
    for number in 1..=50 {
        let group = [transaction(number)];
        let revisions = store.append(&group).unwrap();
        store.sync().unwrap();
        let [transaction] = group;
        engine.apply(revisions[0], transaction).unwrap();
        store.applied(&mut engine);
        store.wait_until_kept();
    }
    let says = fault.get().unwrap();
    assert!(
        says.contains("keeps the state") && says.contains("restarted"),
        "{says}"
    );
    drop(store);
    must_hold(folder.path(), 50);
}

/// The status and the text of `/readyz`.
async fn readiness(at: SocketAddr) -> (u16, String) {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let request = b"GET /readyz HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

#[tokio::test]
async fn whoever_asks_for_the_status_is_told_and_writes_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (store, engine) = open(folder.path());
    let fault = store.fault();
    let options = RuntimeOptions::default();
    let (runtime, thread) = runtime::start_with(Box::new(store), engine, options).unwrap();
    let mut written = 0;
    let mut write = async || {
        written += 1;
        let pod = pod("d/p").label("number", &written.to_string());
        let operations = vec![put_op(pod)];
        let transaction = selectord::model::Transaction {
            operations,
            ..Default::default()
        };
        runtime.commit(transaction, "".into()).await.unwrap();
        written
    };
    let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = http.local_addr().unwrap();
    let (options, ending) = (ServerOptions::default(), CancellationToken::new());
    let serving = serve(vec![], Some(http), runtime.clone(), options, ending.clone());
    let serving = tokio::spawn(serving);
    assert_eq!(readiness(at).await, (200, "ok\n".to_owned()));
    while fault.get().is_none() {
        write().await;
    }
    assert_eq!(runtime.store_fault(), fault.get());
    let said = format!("ok, with a store fault: {}\n", fault.get().unwrap());
    assert_eq!(readiness(at).await, (200, said));
    ending.cancel();
    serving.await.unwrap().unwrap();
    for _ in 0..20 {
        write().await;
    }
    let last = write().await;
    drop(runtime);
    thread.shutdown().await.unwrap();
    must_hold(folder.path(), last);
}
