use std::time::Instant;

use selectord::engine::{Engine, EngineOptions};
use selectord::labels::{Key, LabelSet, Value};
use selectord::model::{Change, ObjectName, ResolvedTransaction, Service, ServiceSelector};
use selectord_corpus::{Corpus, Spec, Variant};

use crate::cluster::{
    LOADED_AT_ONCE, apply, labels, loaded, pod, put_pod, put_service, transaction,
};
use crate::context::Context;
use crate::measure::Samples;
use crate::report::{Axis, Curve, Row, Section, Unit};

use super::changes::{Cost, Costs};

/// Pods of the clusters that differ in one thing alone.
const PODS: u32 = 100_000;
/// Changes timed at once.
const TIMED: u32 = 5_000;

/// The key by which the services of these clusters select.
const PART: &str = "part";
/// Its twin: pods have the same value of both.
const TWIN: &str = "twin";

/// What those services select that have no endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    /// A pair that no pod has.
    Unknown,
    /// Two pairs that pods have, as many as a service with endpoints selects by its one; no pod has both.
    Shared,
}

impl Others {
    /// In words.
    fn says(self) -> &'static str {
        match self {
            Others::Unknown => "the others select a pair that no pod has",
            Others::Shared => "the others select two pairs that 100 pods each have, none both",
        }
    }

    /// The selector of a service: the first `count` have endpoints.
    fn selector(self, number: u32, count: u32) -> LabelSet {
        let pair = |key, number: u32| (key, number.to_string());
        match self {
            Others::Shared if number >= count => {
                // Each part has a twin of each distance from its own, in turn.
                let (part, apart) = (number % count, number / count);
                labels([pair(PART, part), pair(TWIN, (part + apart) % count)])
            }
            _ => labels([pair(PART, number)]),
        }
    }
}

/// Pods of one namespace, divided evenly among services; and services besides that select none.
struct Division {
    others: Others,
    corpus: Corpus,
    engine: Engine,
    random: fastrand::Rng,
    /// Part of each pod.
    parts: Vec<u32>,
    ready: Vec<bool>,
    count: u32,
}

impl Division {
    fn new(seed: u64, endpoints: u32, services: u32, others: Others) -> Division {
        let spec = Spec::new(PODS).seed(seed).variant(Variant::HugeNamespace);
        let count = PODS / endpoints;
        let mut division = Division {
            others,
            corpus: Corpus::new(spec),
            engine: Engine::new(EngineOptions::default()),
            random: fastrand::Rng::with_seed(seed),
            parts: (0..PODS).map(|number| number / endpoints).collect(),
            ready: vec![true; PODS as usize],
            count,
        };
        let service = |number: u32| Service {
            name: ObjectName::new("huge", format!("svc-{number}")),
            selector: ServiceSelector::Map(others.selector(number, count)),
            ..Service::default()
        };
        let services = (0..services.max(count)).map(|number| put_service(service(number)));
        apply(&mut division.engine, transaction(services));
        for first in (0..PODS).step_by(LOADED_AT_ONCE) {
            let last = PODS.min(first + LOADED_AT_ONCE as u32);
            let part: Vec<Change> = (first..last).map(|n| division.put(n)).collect();
            apply(&mut division.engine, transaction(part));
        }
        division
    }

    /// The pod of this number, as it is now.
    fn put(&self, number: u32) -> Change {
        let mut of_corpus = self.corpus.pod(number);
        of_corpus.ready = self.ready[number as usize];
        let mut pod = pod(of_corpus);
        let part = self.parts[number as usize].to_string();
        let keys: &[&str] = match self.others {
            Others::Unknown => &[PART],
            Others::Shared => &[PART, TWIN],
        };
        for key in keys {
            if let (Ok(key), Ok(value)) = (Key::new(*key), Value::new(part.as_str())) {
                pod.labels.insert(key, value);
            }
        }
        put_pod(pod)
    }

    /// Nanoseconds of a change, each in a transaction of its own.
    fn cost(&mut self, mut change: impl FnMut(&mut Division, u32)) -> f64 {
        let prepared: Vec<ResolvedTransaction> = (0..TIMED)
            .map(|_| {
                let number = self.random.u32(..PODS);
                change(self, number);
                transaction([self.put(number)])
            })
            .collect();
        let start = Instant::now();
        for transaction in prepared {
            apply(&mut self.engine, transaction);
        }
        start.elapsed().as_nanos() as f64 / f64::from(TIMED)
    }

    fn flip(&mut self) -> f64 {
        self.cost(|of, pod| of.ready[pod as usize] ^= true)
    }

    fn relabel(&mut self) -> f64 {
        self.cost(|of, pod| of.parts[pod as usize] = of.random.u32(..of.count))
    }
}

/// Measures both in turn, so that what disturbs the one disturbs the other.
fn in_turn(
    context: &Context,
    large: &mut Division,
    small: &mut Division,
    cost: fn(&mut Division) -> f64,
) -> (Samples, Samples) {
    (0..context.runs(11)).fold(
        Default::default(),
        |(mut l, mut s): (Samples, Samples), _| {
            l.push(cost(large));
            s.push(cost(small));
            (l, s)
        },
    )
}

fn compare(
    section: &mut Section,
    what: &str,
    beside: &str,
    (large, small): &(Samples, Samples),
    bound: f64,
) {
    section.row(
        Row::new(what, Unit::Time, large)
            .beside(beside, Unit::Time, small)
            .ratio_at_most(bound),
    );
}

/// 100,000 services against 1,000, where all but 1,000 select nothing.
pub fn of_services(context: &Context, section: &mut Section) {
    let progress = context.progress("100k services against 1k", 2);
    for others in [Others::Unknown, Others::Shared] {
        let mut large = Division::new(context.args.seed, 100, 100_000, others);
        let mut small = Division::new(context.args.seed, 100, 1_000, others);
        let flips = in_turn(context, &mut large, &mut small, Division::flip);
        let relabels = in_turn(context, &mut large, &mut small, Division::relabel);
        for (what, samples) in [("flip", flips), ("relabel", relabels)] {
            let what = format!(
                "{what} among 100k services of one namespace; {}",
                others.says()
            );
            compare(
                section,
                &what,
                "among 1k, all with endpoints",
                &samples,
                1.3,
            );
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    section.note(format!(
        "those of services and of endpoints are clusters of {PODS} pods in one namespace, the same but \
         for what is compared, and measured in turn"
    ));
}

/// A service of 100,000 endpoints against services of 100.
pub fn of_endpoints(context: &Context, section: &mut Section) {
    let progress = context.progress("100k endpoints against 100", 2);
    let mut large = Division::new(context.args.seed, PODS, 1_000, Others::Unknown);
    let mut small = Division::new(context.args.seed, 100, 1_000, Others::Unknown);
    progress.inc(1);
    let flips = in_turn(context, &mut large, &mut small, Division::flip);
    progress.finish_and_clear();
    compare(
        section,
        "flip in a service of 100k endpoints",
        "in one of 100",
        &flips,
        1.3,
    );
}

/// The whole cluster against a tenth, and a hundredth, of it.
pub fn of_size(context: &Context, section: &mut Section, whole: &Costs) {
    let pods = context.pods();
    let runs = context.runs(11);
    let progress = context.progress("smaller clusters", 2);
    let mut measured = vec![(f64::from(pods), whole.clone())];
    for part in [10, 100] {
        let spec = context.corpus.spec();
        let corpus = Corpus::new(Spec {
            pods: (pods / part).max(100),
            ..spec
        });
        let mut engine = loaded(&corpus);
        let (costs, _) = Costs::measure(runs, &mut engine, corpus.churn(context.args.seed));
        measured.insert(0, (f64::from(corpus.spec().pods), costs));
        progress.inc(1);
    }
    progress.finish_and_clear();
    if let [_, (_, tenth), _] = measured.as_slice() {
        let beside = "in a cluster of a tenth";
        let pair = |of: fn(&Costs) -> &Cost| (of(whole).whole.clone(), of(tenth).whole.clone());
        compare(
            section,
            "flip singly, whole cluster",
            beside,
            &pair(|c| &c.single),
            2.0,
        );
        compare(
            section,
            "flip of 64, whole cluster",
            beside,
            &pair(|c| &c.batched),
            2.0,
        );
        compare(
            section,
            "relabel, whole cluster",
            beside,
            &pair(|c| &c.relabel),
            2.0,
        );
        section
            .note("the whole cluster is not measured in turn with its tenth: both would not fit");
    }
    let line = |of: fn(&Costs) -> &Cost| -> Vec<(f64, f64)> {
        measured
            .iter()
            .map(|(pods, costs)| (*pods, of(costs).whole.median()))
            .collect()
    };
    section.curve(
        Curve::new(
            "cost",
            "Cost of a change, by the size of the cluster",
            Axis::log("pods", Unit::Number("pods")),
            Axis::log("time of a change", Unit::Time),
        )
        .line("flip, of 64", line(|costs| &costs.batched))
        .line("flip, singly", line(|costs| &costs.single))
        .line("relabel", line(|costs| &costs.relabel))
        .line("delete, create", line(|costs| &costs.replace)),
    );
}
