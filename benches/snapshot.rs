//! What it costs to save everything, beside a writer and alone, and to restore it.
//!
//! What is measured: a save over gRPC, as `selectord snapshot save` does it, into a file: seconds, bytes a
//! pod. Then a writer that never pauses (one transaction of one readiness flip each, 16 of them on their
//! way, pods far from one another), alone and with a save beside it: transactions a second, and how long
//! each took until it was acknowledged. The save has to end with the state at which it began; how much it
//! kept of what was changed ahead of it is bounded by the default of `--max-save-bytes`. Then the restore:
//! checked, read into an engine, written as a data directory; and that directory opened as `serve` does.
//!
//! Corpus: `load-tests/corpus`, plain, seed 1; SELECTORD_BENCH_PODS pods (100,000); five seconds a
//! measurement without a save, or SELECTORD_BENCH_SECONDS. Files are made in SELECTORD_BENCH_DIR, or where
//! the system has its temporary files.
//!
//! Run: `SELECTORD_BENCH_PODS=1000000 cargo bench --bench snapshot`

mod support;

use std::collections::VecDeque;
use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use selectord::client::Client;
use selectord::engine::EngineOptions;
use selectord::model::{Change, Object, Operation, Pod, ReadyCondition, Transaction};
use selectord::runtime::{Runtime, RuntimeOptions, start};
use selectord::server::{ListenAddress, ServerOptions, serve};
use selectord::snapshot::{Checked, NewFile, SnapshotReader, load};
use selectord::store::{EmbeddedOptions, EmbeddedStore, MemoryStore};
use tokio_util::sync::CancellationToken;

use support::{LOADED_AT_ONCE, objects};

/// Transactions on their way to the writer.
const UNDER_WAY: usize = 16;

fn seconds() -> Duration {
    let seconds = env::var("SELECTORD_BENCH_SECONDS").ok();
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(5))
}

fn put(object: Object) -> Operation {
    Operation::Put(object)
}

async fn fill(runtime: &Runtime) -> Vec<Pod> {
    let corpus = support::corpus();
    let mut changes = objects(&corpus).peekable();
    let mut pods = Vec::new();
    while changes.peek().is_some() {
        let part = changes.by_ref().take(LOADED_AT_ONCE);
        let operations = part.filter_map(|change| match change {
            Change::Put(object) => Some(object),
            Change::Delete(_) => None,
        });
        let operations: Vec<Operation> = operations
            .inspect(|object| {
                if let Object::Pod(pod) = object {
                    pods.push((**pod).clone());
                }
            })
            .map(put)
            .collect();
        commit(runtime, operations).await;
    }
    pods
}

async fn commit(runtime: &Runtime, operations: Vec<Operation>) {
    let transaction = Transaction {
        operations,
        ..Transaction::default()
    };
    let committed = runtime.commit(transaction, "".into()).await;
    committed.expect("it is committed");
}

fn flip(pod: &mut Pod) -> Transaction {
    pod.ready = match pod.ready {
        ReadyCondition::True => ReadyCondition::False,
        _ => ReadyCondition::True,
    };
    Transaction {
        operations: vec![put(Object::Pod(Box::new(pod.clone())))],
        ..Transaction::default()
    }
}

/// Writes until told to stop; answers the times that transactions took.
async fn write(runtime: &Runtime, pods: &mut [Pod], stop: &AtomicBool) -> Vec<Duration> {
    let mut took = Vec::new();
    let mut under_way = VecDeque::new();
    let mut at = 0;
    while !stop.load(Ordering::Relaxed) {
        // A stride that visits them all, far from one another.
        at = (at + 7_919) % pods.len();
        let began = Instant::now();
        let pending = runtime.submit(flip(&mut pods[at]), "".into(), None).await;
        under_way.push_back((began, pending.expect("it is submitted")));
        if under_way.len() == UNDER_WAY
            && let Some((began, oldest)) = under_way.pop_front()
        {
            oldest.committed().await.expect("it is committed");
            took.push(began.elapsed());
        }
    }
    took
}

/// Saves into a file; answers how many bytes it has.
async fn save(client: &Client, path: &Path) -> u64 {
    let mut parts = client.save_snapshot().await.expect("it begins");
    let mut file = NewFile::create(path).expect("a file");
    let mut checked = Checked::default();
    while let Some(part) = parts.next().await.expect("it goes on") {
        file.write_all(&part.data).expect("it is written");
        checked.update(&part.data);
    }
    let bytes = checked.bytes();
    assert!(checked.finish().is_some(), "it is whole");
    file.commit().expect("it is durable");
    bytes
}

fn told(what: &str, took: &mut [Duration], elapsed: Duration) {
    took.sort_unstable();
    let at = |part: usize| took.get(took.len() * part / 1_000).copied();
    let rate = took.len() as f64 / elapsed.as_secs_f64();
    println!(
        "  {what}: {rate:.0} transactions a second, p50 {:.0?}, p99 {:.0?}, worst {:.1?}",
        at(500).unwrap_or_default(),
        at(990).unwrap_or_default(),
        took.last().copied().unwrap_or_default(),
    );
}

async fn saves(file: &Path) -> usize {
    let store = MemoryStore::new().expect("randomness");
    let (runtime, _thread) = start(Box::new(store), RuntimeOptions::default()).expect("a thread");
    let mut pods = fill(&runtime).await;
    let count = pods.len();
    let address: ListenAddress = "127.0.0.1:0".parse().expect("an address");
    let listener = address.bind(false).await.expect("a port");
    let address = listener.address().expect("an address").to_string();
    tokio::spawn(serve(
        vec![listener],
        None,
        runtime.clone(),
        ServerOptions::default(),
        CancellationToken::new(),
    ));
    let client = Client::connect(&address).await.expect("it answers");

    for _ in 0..2 {
        let began = Instant::now();
        let bytes = save(&client, file).await;
        println!(
            "  save alone: {:.2?}, {:.1} MiB, {:.1} bytes a pod",
            began.elapsed(),
            bytes as f64 / f64::from(1 << 20),
            bytes as f64 / count as f64
        );
    }
    for beside in [false, true, false, true] {
        let stop = Arc::new(AtomicBool::new(false));
        let stops = Arc::clone(&stop);
        let (saver, path) = (client.clone(), file.with_extension("beside"));
        let other = tokio::spawn(async move {
            let began = Instant::now();
            if beside {
                save(&saver, &path).await;
            } else {
                tokio::time::sleep(seconds()).await;
            }
            stops.store(true, Ordering::Relaxed);
            began.elapsed()
        });
        let mut took = write(&runtime, &mut pods, &stop).await;
        let elapsed = other.await.expect("it ends");
        if beside {
            told(
                &format!("beside a save of {elapsed:.2?}"),
                &mut took,
                elapsed,
            );
        } else {
            told("writer alone", &mut took, elapsed);
        }
    }
    count
}

fn main() {
    let folder = env::var_os("SELECTORD_BENCH_DIR").map_or_else(env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("selectord-snapshot-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (file, directory) = (folder.join("snapshot"), folder.join("data"));
    let tasks = tokio::runtime::Runtime::new().expect("a runtime");
    let count = tasks.block_on(saves(&file));
    tasks.shutdown_background();

    println!("restore of {count} pods");
    let began = Instant::now();
    let mut phase = {
        let mut before = began;
        move |what: &str| {
            println!("  {what}: {:.2?}", before.elapsed());
            before = Instant::now();
        }
    };
    let mut snapshot = SnapshotReader::open(&file, &mut |_, _| ()).expect("it is whole");
    phase("checked");
    let rules = EngineOptions::default();
    let engine = load(&mut snapshot, rules, &mut |_| ()).expect("it can be read");
    phase("read into an engine");
    let new = EmbeddedStore::create(&directory, false).expect("a directory");
    let filled = new.fill(&engine, None, &mut |_, _| ());
    filled.expect("it is written");
    phase("written as a data directory");
    println!("  in all: {:.2?}", began.elapsed());
    drop(engine);
    let began = Instant::now();
    let options = EmbeddedOptions::default();
    let opened = EmbeddedStore::open(&directory, rules, options, &mut |_| ());
    drop(opened.expect("it opens"));
    println!("  opened by serve: {:.2?}", began.elapsed());
    if env::var_os("SELECTORD_BENCH_KEEP").is_none() {
        let _ = fs::remove_dir_all(&folder);
    }
}
