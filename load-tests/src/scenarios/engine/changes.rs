use std::time::{Duration, Instant};

use selectord::engine::Engine;
use selectord::model::{Change, Kind, ObjectRef};
use selectord_corpus::{ChangeKind, Churn, Corpus};

use crate::cluster::{Prepared, Way, apply, changes, put_service, service, transaction};
use crate::context::Context;
use crate::measure::Samples;
use crate::report::{Row, Section, Unit};

use super::load::SMALL;
use super::ordinary::Services;

/// Changes timed at once.
const TIMED: usize = 6_400;
/// Operations of a transaction that is as large as a server takes.
const LARGE: usize = 10_000;

/// Nanoseconds of a change.
#[derive(Debug, Clone, Default)]
pub struct Cost {
    /// Resolved and applied, as every write is.
    pub whole: Samples,
    /// Applied alone, of what was resolved before.
    pub applied: Samples,
}

/// The kinds of change whose cost is compared between sizes.
#[derive(Debug, Clone, Default)]
pub struct Costs {
    /// A readiness flip, 64 to a transaction.
    pub batched: Cost,
    /// A readiness flip by itself.
    pub single: Cost,
    /// A relabelling of the key that services select by.
    pub relabel: Cost,
    /// A pod deleted and another created.
    pub replace: Cost,
}

/// In this order, as later kinds leave more behind: what, and how many to a transaction.
const COMPARED: [(ChangeKind, usize); 4] = [
    (ChangeKind::Readiness, SMALL),
    (ChangeKind::Readiness, 1),
    (ChangeKind::Relabel, 1),
    (ChangeKind::Replace, 1),
];

impl Costs {
    /// Measures them on an engine that holds the churn's cluster; the churn goes on from there.
    pub fn measure<'c>(
        runs: usize,
        engine: &mut Engine,
        mut churn: Churn<'c>,
    ) -> (Costs, Churn<'c>) {
        let mut costs = Vec::new();
        for (kind, at_once) in COMPARED {
            churn = churn.only(kind);
            let mut cost = Cost::default();
            for _ in 0..runs {
                for (way, samples) in [
                    (Way::Whole, &mut cost.whole),
                    (Way::Applied, &mut cost.applied),
                ] {
                    samples.push(timed(engine, &mut churn, TIMED, at_once, way));
                }
            }
            costs.push(cost);
        }
        let mut costs = costs.into_iter();
        let mut next = || costs.next().unwrap_or_default();
        let costs = Costs {
            batched: next(),
            single: next(),
            relabel: next(),
            replace: next(),
        };
        (costs, churn)
    }
}

/// Each kind of change, on the engine that holds the cluster.
pub fn measure(context: &Context, section: &mut Section, engine: &mut Engine) -> Costs {
    let corpus = &context.corpus;
    let runs = context.runs(11);
    let progress = context.progress("changes", 4);
    let (costs, churn) = Costs::measure(runs, engine, corpus.churn(context.args.seed));
    progress.inc(1);
    let services = Services::of(corpus);
    let scan: Samples = (0..runs)
        .map(|run| services.cost(corpus, context.args.seed + run as u64))
        .collect();
    let testing = "finding the services alone, by testing those of the namespace in ordinary maps";
    progress.inc(1);
    let ways = |cost: &Cost| {
        [
            (Way::Whole, cost.whole.clone()),
            (Way::Applied, cost.applied.clone()),
        ]
    };
    for (what, cost, at_most) in [
        ("readiness flip, 64 to a transaction", &costs.batched, 300.0),
        ("readiness flip, singly", &costs.single, 700.0),
        ("relabel of a selected key", &costs.relabel, 3_000.0),
    ] {
        for (way, samples) in ways(cost) {
            section.row(
                Row::new(format!("{what}, {}", way.says()), Unit::Time, &samples)
                    .at_most(at_most)
                    .beside(testing, Unit::Time, &scan),
            );
        }
    }
    for (way, samples) in ways(&costs.replace) {
        let what = format!("delete and create of a pod, {}", way.says());
        let rate = samples.map(|nanos| 1e9 / nanos);
        section.row(Row::new(what, Unit::Rate("pods"), &rate).at_least(250_000.0));
    }
    let mut churn = churn.mixed();
    let mixed = sampled(runs, engine, &mut churn, TIMED, SMALL);
    section.row(Row::new(
        "churn (8 flips, 1 relabel, 1 replacement), 64 to a transaction, resolved and applied",
        Unit::Time,
        &mixed,
    ));
    progress.inc(1);
    let mut churn = churn.only(ChangeKind::Readiness);
    let large = sampled(context.runs(5), engine, &mut churn, LARGE, LARGE);
    section.row(
        Row::new(
            "one transaction of 10,000 flips, resolved and applied",
            Unit::Time,
            &large.map(|n| n * LARGE as f64),
        )
        .beside(
            "10,000 times one flip of a transaction of 64",
            Unit::Time,
            &costs.batched.whole.map(|nanos| nanos * LARGE as f64),
        ),
    );
    let services = new_service(context, engine, corpus);
    section.row(
        Row::new("new service, resolved and applied", Unit::Time, &services).at_most(50_000.0),
    );
    progress.finish_and_clear();
    costs
}

/// Nanoseconds a change, resolved and applied, run by run.
fn sampled(
    runs: usize,
    engine: &mut Engine,
    churn: &mut Churn<'_>,
    count: usize,
    at_once: usize,
) -> Samples {
    (0..runs)
        .map(|_| timed(engine, churn, count, at_once, Way::Whole))
        .collect()
}

fn timed(
    engine: &mut Engine,
    churn: &mut Churn<'_>,
    count: usize,
    at_once: usize,
    way: Way,
) -> f64 {
    let transactions = count / at_once;
    let prepared: Vec<Prepared> = (0..transactions)
        .map(|_| way.prepare(churn.by_ref().take(at_once).flat_map(changes)))
        .collect();
    let start = Instant::now();
    for transaction in prepared {
        transaction.write(engine);
    }
    start.elapsed().as_nanos() as f64 / (transactions * at_once) as f64
}

/// Nanoseconds to create a service like those there are, giants excepted.
fn new_service(context: &Context, engine: &mut Engine, corpus: &Corpus) -> Samples {
    const CREATED: usize = 500;
    const GIANTS: usize = 3;
    let run = |number: usize| {
        let mut spent = Duration::ZERO;
        let from = GIANTS + number * CREATED;
        let like = corpus.services().skip(from).take(CREATED).map(service);
        let mut created = 0;
        for mut service in like {
            service.name.name = "new".into();
            let gone = Change::Delete(ObjectRef::new(Kind::Service, service.name.clone()));
            let new = Way::Whole.prepare([put_service(service)]);
            let start = Instant::now();
            new.write(engine);
            spent += start.elapsed();
            apply(engine, transaction([gone]));
            created += 1;
        }
        spent.as_nanos() as f64 / f64::from(created.max(1))
    };
    (0..context.runs(11)).map(run).collect()
}
