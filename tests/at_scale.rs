//! A large cluster under churn: now and then the engine, and a subscriber who folded everything that
//! it was told, are compared with a scan of the pods, and everything derived with itself recomputed.
//!
//! SELECTORD_TEST_PODS (10,000) and SELECTORD_TEST_OPERATIONS (20,000) say how large and how long:
//! `SELECTORD_TEST_PODS=100000 SELECTORD_TEST_OPERATIONS=3000000 cargo test --release --test at_scale`.

#[allow(dead_code, reason = "shared with the benches")]
#[path = "../benches/support/convert.rs"]
mod convert;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use selectord::engine::{Engine, Namespaces, Progress, Scope, View, Walk};
use selectord::labels::LabelSet;
use selectord::model::{
    Change, Kind, Object, ObjectName, ObjectRef, Pod, ReadyCondition, Service, ServiceSelector,
};
use selectord::selector::Selector;
use selectord_corpus::{Corpus, Spec};
use smol_str::SmolStr;

use support::random::{Random, seeds};

/// Comparisons in a run.
const CHECKS: usize = 4;
/// Services looked at in each.
const SERVICES: usize = 400;
/// Selectors counted in each.
const SELECTORS: usize = 20;

fn asked(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is not a number: {text}"))
    })
}

/// The objects, in maps.
#[derive(Default)]
struct Model {
    pods: BTreeMap<SmolStr, BTreeMap<SmolStr, Pod>>,
    services: BTreeMap<ObjectName, Service>,
}

impl Model {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Put(Object::Pod(pod)) => {
                let namespace = self.pods.entry(pod.name.namespace.clone()).or_default();
                namespace.insert(pod.name.name.clone(), (**pod).clone());
            }
            Change::Put(Object::Service(service)) => {
                self.services
                    .insert(service.name.clone(), (**service).clone());
            }
            Change::Delete(object) if object.kind == Kind::Pod => {
                if let Some(pods) = self.pods.get_mut(&object.name.namespace) {
                    pods.remove(&object.name.name);
                }
            }
            Change::Delete(object) => {
                self.services.remove(&object.name);
            }
            Change::Put(_) => {}
        }
    }

    fn labels(&self) -> impl Iterator<Item = &LabelSet> {
        self.pods
            .values()
            .flat_map(BTreeMap::values)
            .map(|pod| &pod.labels)
    }

    /// The pods that a service selects, and whether each is ready, by a scan of its namespace.
    fn selected(&self, service: &Service) -> BTreeSet<(ObjectName, bool)> {
        let Some(selector) = service.selector.selector() else {
            return BTreeSet::new();
        };
        let pods = self.pods.get(&service.name.namespace);
        pods.into_iter()
            .flat_map(BTreeMap::values)
            .filter(|pod| selector.matches(&pod.labels))
            .map(|pod| (pod.name.clone(), pod.ready == ReadyCondition::True))
            .collect()
    }
}

/// A change of some service: another selector, gone, or there again.
fn service_change(random: &mut Random, corpus: &[Service], model: &Model) -> Change {
    let mut service = random.pick(corpus);
    if model.services.contains_key(&service.name) && random.chance(30) {
        return Change::Delete(ObjectRef::new(Kind::Service, service.name));
    }
    if random.chance(70)
        && let Some(pods) = model.pods.get(&service.name.namespace)
        && !pods.is_empty()
    {
        let pods: Vec<&Pod> = pods.values().collect();
        let pairs: Vec<_> = random.pick(&pods).labels.iter().collect();
        let (key, value) = random.pick(&pairs);
        let pair = [(key.clone(), value.clone())].into_iter().collect();
        service.selector = ServiceSelector::Map(pair);
    }
    convert::put_service(service)
}

struct Follower {
    walk: Walk,
    view: View,
}

impl Follower {
    fn read(&mut self, engine: &Engine, records: usize) -> Progress {
        let view = &mut self.view;
        let progress = engine.catch_up(&mut self.walk, records, &mut |event| {
            view.apply(event);
            ControlFlow::Continue(())
        });
        if matches!(progress, Progress::Head(_)) {
            self.view.checkpoint();
        }
        progress
    }
}

fn check(seed: u64, engine: &Engine, model: &Model, view: &View, random: &mut Random) {
    let at = format!("seed {seed}, revision {}", engine.head());
    assert!(
        view.services().keys().eq(model.services.keys()),
        "{at}: the subscriber knows {} services of {}",
        view.services().len(),
        model.services.len()
    );
    let services: Vec<&Service> = model.services.values().collect();
    for _ in 0..SERVICES {
        let service = random.pick(&services);
        let endpoints = engine.endpoints(&service.name).unwrap_or_default();
        let found: BTreeSet<(ObjectName, bool)> = endpoints
            .iter()
            .filter_map(|e| Some((e.identity.pod.clone()?, e.conditions.ready)))
            .collect();
        assert_eq!(found, model.selected(service), "{at}: {}", service.name);
        let told = &view.services()[&service.name].endpoints;
        assert!(
            told.values().eq(&endpoints),
            "{at}: the subscriber was told something else of {}",
            service.name
        );
    }
    let labels: Vec<&LabelSet> = model.labels().collect();
    for _ in 0..SELECTORS {
        let (one, other) = (random.pick(&labels), random.pick(&labels));
        let pair = |random: &mut Random, labels: &LabelSet| {
            let pairs: Vec<_> = labels.iter().collect();
            let (key, value) = random.pick(&pairs);
            (key.to_string(), value.to_string())
        };
        let ((key, value), (no, not)) = (pair(random, one), pair(random, other));
        let text = format!("{key}={value},{no}!={not}");
        let selector = Selector::parse(&text).expect(&text);
        let count = labels.iter().filter(|l| selector.matches(l)).count() as u64;
        let found = engine.count(&selector, &Namespaces::all());
        assert_eq!(found, count, "{at}: {text}");
    }
    let findings = engine.verify();
    assert!(
        findings.is_empty(),
        "{at}: {} findings, first {}",
        findings.len(),
        findings[0]
    );
}

#[test]
fn a_large_cluster_under_churn_is_what_a_scan_finds() {
    let pods = asked("SELECTORD_TEST_PODS", 10_000);
    let operations = asked("SELECTORD_TEST_OPERATIONS", 20_000);
    let seed = seeds(1, 1)[0];
    println!("seed {seed}, {pods} pods, {operations} operations");
    let spec = Spec::new(u32::try_from(pods).expect("a number of pods"));
    let corpus = Corpus::new(spec);
    let services: Vec<Service> = corpus.services().map(convert::service).collect();
    let mut engine = convert::loaded(&corpus);
    let mut model = Model::default();
    convert::objects(&corpus).for_each(|change| model.apply(&change));
    let mut random = Random::new(seed);
    let mut churn = corpus.churn(seed);
    let mut follower = Follower {
        walk: Walk::new(Scope::all(), None),
        view: View::default(),
    };
    for _ in 0..CHECKS {
        let mut done = 0;
        while done < operations / CHECKS {
            let count = 1 + random.below(64);
            done += count;
            let mut changes: Vec<Change> = churn
                .by_ref()
                .take(count)
                .flat_map(convert::changes)
                .collect();
            if random.chance(10) {
                changes.push(service_change(&mut random, &services, &model));
            }
            // Of several changes of one object the last counts, as in the transaction.
            changes.iter().for_each(|change| model.apply(change));
            convert::apply(&mut engine, convert::transaction(changes));
            follower.read(&engine, random.below(256));
        }
        while follower.read(&engine, 4_096) == Progress::More {}
        check(seed, &engine, &model, &follower.view, &mut random);
    }
}
