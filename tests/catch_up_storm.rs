//! A writer that never pauses: it commits between any two pieces that a subscriber reads. Whoever
//! reads faster than distinct records change is at a checkpoint time and again all the same.
//!
//! Each transaction writes at most one record, most write none, and a subscriber that reads every
//! `k`-th time reads pieces of at least `k` records. So it reads faster than records change, even if
//! a service is now and then told anew with its endpoints, for its label or for a forgotten removal.

mod support;

use std::collections::BTreeSet;

use selectord::engine::{Engine, EngineOptions, MissingNode, Retention, Scope, ServiceScope};
use selectord::model::{Kind, ObjectName, Pod, ReadyCondition, ResolvedTransaction, Service};

use support::build::{self, BuildPod, BuildService, Labelled, delete, put, resolved};
use support::oracle::Oracle;
use support::random::{Random, seeds};
use support::reader::{Reader, Seen};

const NAMESPACES: usize = 3;
const SERVICES: usize = 3;
const PODS: usize = 18;
const TRANSACTIONS: usize = 1_500;
/// Every subscriber is at a checkpoint at least every so many transactions.
const PATIENCE: u64 = 500;

#[test]
fn every_subscriber_reaches_checkpoints_while_the_writer_never_pauses() {
    for seed in seeds(20_000, 3) {
        storm(seed).unwrap_or_else(|why| panic!("seed {seed} (SELECTORD_TEST_SEED={seed}): {why}"));
    }
}

/// A subscriber, how much it reads at a time, and every how many transactions.
struct Pace {
    reader: Reader,
    records: usize,
    every: usize,
}

fn storm(seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed);
    let retention = Retention {
        removals: random.below(3),
        deleted_names: random.below(3),
        share: 0,
    };
    let mut engine = Engine::new(EngineOptions {
        retention,
        ..EngineOptions::default()
    });
    let mut oracle = Oracle::new(MissingNode::default());
    let commit = |engine: &mut Engine, oracle: &mut Oracle, transaction: ResolvedTransaction| {
        let revision = oracle.head() + 1;
        oracle.apply(revision, &transaction);
        engine
            .apply(revision, transaction)
            .map(|applied| applied.work.records_written)
            .map_err(|e| e.to_string())
    };
    commit(
        &mut engine,
        &mut oracle,
        resolved(services().into_iter().map(put)),
    )?;
    let mut pods: Vec<Option<Pod>> = (0..NAMESPACES * PODS).map(|i| Some(pod(i))).collect();
    commit(
        &mut engine,
        &mut oracle,
        resolved(pods.iter().flatten().cloned().map(put)),
    )?;

    let mut paces = paces(&mut random, &engine);
    let seen = Seen::default();
    for i in 1..=TRANSACTIONS {
        let transaction = if i % 40 == 0 {
            relabel_service(&mut random, &oracle)
        } else {
            let written = change_pod(&mut random, &mut pods);
            resolved([written])
        };
        let records = commit(&mut engine, &mut oracle, transaction)?;
        if records > 1 {
            return Err(format!("transaction {i} writes {records} records, not one"));
        }
        for (who, pace) in paces.iter_mut().enumerate() {
            let Pace {
                reader,
                records,
                every,
            } = pace;
            // A relabelled service may be sent anew with all its endpoints.
            reader.written(if i % 40 == 0 { PODS as u64 } else { 1 });
            if i % *every == 0 {
                let at = |why| format!("subscriber {who}, transaction {i}: {why}");
                reader
                    .read(&engine, &oracle, *records, usize::MAX, &seen)
                    .map_err(at)?;
            }
            if reader.waited > PATIENCE {
                return Err(format!(
                    "subscriber {who} of `{}`, {records} records every {every} transactions, had no checkpoint for {PATIENCE}",
                    reader.scope
                ));
            }
            if random.below(400) == 0 {
                reader.reconnect(random.chance(50), &engine);
            }
        }
    }
    Ok(())
}

/// Every size of pieces, every kind of scope.
fn paces(random: &mut Random, engine: &Engine) -> Vec<Pace> {
    let services = |scope: ServiceScope| Scope::Services(scope);
    let scopes = [
        Scope::all(),
        services(ServiceScope {
            namespaces: BTreeSet::from(["ns0".into()]),
            ..ServiceScope::default()
        }),
        services(ServiceScope {
            names: BTreeSet::from([ObjectName::new("ns1", "s0"), ObjectName::new("ns2", "s9")]),
            ..ServiceScope::default()
        }),
        services(ServiceScope {
            selector: build::selector("on"),
            ..ServiceScope::default()
        }),
        Scope::Node("n0".into()),
    ];
    let mut paces = Vec::new();
    for scope in &scopes {
        for records in 1..=8 {
            let reader = Reader::new(scope.clone(), engine);
            paces.push(Pace {
                reader,
                records,
                every: random.between(1, records),
            });
        }
    }
    paces
}

fn services() -> Vec<Service> {
    let names = (0..NAMESPACES).flat_map(|ns| (0..SERVICES).map(move |s| (ns, s)));
    names
        .map(|(ns, s)| {
            build::service(&format!("ns{ns}/s{s}"))
                .selects(&format!("app=s{s}"))
                .cluster_ip("10.96.0.1")
                .label("on", "yes")
        })
        .collect()
}

/// Each pod is in one service at most, with one address.
fn pod(i: usize) -> Pod {
    let (ns, p) = (i / PODS, i % PODS);
    build::pod(&format!("ns{ns}/p{p}"))
        .label("app", &format!("s{}", p % SERVICES))
        .ip(&format!("10.0.{ns}.{}", p + 1))
        .ready()
}

/// One pod flips, leaves its service, comes back to it, is deleted, is created again, or changes in
/// a way that no service cares about.
fn change_pod(random: &mut Random, pods: &mut [Option<Pod>]) -> selectord::model::Change {
    let i = random.below(pods.len());
    let mut next = match &pods[i] {
        None => pod(i),
        Some(old) if random.chance(5) => {
            let change = delete(Kind::Pod, &old.name.to_string());
            pods[i] = None;
            return change;
        }
        Some(old) => old.clone(),
    };
    if pods[i].is_some() {
        match random.below(20) {
            0 => {
                let kept = next
                    .labels
                    .get("app")
                    .is_some_and(|app| app.as_str() == "none");
                let app = if kept {
                    format!("s{}", i % PODS % SERVICES)
                } else {
                    "none".to_owned()
                };
                next = next.label("app", &app);
            }
            1..14 => next = next.label("noise", &format!("{}", random.below(5))),
            _ => {
                let ready = next.ready == ReadyCondition::True;
                next.ready = if ready {
                    ReadyCondition::False
                } else {
                    ReadyCondition::True
                };
            }
        }
    }
    pods[i] = Some(next.clone());
    put(next)
}

/// A service enters or leaves a scope by its label.
fn relabel_service(random: &mut Random, oracle: &Oracle) -> ResolvedTransaction {
    let name = ObjectName::new(
        format!("ns{}", random.below(NAMESPACES)),
        format!("s{}", random.below(SERVICES)),
    );
    let mut service = oracle
        .service(&name)
        .expect("no service is ever deleted")
        .clone();
    if service.labels.remove("on").is_none() {
        service = service.label("on", "yes");
    }
    resolved([put(service)])
}
