//! From the bytes of transactions to pods in the engine, without the network and its threads.
//!
//! What is measured: reading the messages of all pods of a corpus, 1,000 to a transaction, as a server
//! does; then resolving and applying them on an engine that knows the nodes and services. Of each part
//! the time, once.
//!
//! Corpus: `load-tests/corpus`, plain, seed 1; SELECTORD_BENCH_PODS pods (100,000).
//! Run: `cargo bench --bench ingest`; its program by itself under
//! `valgrind --tool=callgrind --collect-atstart=no --toggle-collect=ingest::PART`, where PART is read or
//! load, counts the instructions of that part.

mod support;

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use prost::Message as _;
use selectord::engine::{Engine, EngineOptions, ResolveLimits};
use selectord::model::{Change, Object, Transaction};
use selectord::wire::{WriteRequest, decode_transaction, encode_transaction, proto};

use support::{LOADED_AT_ONCE, node, pod, put_pod, service, unresolved};

/// The next transaction of them as it travels, unless there are no more.
fn message(changes: &mut impl Iterator<Item = Change>) -> Option<Bytes> {
    let transaction = unresolved(changes.take(LOADED_AT_ONCE));
    let is_any = !transaction.operations.is_empty();
    let write = WriteRequest {
        transaction,
        request_id: "".into(),
    };
    is_any.then(|| encode_transaction(&write).encode_to_vec().into())
}

#[inline(never)]
fn read(messages: Vec<Bytes>) -> Vec<Transaction> {
    let read = messages.into_iter().map(|message| {
        let message = proto::Transaction::decode(message).expect("a message");
        decode_transaction(message).expect("legal pods").transaction
    });
    read.collect()
}

#[inline(never)]
fn load(engine: &mut Engine, transactions: Vec<Transaction>) {
    for transaction in transactions {
        let resolution = engine
            .resolve(transaction, ResolveLimits::default())
            .expect("a valid transaction");
        let revision = engine.head() + 1;
        let applied = engine.apply(revision, resolution.transaction);
        black_box(applied.expect("a fresh revision"));
    }
}

fn main() {
    let corpus = support::corpus();
    let mut pods = corpus.pods().map(pod).map(put_pod);
    let messages: Vec<Bytes> = std::iter::from_fn(|| message(&mut pods)).collect();
    let mut engine = Engine::new(EngineOptions::default());
    let nodes = corpus.nodes().map(|it| Object::Node(Box::new(node(it))));
    let services = corpus.services().map(service);
    let services = services.map(|it| Object::Service(Box::new(it)));
    let others = nodes.chain(services).map(Change::Put);
    let limits = ResolveLimits {
        max_operations: usize::MAX,
        ..ResolveLimits::default()
    };
    let others = engine
        .resolve(unresolved(others), limits)
        .expect("legal objects");
    engine
        .apply(1, others.transaction)
        .expect("a fresh revision");

    let count = corpus.pods().count();
    let start = Instant::now();
    let transactions = read(messages);
    tell("read", start, count);
    let start = Instant::now();
    load(&mut engine, transactions);
    tell("resolved and applied", start, count);
}

fn tell(what: &str, start: Instant, pods: usize) {
    let each = start.elapsed().as_nanos() as f64 / pods as f64;
    println!("{what}: {each:.0} ns a pod, of {pods}");
}
