//! One change among more and more of what it must not depend on.
//!
//! What is measured: `Engine::apply` of one readiness flip of a random pod of a service with 100,
//! 10,000 and 100,000 endpoints, and in a namespace of 10 and 1,000 services; the figures of a row
//! should be alike. What grows with the tables is the time to reach memory that no cache holds.
//! `tests/proportional` and `.ci/instructions` hold the same without a clock.
//!
//! Corpus: `load-tests/corpus`, one huge namespace, seed 1; its services are taken out, and all its
//! pods get the label `subject=yes`, by which one service selects.
//! Run: `cargo bench --no-default-features --bench reconcile`

mod support;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use selectord::engine::{Engine, EngineOptions};
use selectord::labels::{Key, Value};
use selectord::model::{ObjectName, Pod, Service, ServiceSelector};
use selectord_corpus::{Change, ChangeKind, Corpus, Spec, Variant};

use support::{LOADED_AT_ONCE, apply, group, labels, put_pod, put_service, transaction};

fn subject(pod: selectord_corpus::Pod) -> Pod {
    let mut pod = support::pod(pod);
    let key = Key::new("subject").expect("a key");
    pod.labels.insert(key, Value::new("yes").expect("a value"));
    pod
}

fn selecting(namespace: &str, name: &str, key: &'static str, value: &str) -> Service {
    Service {
        name: ObjectName::new(namespace, name),
        selector: ServiceSelector::Map(labels([(key, value)])),
        ..Service::default()
    }
}

fn loaded(corpus: &Corpus, services: u32) -> Engine {
    let namespace = corpus.namespaces().next().expect("a namespace");
    let others = (1..services).map(|number| {
        selecting(
            namespace,
            &format!("svc-{number}"),
            "other",
            &number.to_string(),
        )
    });
    let all = others.chain([selecting(namespace, "subject", "subject", "yes")]);
    let mut engine = Engine::new(EngineOptions::default());
    apply(&mut engine, transaction(all.map(put_service)));
    let mut pods = corpus.pods().map(|pod| put_pod(subject(pod))).peekable();
    while pods.peek().is_some() {
        let part = pods.by_ref().take(LOADED_AT_ONCE);
        apply(&mut engine, transaction(part));
    }
    engine
}

fn flip(
    criterion: &mut Criterion,
    group_name: &str,
    sizes: &[(u32, u32)],
    of: fn(&(u32, u32)) -> u32,
) {
    let mut group = group(criterion, group_name);
    for size @ (endpoints, services) in sizes {
        let spec = Spec::new(*endpoints).variant(Variant::HugeNamespace);
        let corpus = Corpus::new(spec);
        let mut engine = loaded(&corpus, *services);
        let mut churn = corpus.churn(1).only(ChangeKind::Readiness);
        let mut next = || match churn.next() {
            Some(Change::Readiness(pod)) => transaction([put_pod(subject(pod))]),
            _ => unreachable!("the churn is endless and of one kind"),
        };
        group.bench_function(of(size).to_string(), |bencher| {
            bencher.iter_batched(
                &mut next,
                |transaction| apply(&mut engine, transaction),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn reconcile(criterion: &mut Criterion) {
    let endpoints = [(100, 1), (10_000, 1), (100_000, 1)];
    flip(
        criterion,
        "reconcile/endpoints of the service",
        &endpoints,
        |s| s.0,
    );
    let services = [(10_000, 10), (10_000, 1_000)];
    flip(
        criterion,
        "reconcile/services of the namespace",
        &services,
        |s| s.1,
    );
}

criterion_group!(benches, reconcile);
criterion_main!(benches);
