//! Changes, from decoded objects to differences in the log.
//!
//! What is measured: `Engine::apply` of a whole corpus in transactions of 1,000; then, on that
//! engine, of random readiness flips singly and 64 to a transaction, of relabellings of `app` (the key
//! that services select by), of replacements (a pod deleted and another created), of the churn that
//! mixes them 8:1:1, and of a new service like those there are. Objects are made and results dropped
//! outside of what is timed. Rates are objects a second.
//!
//! Corpus: `load-tests/corpus`, plain, seed 1; SELECTORD_BENCH_PODS pods (100,000).
//! Run: `cargo bench --no-default-features --bench apply`

mod support;

use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use selectord::engine::{Engine, EngineOptions};
use selectord::model::{Change, Kind, ObjectRef, ResolvedTransaction};
use selectord_corpus::{ChangeKind, Churn, Corpus};

use support::{LOADED_AT_ONCE, apply, changes, group, objects, put_service, service, transaction};

/// Changes in a batch.
const BATCH: usize = 64;

fn load(criterion: &mut Criterion, corpus: &Corpus) {
    let all: Vec<Change> = objects(corpus).collect();
    let transactions = || -> Vec<ResolvedTransaction> {
        let parts = all.chunks(LOADED_AT_ONCE);
        parts
            .map(|part| transaction(part.iter().cloned()))
            .collect()
    };
    let mut group = group(criterion, "apply");
    group.sample_size(10);
    group.throughput(Throughput::Elements(all.len() as u64));
    group.bench_function("bulk load", |bencher| {
        bencher.iter_batched(
            transactions,
            |transactions| {
                let mut engine = Engine::new(EngineOptions::default());
                for transaction in transactions {
                    apply(&mut engine, transaction);
                }
                engine
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// The next so many changes as one transaction. Of two to one pod the second would hide the first, so
/// it may hold fewer.
fn take(churn: &mut Churn<'_>, count: usize) -> ResolvedTransaction {
    transaction(churn.take(count).flat_map(changes))
}

fn change(criterion: &mut Criterion, corpus: &Corpus, engine: &mut Engine) {
    let kinds = [
        ("readiness flip", Some(ChangeKind::Readiness), 1),
        (
            "readiness flips, 64 at once",
            Some(ChangeKind::Readiness),
            BATCH,
        ),
        ("relabel", Some(ChangeKind::Relabel), 1),
        ("delete and create", Some(ChangeKind::Replace), 1),
        ("churn", None, 1),
    ];
    let mut group = group(criterion, "apply");
    // One stream from the first to the last, as each change starts from what the earlier ones left.
    let mut churn = corpus.churn(1);
    for (name, kind, count) in kinds {
        churn = match kind {
            Some(kind) => churn.only(kind),
            None => churn.mixed(),
        };
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || take(&mut churn, count),
                |transaction| apply(engine, transaction),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn new_service(criterion: &mut Criterion, corpus: &Corpus, engine: &mut Engine) {
    let mut group = group(criterion, "apply");
    let like: Vec<_> = corpus.services().skip(3).take(1_000).map(service).collect();
    let mut like = like.iter().cycle();
    group.throughput(Throughput::Elements(1));
    group.bench_function("new service", |bencher| {
        bencher.iter_custom(|iterations| {
            let mut spent = Duration::ZERO;
            for _ in 0..iterations {
                let mut service = like.next().expect("services").clone();
                service.name.name = "new".into();
                let gone = Change::Delete(ObjectRef::new(Kind::Service, service.name.clone()));
                let created = transaction([put_service(service)]);
                let start = Instant::now();
                apply(engine, created);
                spent += start.elapsed();
                apply(engine, transaction([gone]));
            }
            spent
        });
    });
    group.finish();
}

fn bench(criterion: &mut Criterion) {
    let corpus = support::corpus();
    load(criterion, &corpus);
    let mut engine = support::loaded(&corpus);
    change(criterion, &corpus, &mut engine);
    new_service(criterion, &corpus, &mut engine);
}

criterion_group!(benches, bench);
criterion_main!(benches);
