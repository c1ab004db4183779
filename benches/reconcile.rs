//! One change among more and more of what it must not depend on.
//!
//! What is measured: `Engine::apply` of one readiness flip of a random pod among 100,000 that are
//! divided among services of 100, of 10,000 and of all 100,000 endpoints; and in a namespace of 10, of
//! 1,000 and of 10,000 services, each but one of which selects nothing. The figures of a group should
//! be alike. `tests/proportional` and `.ci/instructions` hold the same without a clock.
//!
//! Corpus: `load-tests/corpus`, one huge namespace, seed 1; its services are taken out, and its pods
//! get a label `part`, by which the services of this bench select.
//! Run: `cargo bench --no-default-features --bench reconcile`

mod support;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use selectord::engine::{Engine, EngineOptions};
use selectord::labels::{Key, Value};
use selectord::model::{ObjectName, Pod, Service, ServiceSelector};
use selectord_corpus::{Change, ChangeKind, Corpus, Spec, Variant};

use support::{LOADED_AT_ONCE, apply, group, labels, put_pod, put_service, transaction};

const PODS: u32 = 100_000;

/// How the pods are divided.
#[derive(Clone, Copy)]
struct Division {
    /// Endpoints of each service that has any.
    endpoints: u32,
    /// Services that have none.
    idle: u32,
}

impl Division {
    fn service(number: u32) -> Service {
        Service {
            name: ObjectName::new("huge", format!("svc-{number}")),
            selector: ServiceSelector::Map(labels([("part", number.to_string())])),
            ..Service::default()
        }
    }

    /// A pod belongs to the service that the number in its address falls to.
    fn pod(self, pod: selectord_corpus::Pod) -> Pod {
        let number = u32::from(pod.ip) & 0x00ff_ffff;
        let part = (number / self.endpoints).to_string();
        let mut pod = support::pod(pod);
        let key = Key::new("part").expect("a key");
        pod.labels.insert(key, Value::new(part).expect("a value"));
        pod
    }

    fn loaded(self, corpus: &Corpus) -> Engine {
        let mut engine = Engine::new(EngineOptions::default());
        let services = PODS / self.endpoints + self.idle;
        let services = (0..services).map(|number| put_service(Division::service(number)));
        apply(&mut engine, transaction(services));
        let mut pods = corpus.pods().map(|pod| put_pod(self.pod(pod))).peekable();
        while pods.peek().is_some() {
            let part = pods.by_ref().take(LOADED_AT_ONCE);
            apply(&mut engine, transaction(part));
        }
        engine
    }
}

fn flip(criterion: &mut Criterion, name: &str, rows: &[(u32, Division)]) {
    let mut group = group(criterion, name);
    let corpus = Corpus::new(Spec::new(PODS).variant(Variant::HugeNamespace));
    for (row, division) in rows {
        let mut engine = division.loaded(&corpus);
        let mut churn = corpus.churn(1).only(ChangeKind::Readiness);
        let mut next = || match churn.next() {
            Some(Change::Readiness(pod)) => transaction([put_pod(division.pod(pod))]),
            _ => unreachable!("the churn is endless and of one kind"),
        };
        group.bench_function(BenchmarkId::from_parameter(row), |bencher| {
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
    let of = |endpoints| (endpoints, Division { endpoints, idle: 0 });
    flip(
        criterion,
        "reconcile/endpoints of the service",
        &[of(100), of(10_000), of(PODS)],
    );
    let endpoints = PODS;
    let among = |services| {
        (
            services,
            Division {
                endpoints,
                idle: services - 1,
            },
        )
    };
    flip(
        criterion,
        "reconcile/services of the namespace",
        &[among(10), among(1_000), among(10_000)],
    );
}

criterion_group!(benches, reconcile);
criterion_main!(benches);
