//! Queries beside a writer that never pauses: the owner thread, and what else could have been.
//!
//! What is measured: a writer puts transactions of 64 readiness flips, resolved and applied, as fast as
//! it can; one reader, then eight, ask for one of four counts, each 500 times a second (an open loop: the
//! rate is the same for all ways, and does not wait for answers). For each way of sharing the engine: the
//! writer's rate alone and with readers beside it, how many questions were answered, and how long after it
//! was to be asked a question had its answer. A reader has one question under way; where that takes long,
//! the next ones are late, and their lateness counts. Waking up late counts too, for all ways alike.
//!
//! - *owner thread*: [`selectord::runtime`] as it ships, its store in memory: writes and queries over
//!   queues, a writer with 16 transactions on their way.
//! - *read-write lock*, *mutex*: one engine behind the standard library's.
//! - *spinning mutex*: the same, without ever parking a thread.
//! - *left and right*: two engines, readers on the one that is not being written. Every transaction is
//!   applied twice, and everything is in memory twice.
//!
//! Each is measured three times in turns, and the medians are printed. The corpus is plain, seed 1,
//! SELECTORD_BENCH_PODS pods (100,000); two seconds a measurement, or SELECTORD_BENCH_SECONDS.
//!
//! Run: `cargo bench --bench beside`

mod support;

use std::collections::VecDeque;
use std::env;
use std::fs;
use std::hint;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use selectord::engine::{Engine, Namespaces, ResolveLimits};
use selectord::model::{Object, Operation, Pod, ReadyCondition, Transaction};
use selectord::runtime::{self, Runtime, RuntimeOptions};
use selectord::selector::Selector;
use selectord::store::MemoryStore;
use selectord_corpus::Corpus;

use support::{LOADED_AT_ONCE, loaded, objects, selector, unresolved};

const BATCH: usize = 64;
const BATCHES: usize = 256;
/// Between two questions of a reader.
const INTERVAL: Duration = Duration::from_millis(2);
const READERS: [u32; 2] = [1, 8];
const ROUNDS: usize = 3;
/// Transactions on their way to the owner.
const UNDER_WAY: usize = 16;

type Question = (Selector, Namespaces);

/// A way to share an engine.
trait Shared: Sync {
    fn name(&self) -> &'static str;
    /// Writes until told to stop; answers how many transactions it wrote.
    fn write(&self, batches: &[Transaction], stop: &AtomicBool) -> usize;
    /// Prepares one reader.
    fn reader(&self) -> Box<dyn FnMut(&Question) -> u64 + '_>;
}

/// Writes batches one after the other, and over again.
fn write_each(
    batches: &[Transaction],
    stop: &AtomicBool,
    mut each: impl FnMut(Transaction),
) -> usize {
    let mut written = 0;
    for batch in batches.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        each(batch.clone());
        written += 1;
    }
    written
}

fn apply(engine: &mut Engine, transaction: Transaction) {
    let resolution = engine
        .resolve(transaction, ResolveLimits::default())
        .expect("a valid transaction");
    support::apply(engine, resolution.transaction);
}

fn ask(engine: &Engine, (selector, namespaces): &Question) -> u64 {
    engine.count(selector, namespaces)
}

struct Owned(Runtime);

fn waiting() -> tokio::runtime::Runtime {
    let builder = &mut tokio::runtime::Builder::new_current_thread();
    builder.build().expect("a runtime")
}

impl Owned {
    fn load(&self, corpus: &Corpus) {
        let mut objects = objects(corpus).peekable();
        waiting().block_on(async {
            while objects.peek().is_some() {
                let transaction = unresolved(objects.by_ref().take(LOADED_AT_ONCE));
                let committed = self.0.commit(transaction, "".into()).await;
                committed.expect("it is committed");
            }
        });
    }
}

impl Shared for Owned {
    fn name(&self) -> &'static str {
        "owner thread"
    }

    fn write(&self, batches: &[Transaction], stop: &AtomicBool) -> usize {
        waiting().block_on(async {
            let mut written = 0;
            let mut under_way = VecDeque::new();
            for batch in batches.iter().cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let pending = self.0.submit(batch.clone(), "".into(), None).await;
                under_way.push_back(pending.expect("it is submitted"));
                if under_way.len() == UNDER_WAY
                    && let Some(oldest) = under_way.pop_front()
                {
                    oldest.committed().await.expect("it is committed");
                    written += 1;
                }
            }
            for pending in under_way {
                pending.committed().await.expect("it is committed");
                written += 1;
            }
            written
        })
    }

    fn reader(&self) -> Box<dyn FnMut(&Question) -> u64 + '_> {
        let waiting = waiting();
        Box::new(move |question| {
            let question = question.clone();
            let answer = self.0.query(move |engine| ask(engine, &question));
            waiting.block_on(answer).expect("it is answered")
        })
    }
}

impl Shared for RwLock<Engine> {
    fn name(&self) -> &'static str {
        "read-write lock"
    }

    fn write(&self, batches: &[Transaction], stop: &AtomicBool) -> usize {
        write_each(batches, stop, |batch| {
            apply(&mut RwLock::write(self).expect("not poisoned"), batch);
        })
    }

    fn reader(&self) -> Box<dyn FnMut(&Question) -> u64 + '_> {
        Box::new(|question| ask(&self.read().expect("not poisoned"), question))
    }
}

impl Shared for Mutex<Engine> {
    fn name(&self) -> &'static str {
        "mutex"
    }

    fn write(&self, batches: &[Transaction], stop: &AtomicBool) -> usize {
        write_each(batches, stop, |batch| {
            apply(&mut self.lock().expect("not poisoned"), batch);
        })
    }

    fn reader(&self) -> Box<dyn FnMut(&Question) -> u64 + '_> {
        Box::new(|question| ask(&self.lock().expect("not poisoned"), question))
    }
}

struct Spinning(Mutex<Engine>);

impl Spinning {
    fn with<T>(&self, work: impl FnOnce(&mut Engine) -> T) -> T {
        loop {
            if let Ok(mut engine) = self.0.try_lock() {
                return work(&mut engine);
            }
            hint::spin_loop();
        }
    }
}

impl Shared for Spinning {
    fn name(&self) -> &'static str {
        "spinning mutex"
    }

    fn write(&self, batches: &[Transaction], stop: &AtomicBool) -> usize {
        write_each(batches, stop, |batch| {
            self.with(|engine| apply(engine, batch));
        })
    }

    fn reader(&self) -> Box<dyn FnMut(&Question) -> u64 + '_> {
        Box::new(|question| self.with(|engine| ask(engine, question)))
    }
}

struct LeftRight {
    engines: [RwLock<Engine>; 2],
    /// The one that readers read.
    read: AtomicUsize,
}

impl Shared for LeftRight {
    fn name(&self) -> &'static str {
        "left and right"
    }

    fn write(&self, batches: &[Transaction], stop: &AtomicBool) -> usize {
        write_each(batches, stop, |batch| {
            let read = self.read.load(Ordering::Acquire);
            let write = |which: usize, batch| {
                let mut engine = self.engines[which].write().expect("not poisoned");
                apply(&mut engine, batch);
            };
            write(1 - read, batch.clone());
            self.read.store(1 - read, Ordering::Release);
            // Whoever still reads the old one is waited for.
            write(read, batch);
        })
    }

    fn reader(&self) -> Box<dyn FnMut(&Question) -> u64 + '_> {
        Box::new(|question| {
            let read = self.read.load(Ordering::Acquire);
            ask(&self.engines[read].read().expect("not poisoned"), question)
        })
    }
}

/// Flips of as many different pods, and the same pods flipped back.
fn batches(corpus: &Corpus) -> Vec<Transaction> {
    let pods = corpus.pods().map(support::pod);
    let step = (corpus.spec().pods as usize / (BATCH * BATCHES)).max(1);
    let pods: Vec<Pod> = pods.step_by(step).take(BATCH * BATCHES).collect();
    let flipped = |ready: ReadyCondition| match ready {
        ReadyCondition::True => ReadyCondition::False,
        _ => ReadyCondition::True,
    };
    let batch = |pods: &[Pod], flip: bool| Transaction {
        operations: pods
            .iter()
            .map(|pod| {
                let ready = if flip { flipped(pod.ready) } else { pod.ready };
                let pod = Pod {
                    ready,
                    ..pod.clone()
                };
                Operation::Put(Object::Pod(Box::new(pod)))
            })
            .collect(),
        ..Transaction::default()
    };
    let there = pods.chunks(BATCH).map(|pods| batch(pods, true));
    let back = pods.chunks(BATCH).map(|pods| batch(pods, false));
    there.chain(back).collect()
}

/// One measurement.
struct Measured {
    /// Operations a second.
    rate: f64,
    /// From when a question was to be asked to its answer, sorted.
    waits: Vec<Duration>,
}

fn measure(
    shared: &dyn Shared,
    batches: &[Transaction],
    questions: &[Question],
    readers: u32,
    seconds: Duration,
) -> Measured {
    let stop = AtomicBool::new(false);
    let began = Instant::now();
    thread::scope(|scope| {
        let writer = scope.spawn(|| shared.write(batches, &stop));
        let read = |first: Duration| {
            let mut reader = shared.reader();
            let mut waits = Vec::new();
            let mut due = began + first;
            for question in questions.iter().cycle() {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                hint::black_box(reader(question));
                waits.push(due.elapsed());
                due += INTERVAL;
            }
            waits
        };
        // Not all at once.
        let firsts = (1u32..).map(|number| INTERVAL * number / readers.max(1));
        let readers: Vec<_> = (0..readers)
            .zip(firsts)
            .map(|(_, first)| scope.spawn(move || read(first)))
            .collect();
        thread::sleep(seconds);
        stop.store(true, Ordering::Relaxed);
        let written = writer.join().expect("the writer writes");
        let rate = (written * BATCH) as f64 / began.elapsed().as_secs_f64();
        let waits = readers
            .into_iter()
            .flat_map(|reader| reader.join().expect("the reader reads"));
        let mut waits: Vec<Duration> = waits.collect();
        waits.sort_unstable();
        Measured { rate, waits }
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn main() {
    // `cargo test --benches` passes nothing, and wants no figures.
    if !env::args().any(|word| word == "--bench") {
        println!("beside: measured by cargo bench --bench beside");
        return;
    }
    // Sleeps are prolonged by 50 µs by default, so that wakes coincide; here, and in the threads that this
    // one starts, they must not. Where this cannot be said, all ways are later alike.
    let _ = fs::write("/proc/self/timerslack_ns", "1");
    let corpus = support::corpus();
    let seconds = env::var("SELECTORD_BENCH_SECONDS").map_or(2.0, |text| {
        text.parse().expect("SELECTORD_BENCH_SECONDS is a number")
    });
    let seconds = Duration::from_secs_f64(seconds);
    let batches = batches(&corpus);
    let namespace = corpus.pod(corpus.spec().pods / 2).namespace;
    let all = Namespaces::all;
    let questions = [
        (selector("app=app-00100,tier=backend"), all()),
        (selector("env=prod,active=yes"), all()),
        (selector("run=rng,active!=yes"), all()),
        (
            selector("run=rng,active!=yes"),
            Namespaces::only([&*namespace]),
        ),
    ];
    let store = Box::new(MemoryStore::new().expect("a history"));
    let (runtime, thread) = runtime::start(store, RuntimeOptions::default()).expect("a thread");
    let owned = Owned(runtime);
    owned.load(&corpus);
    let ways: Vec<Box<dyn Shared>> = vec![
        Box::new(owned),
        Box::new(RwLock::new(loaded(&corpus))),
        Box::new(Mutex::new(loaded(&corpus))),
        Box::new(Spinning(Mutex::new(loaded(&corpus)))),
        Box::new(LeftRight {
            engines: [loaded(&corpus), loaded(&corpus)].map(RwLock::new),
            read: AtomicUsize::new(0),
        }),
    ];
    println!(
        "{} pods, transactions of {BATCH} flips, each reader asks every {INTERVAL:?}",
        corpus.spec().pods
    );
    println!(
        "{:<16} {:>7} {:>9} {:>9} {:>5} {:>10} {:>8} {:>8} {:>8}",
        "",
        "readers",
        "alone /s",
        "beside /s",
        "kept",
        "queries /s",
        "p50 µs",
        "p99 µs",
        "worst µs"
    );
    for readers in READERS {
        let none = || (Vec::new(), Vec::new());
        let mut results: Vec<(Vec<f64>, Vec<Measured>)> = ways.iter().map(|_| none()).collect();
        for _ in 0..ROUNDS {
            for (way, (alone, beside)) in ways.iter().zip(&mut results) {
                let measure = |readers| measure(&**way, &batches, &questions, readers, seconds);
                alone.push(measure(0).rate);
                beside.push(measure(readers));
            }
        }
        for (way, (alone, beside)) in ways.iter().zip(results) {
            let of = |part: f64| {
                let at = |measured: &Measured| {
                    let last = measured.waits.len().saturating_sub(1);
                    let wait = measured.waits.get((last as f64 * part) as usize);
                    wait.copied().unwrap_or_default().as_secs_f64() * 1e6
                };
                median(beside.iter().map(at).collect())
            };
            let alone = median(alone);
            let rate = median(beside.iter().map(|measured| measured.rate).collect());
            let queries = beside.iter().map(|measured| measured.waits.len() as f64);
            println!(
                "{:<16} {readers:>7} {alone:>9.0} {rate:>9.0} {:>4.0}% {:>10.0} {:>8.1} {:>8.1} {:>8.0}",
                way.name(),
                100.0 * rate / alone,
                median(queries.collect()) / seconds.as_secs_f64(),
                of(0.5),
                of(0.99),
                of(1.0),
            );
        }
    }
    drop(ways);
    drop(thread);
}
