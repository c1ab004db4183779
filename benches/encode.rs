//! What a difference costs on its way to subscribers.
//!
//! What is measured: one difference (a pod turns ready or not) found in the log and encoded as an
//! element, on the engine's thread, with 1,000 of them in each transaction; the same events encoded by
//! way of message structs, which is what the ring spares; elements of 64 KiB made into a message for
//! each of 1,000 subscribers, who share them; the same with a copy for each; and a memcpy of as many
//! bytes, the yardstick of both.
//!
//! Corpus: `load-tests/corpus`, plain, seed 1; SELECTORD_BENCH_PODS pods (100,000).
//! Run: `cargo bench --bench encode`

mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use prost::Message as _;
use selectord::engine::{Engine, Event, Recent, Scope};
use selectord::runtime::{Concern, Head, Ring, RingPosition, Tail, Told};
use selectord::wire::{Checkpoint, ElementWriter, MessageWriter, encode_endpoint, proto};
use selectord_corpus::{ChangeKind, Churn};

use support::{apply, changes, group, transaction};

const DIFFERENCES: usize = 1_000;
const SUBSCRIBERS: usize = 1_000;
const MESSAGE: usize = 64 << 10;

/// The next transaction; the revision behind which it stands.
fn next(engine: &mut Engine, churn: &mut Churn<'_>) -> u64 {
    let behind = engine.head();
    let flips = churn.take(DIFFERENCES).flat_map(changes);
    apply(engine, transaction(flips.collect::<Vec<_>>()));
    behind
}

fn events(engine: &Engine, behind: u64) -> Vec<Event> {
    let mut events = Vec::new();
    engine.recent(behind, &mut |recent| {
        if let Recent::Service(_, event) = recent {
            events.push(event);
        }
    });
    events
}

/// One message struct with an element for each event, encoded.
fn by_structs(events: &[Event]) -> Vec<u8> {
    let elements = events.iter().filter_map(|event| match event {
        Event::Endpoint { service, endpoint } => Some(proto::EndpointsEvent {
            r#type: proto::EventType::Update.into(),
            namespace: service.namespace.to_string(),
            name: service.name.to_string(),
            endpoints: vec![encode_endpoint(endpoint, &service.namespace)],
            ..Default::default()
        }),
        _ => None,
    });
    let message = proto::WatchEndpointsResponse {
        events: elements.collect(),
        subscription: 0,
    };
    message.encode_to_vec()
}

fn one_difference(criterion: &mut Criterion) {
    let corpus = support::corpus();
    let mut engine = support::loaded(&corpus);
    let mut churn = corpus.churn(1).only(ChangeKind::Readiness);
    let mut group = group(criterion, "encode");

    let behind = next(&mut engine, &mut churn);
    let told = events(&engine, behind);
    group.throughput(Throughput::Elements(told.len() as u64));
    group.bench_function("find differences, without encoding", |bencher| {
        bencher.iter(|| {
            engine.recent(behind, &mut |recent| {
                black_box(recent);
            })
        });
    });
    group.bench_function("find and encode into the tail", |bencher| {
        bencher.iter_custom(|iterations| {
            let mut spent = Duration::ZERO;
            for _ in 0..iterations {
                let tail = Arc::new(Tail::new(behind, usize::MAX));
                let _watching = tail.watch();
                let start = Instant::now();
                tail.append(&engine, None);
                spent += start.elapsed();
                black_box(tail.take());
            }
            spent
        });
    });
    group.bench_function("encode events", |bencher| {
        bencher.iter(|| {
            let mut out = ElementWriter::default();
            for event in &told {
                out.event(black_box(event));
            }
            out.take()
        });
    });
    group.bench_function("encode the same through structs", |bencher| {
        bencher.iter(|| by_structs(black_box(&told)));
    });
    group.finish();
}

fn one_slice(criterion: &mut Criterion) {
    let corpus = support::corpus();
    let mut engine = support::loaded(&corpus);
    let mut churn = corpus.churn(1).only(ChangeKind::Readiness);
    let behind = engine.head();
    let tail = Arc::new(Tail::new(behind, usize::MAX));
    let watching = tail.watch();
    let mut writer = ElementWriter::default();
    while writer.len() < MESSAGE - 2_048 {
        let behind = next(&mut engine, &mut churn);
        for event in events(&engine, behind).iter().take(50) {
            writer.event(event);
        }
    }
    let elements = Bytes::from(writer.take());
    tail.append(&engine, None);
    let ring = Ring::new(
        Head {
            revision: behind,
            commit_time: None,
        },
        usize::MAX,
        usize::MAX,
    );
    ring.push(Arc::new(tail.take().expect("a stretch")), []);
    drop(watching);

    let checkpoint = Checkpoint::default();
    let mut group = group(criterion, "slice");
    group.throughput(Throughput::Bytes((SUBSCRIBERS * elements.len()) as u64));
    group.bench_function("64 KiB shared with 1,000 subscribers", |bencher| {
        bencher.iter(|| {
            for _ in 0..SUBSCRIBERS {
                let mut out = MessageWriter::new(MESSAGE, 0);
                out.push_encoded(black_box(&elements));
                black_box(out.checkpoint(&checkpoint));
            }
        });
    });
    group.bench_function("64 KiB copied for 1,000 subscribers", |bencher| {
        bencher.iter(|| {
            for _ in 0..SUBSCRIBERS {
                let mut out = Vec::with_capacity(elements.len() + 64);
                out.extend_from_slice(black_box(&elements));
                black_box(&out);
            }
        });
    });
    let mut to = vec![0u8; elements.len()];
    group.bench_function("memcpy of the same bytes", |bencher| {
        bencher.iter(|| {
            for _ in 0..SUBSCRIBERS {
                to.copy_from_slice(black_box(&elements));
                black_box(&mut to);
            }
        });
    });
    group.throughput(Throughput::Elements(SUBSCRIBERS as u64));
    group.bench_function(
        "a stretch told to 1,000 subscribers of everything",
        |bencher| {
            bencher.iter(|| {
                for _ in 0..SUBSCRIBERS {
                    let (mut position, concern) = (RingPosition::at(behind), Concern::default());
                    let mut out = MessageWriter::new(MESSAGE, 0);
                    while ring.tell(&Scope::all(), &mut position, &concern, &mut out) == Told::Full
                    {
                        black_box(out.take_full());
                    }
                    black_box(out.checkpoint(&checkpoint));
                }
            });
        },
    );
    group.finish();
}

criterion_group!(benches, one_difference, one_slice);
criterion_main!(benches);
