//! Bringing a subscriber to the head.
//!
//! What is measured: `Engine::catch_up` of a subscriber of everything that is new (a first snapshot;
//! the rate is records a second), beside a memcpy of as many bytes as the names, addresses and UIDs it
//! was told; of one that resumes after a thousandth of the pods changed; and of one that is a single
//! change behind. Then one of another history that holds everything and offers digests: what the server does
//! when nobody has asked before and it hashes all, when others have, and what the client does to make
//! them. Pieces are of 1,024 records. What is told is dropped at once.
//!
//! Corpus: `load-tests/corpus`, plain, seed 1; SELECTORD_BENCH_PODS pods (100,000).
//! Run: `cargo bench --no-default-features --bench catchup`

mod support;

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use selectord::engine::{Engine, Event, Held, Progress, Scope, View, Walk};
use selectord_corpus::ChangeKind;

use support::{apply, changes, group, transaction};

const PIECE: usize = 1_024;

/// Tells everything; answers how many events there were.
fn walk(engine: &Engine, walk: &mut Walk, mut told: impl FnMut(&Event)) -> u64 {
    let mut events = 0;
    loop {
        let progress = engine.catch_up(walk, PIECE, &mut |event| {
            events += 1;
            told(black_box(&event));
            ControlFlow::Continue(())
        });
        if matches!(progress, Progress::Head(_)) {
            return events;
        }
    }
}

/// The bytes of an event's names, addresses and UIDs.
fn bytes(event: &Event) -> usize {
    match event {
        Event::Endpoint { endpoint, .. } => {
            let pod = endpoint
                .identity
                .pod
                .as_ref()
                .map_or(0, |pod| pod.name.len());
            let addresses = 4 * endpoint.identity.addresses.len();
            pod + addresses + endpoint.uid.len() + endpoint.node.len() + endpoint.zone.len()
        }
        Event::Replace(entry) | Event::Entry(entry) => {
            let name = &entry.service.name;
            name.namespace.len() + name.name.len() + entry.service.uid.len()
        }
        _ => 0,
    }
}

fn catch_up(criterion: &mut Criterion) {
    let corpus = support::corpus();
    let mut engine = support::loaded(&corpus);
    let mut group = group(criterion, "catchup");

    let mut size = 0;
    let records = walk(&engine, &mut Walk::new(Scope::all(), None), |event| {
        size += bytes(event);
    });
    group.sample_size(10);
    group.throughput(Throughput::Elements(records));
    group.bench_function("first snapshot", |bencher| {
        bencher.iter(|| walk(&engine, &mut Walk::new(Scope::all(), None), |_| ()));
    });
    let (from, mut to) = (vec![1u8; size], vec![0u8; size]);
    group.bench_function("memcpy of the same bytes", |bencher| {
        bencher.iter(|| black_box(&mut to).copy_from_slice(black_box(&from)));
    });

    let cursor = engine.head();
    let mut churn = corpus.churn(1).only(ChangeKind::Readiness);
    for change in churn.by_ref().take(corpus.spec().pods as usize / 1_000) {
        apply(&mut engine, transaction(changes(change)));
    }
    let behind = || Walk::new(Scope::all(), Some(cursor));
    let records = walk(&engine, &mut behind(), |_| ());
    group.throughput(Throughput::Elements(records));
    group.bench_function("resume after a thousandth changed", |bencher| {
        bencher.iter(|| walk(&engine, &mut behind(), |_| ()));
    });

    group.throughput(Throughput::Elements(1));
    group.bench_function("one change behind", |bencher| {
        bencher.iter_custom(|iterations| {
            let mut live = Walk::new(Scope::all(), Some(engine.head()));
            let mut spent = Duration::ZERO;
            for change in churn.by_ref().take(iterations as usize) {
                apply(&mut engine, transaction(changes(change)));
                let start = Instant::now();
                black_box(walk(&engine, &mut live, |_| ()));
                spent += start.elapsed();
            }
            spent
        });
    });
    group.finish();
}

/// Merges what somebody holds with what there is; answers how many events there were.
fn merge(engine: &Engine, held: &[Held]) -> u64 {
    let mut walk = Walk::new(Scope::all(), None).offering(true);
    let mut parts = held.chunks(1_000);
    let mut events = 0;
    loop {
        let progress = engine.catch_up(&mut walk, PIECE, &mut |event| {
            black_box(event);
            events += 1;
            ControlFlow::Continue(())
        });
        match progress {
            Progress::Head(_) => return events,
            Progress::More => {}
            Progress::Offer { .. } => {
                let part = parts.next();
                walk.offer(part.unwrap_or_default().to_vec(), part.is_none());
            }
        }
    }
}

fn offers(criterion: &mut Criterion) {
    let corpus = support::corpus();
    let engine = support::loaded(&corpus);
    let mut view = View::default();
    let records = walk(&engine, &mut Walk::new(Scope::all(), None), |event| {
        view.apply(event.clone());
    });
    let held: Vec<Held> = view.held(None).collect();
    let mut group = group(criterion, "offers");
    group.sample_size(10);
    group.throughput(Throughput::Elements(records));
    group.bench_function("make digests of all that is held", |bencher| {
        bencher.iter(|| black_box(view.held(None)).count());
    });
    group.bench_function("merge all with digests that nobody asked for", |bencher| {
        bencher.iter_custom(|iterations| {
            let mut spent = Duration::ZERO;
            for _ in 0..iterations {
                let engine = support::loaded(&corpus);
                let start = Instant::now();
                assert_eq!(merge(&engine, &held), 0);
                spent += start.elapsed();
            }
            spent
        });
    });
    group.bench_function("merge all with digests that are remembered", |bencher| {
        bencher.iter(|| assert_eq!(merge(&engine, &held), 0));
    });
    group.finish();
}

criterion_group!(benches, catch_up, offers);
criterion_main!(benches);
