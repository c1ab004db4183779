//! What it costs to keep everything on a disk, and to read it back.
//!
//! What is measured, of a directory: a bulk load in transactions of 10,000 objects; groups of 1 and of
//! 64 transactions of one readiness flip each, which is what the writer does with as many clients that
//! wait for their answers, each group synced before it is applied; then recovery, twice: with the
//! journal that the run left, and again. Beside it the same in memory. How long a group took until its answer,
//! and how long the engine was then held up to hand over what changed, are told as their 99th percentiles and
//! their worst.
//!
//! Corpus: `load-tests/corpus`, plain, seed 1; SELECTORD_BENCH_PODS pods (100,000); five seconds a
//! measurement, or SELECTORD_BENCH_SECONDS. The directory is made in SELECTORD_BENCH_DIR, or where the
//! system has its temporary files: name a disk, not a tmpfs.
//!
//! Run: `SELECTORD_BENCH_PODS=1000000 cargo bench --bench durable`

mod support;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use selectord::engine::{Engine, EngineOptions};
use selectord::model::{Change, Object, Pod, ReadyCondition, ResolvedTransaction};
use selectord::store::{EmbeddedOptions, EmbeddedStore, MemoryStore, RecoveryProgress, Store};

use support::objects;

const LOADED_AT_ONCE: usize = 10_000;

fn seconds() -> Duration {
    let seconds = env::var("SELECTORD_BENCH_SECONDS").ok();
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(5))
}

/// Bytes that a directory takes on the disk.
fn bytes(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else {
        return path.metadata().map_or(0, |file| file.blocks() * 512);
    };
    entries.flatten().map(|entry| bytes(&entry.path())).sum()
}

fn mebibytes(path: &Path) -> u64 {
    bytes(path) >> 20
}

/// Seconds that processors have worked for this process; 0 where there is no `/proc`.
fn worked() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = behind_name.split_whitespace().skip(11).take(2);
    let ticks: u32 = ticks.filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    f64::from(ticks) / 100.0
}

/// The writer's order, without its queues.
struct Writer {
    store: Box<dyn Store>,
    engine: Engine,
    /// Of each group, how long it took until the answer.
    took: Vec<Duration>,
    /// Of each group, how long the store kept the engine after the answer.
    held: Vec<Duration>,
}

/// Tells of durations, and forgets them.
fn told(durations: &mut Vec<Duration>) -> String {
    durations.sort_unstable();
    let p99 = durations.get(durations.len() * 99 / 100).copied();
    let worst = durations.pop().unwrap_or_default();
    durations.clear();
    format!("p99 {:.1?}, worst {worst:.1?}", p99.unwrap_or_default())
}

impl Writer {
    fn write(&mut self, group: Vec<ResolvedTransaction>) {
        let began = Instant::now();
        let revisions = self.store.append(&group).expect("there is room");
        self.store.sync().expect("it is durable");
        for (revision, transaction) in revisions.into_iter().zip(group) {
            self.engine
                .apply(revision, transaction)
                .expect("it applies");
        }
        let answered = Instant::now();
        self.took.push(answered - began);
        self.store.applied(&mut self.engine);
        self.held.push(answered.elapsed());
    }

    fn times(&mut self) -> String {
        let (took, held) = (told(&mut self.took), told(&mut self.held));
        format!("answered: {took}; engine held: {held}")
    }
}

fn flip(pod: &mut Pod) -> ResolvedTransaction {
    pod.ready = match pod.ready {
        ReadyCondition::True => ReadyCondition::False,
        _ => ReadyCondition::True,
    };
    let put = Change::Put(Object::Pod(Box::new(pod.clone())));
    ResolvedTransaction::new(vec![put], "bench")
}

fn measure(mut writer: Writer, directory: Option<&Path>) -> Writer {
    let on_disk = || directory.map_or(String::new(), |path| format!(", {} MiB", mebibytes(path)));
    let corpus = support::corpus();
    let started = Instant::now();
    let mut changes = objects(&corpus).peekable();
    let mut pods = Vec::new();
    while changes.peek().is_some() {
        let part: Vec<Change> = changes.by_ref().take(LOADED_AT_ONCE).collect();
        pods.extend(part.iter().filter_map(|change| match change {
            Change::Put(Object::Pod(pod)) => Some((**pod).clone()),
            _ => None,
        }));
        writer.write(vec![ResolvedTransaction::new(part, "bench")]);
    }
    println!(
        "  load of {} pods: {:.2?}{}; {}",
        pods.len(),
        started.elapsed(),
        on_disk(),
        writer.times()
    );
    for size in [1, 64] {
        let started = Instant::now();
        let mut groups = 0u32;
        let mut at = 0;
        while started.elapsed() < seconds() {
            let group = (0..size).map(|_| {
                // A stride that visits them all, far from one another.
                at = (at + 7_919) % pods.len();
                flip(&mut pods[at])
            });
            let group = group.collect();
            writer.write(group);
            groups += 1;
        }
        let rate = f64::from(groups) / started.elapsed().as_secs_f64();
        println!(
            "  groups of {size:>2}: {rate:.0} a second, {:.0} transactions a second{}; {}",
            rate * size as f64,
            on_disk(),
            writer.times()
        );
    }
    writer
}

fn main() {
    let folder = env::var_os("SELECTORD_BENCH_DIR").map_or_else(env::temp_dir, PathBuf::from);
    let directory = folder.join(format!("selectord-durable-{}", std::process::id()));
    let rules = EngineOptions::default();
    println!("in memory");
    let in_memory = Writer {
        store: Box::new(MemoryStore::new().expect("randomness")),
        engine: Engine::new(rules),
        took: Vec::new(),
        held: Vec::new(),
    };
    drop(measure(in_memory, None));

    println!("in {}", directory.display());
    let open = || {
        let options = EmbeddedOptions::default();
        let (began, mut phases) = (Instant::now(), BTreeMap::new());
        let opened = EmbeddedStore::open(&directory, rules, options, &mut |progress| {
            let phase = match progress {
                RecoveryProgress::Objects { .. } => "objects",
                RecoveryProgress::Records { .. } => "records",
                _ => "journal",
            };
            phases.insert(phase, began.elapsed());
        });
        println!("  read until: {phases:.1?}");
        opened.expect("it opens")
    };
    let (store, engine) = open();
    let writer = Writer {
        store: Box::new(store),
        engine,
        took: Vec::new(),
        held: Vec::new(),
    };
    let Writer { store, engine, .. } = measure(writer, Some(&directory));
    let (head, records) = (engine.head(), engine.stats().log_records);
    drop((store, engine));
    for _ in 0..2 {
        let (started, before) = (Instant::now(), worked());
        let (store, engine) = open();
        println!(
            "  recovery: {:.2?} ({:.2} s of processors), {} MiB, {records} records",
            started.elapsed(),
            worked() - before,
            mebibytes(&directory)
        );
        assert_eq!((engine.head(), engine.stats().log_records), (head, records));
        drop((store, engine));
    }
    let _ = fs::remove_dir_all(&directory);
}
