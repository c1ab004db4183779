//! Digests, and merges of what subscribers hold with what there is.

mod support;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use selectord::engine::{
    Engine, EngineOptions, Event, Held, MissingNode, Progress, Retention, Scope, ServiceView, View,
    Walk,
};
use selectord::model::{
    Change, Digest, Kind, Node, Object, ObjectName, ObjectRef, Phase, Pod, ReadyCondition,
    ResolvedTransaction, Service, ServiceSelector,
};
use smol_str::SmolStr;

use support::build::{BuildManual as _, put, service, slice};
use support::generate::{self, Mix, World};
use support::oracle::{Cut, Oracle};
use support::random::{Random, seeds};
use support::reader::holds;

struct Run {
    world: World,
    engine: Engine,
    oracle: Oracle,
}

impl Run {
    fn new(seed: u64, random: &mut Random) -> Run {
        let missing_node = if seed.is_multiple_of(4) {
            MissingNode::Withhold
        } else {
            MissingNode::Admit
        };
        let options = EngineOptions {
            missing_node,
            retention: Retention {
                removals: random.below(3),
                deleted_names: random.below(3),
                share: 0,
            },
        };
        Run {
            world: World::new(seed, Mix::ALL),
            engine: Engine::new(options),
            oracle: Oracle::new(missing_node),
        }
    }

    fn write(&mut self) {
        let transaction = self.world.transaction();
        let revision = self.oracle.head() + 1;
        self.oracle.apply(revision, &transaction);
        self.engine.apply(revision, transaction).unwrap();
    }

    fn cut(&self) -> &Cut {
        self.oracle.state_at(self.oracle.head()).unwrap()
    }
}

/// Asked seldom and often, so that much and little of what is remembered has changed meanwhile.
#[test]
fn a_digest_is_what_a_subscriber_holds_hashed_anew() {
    for seed in seeds(20_000, 12) {
        let mut random = Random::new(seed);
        let mut run = Run::new(seed, &mut random);
        let asked = random.pick(&[5, 30, 100]);
        for _ in 0..400 {
            run.write();
            for (name, service) in &run.cut().services {
                if random.chance(asked) {
                    let found = run.engine.service_digest(name);
                    assert_eq!(found, Some(service.digest()), "seed {seed}: {name}");
                }
            }
        }
        let nobody = ObjectName::new("nowhere", "s0");
        assert_eq!(run.engine.service_digest(&nobody), None);
        let found = run.engine.verify();
        assert!(found.is_empty(), "seed {seed}: {found:?}");
    }
}

/// What a subscriber holds that was away for long, or somewhere else, or is not quite right.
fn stale(random: &mut Random, oracle: &Oracle, seed: u64) -> View {
    let back = random.pick(&[0, 0, 1, 5, 1_000]);
    let revision = oracle.head().saturating_sub(random.below(back + 1) as u64);
    let Some(cut) = oracle.state_at(revision) else {
        return View::default();
    };
    let scope = generate::scope(random);
    let mut view = View::default();
    let mut services = cut.services_in(&scope);
    if random.chance(30) {
        let name = ObjectName::new(random.pick(&["aaa", "blue", "zzz"]), "ghost");
        if let Some(one) = services.values().next().cloned() {
            let mut service = (*one.entry.service).clone();
            service.name = name.clone();
            let mut ghost = one;
            ghost.entry.service = Arc::new(service);
            services.insert(name, ghost);
        }
    }
    for service in services.into_values() {
        let mut service = service;
        match random.below(12) {
            0 => continue,
            1 => {
                if let Some(endpoint) = service.endpoints.values_mut().next() {
                    endpoint.conditions.serving ^= true;
                }
            }
            2 => drop(service.endpoints.pop_first()),
            3 => service.entry.revision += 1_000,
            4 => {
                let mut other = (*service.entry.service).clone();
                other.topology_mode = "Corrupt".into();
                service.entry.service = Arc::new(other);
            }
            _ => {}
        }
        hold(&mut view, &service);
    }
    for node in cut.nodes.values().filter(|_| seed.is_multiple_of(3)) {
        let mut node = Node::clone(node);
        if random.chance(20) {
            node.uid = "corrupt".into();
        }
        view.apply(Event::Node(Arc::new(node)));
    }
    view
}

fn hold(view: &mut View, service: &ServiceView) {
    let name = &service.entry.service.name;
    view.apply(Event::Replace(service.entry.clone()));
    for endpoint in service.endpoints.values().cloned() {
        let service = name.clone();
        view.apply(Event::Endpoint { service, endpoint });
    }
}

/// One merge, `meanwhile` between its pieces; answers the events up to the checkpoint.
fn merge(
    engine: &mut Engine,
    scope: &Scope,
    view: &View,
    random: &mut Random,
    mut meanwhile: impl FnMut(&mut Engine),
) -> Vec<Event> {
    let mut walk = Walk::new(scope.clone(), None).offering(true);
    let mut unsaid: Vec<Held> = Vec::new();
    let mut told = Vec::new();
    loop {
        let records = random.between(1, 6);
        let progress = engine.catch_up(&mut walk, records, &mut |event| {
            told.push(event);
            ControlFlow::Continue(())
        });
        match progress {
            Progress::Head(_) => return told,
            Progress::More => {}
            Progress::Offer { first } => {
                if first {
                    // Perhaps once more: names of deleted services were forgotten meanwhile.
                    told.clear();
                    unsaid = view.held(None).collect();
                }
                let rest = unsaid.split_off(random.between(1, 3).min(unsaid.len()));
                walk.offer(unsaid, rest.is_empty());
                unsaid = rest;
            }
        }
        meanwhile(engine);
    }
}

/// How many events a merge owes for each service and node, while nobody writes.
fn owed(view: &View, cut: &Cut, scope: &Scope) -> usize {
    let right = cut.services_in(scope);
    let mut events = 0;
    for (name, service) in &right {
        events += match view.services().get(name) {
            Some(held) if held == service => 0,
            Some(held) if held.digest() == service.digest() => 1,
            _ => 1 + service.endpoints.len(),
        };
    }
    events += view
        .services()
        .keys()
        .filter(|name| !right.contains_key(*name))
        .count();
    let nodes = cut.nodes_in(scope);
    let differs = |name: &SmolStr| view.nodes().get(name) != nodes.get(name);
    let all = view.nodes().keys().chain(nodes.keys());
    let all: std::collections::BTreeSet<&SmolStr> = all.collect();
    events + all.into_iter().filter(|name| differs(name)).count()
}

#[test]
fn a_merge_tells_what_differs_and_nothing_else() {
    let mut spared = 0;
    for seed in seeds(30_000, 60) {
        let mut random = Random::new(seed);
        let mut run = Run::new(seed, &mut random);
        (0..random.between(1, 150)).for_each(|_| run.write());
        for _ in 0..8 {
            let mut view = stale(&mut random, &run.oracle, seed);
            let scope = generate::scope(&mut random);
            let owed = owed(&view, run.cut(), &scope);
            let told = merge(&mut run.engine, &scope, &view, &mut random, |_| ());
            let reset = told.contains(&Event::Reset);
            assert!(
                !reset && told.len() == owed,
                "seed {seed}: {owed} owed: {told:?}"
            );
            told.into_iter().for_each(|event| view.apply(event));
            let dropped = view.checkpoint();
            assert!(dropped.is_empty(), "seed {seed}: {dropped:?}");
            holds(&view, run.cut(), &scope).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
            let size = |view: &ServiceView| 1 + view.endpoints.len();
            let all: usize = view.services().values().map(size).sum();
            spared += all.saturating_sub(owed);
        }
    }
    assert!(spared > 200, "only {spared} events were spared");
}

/// What is sent is bounded by what differed at first, and by all of what changed meanwhile.
#[test]
fn a_merge_while_writes_go_on_comes_to_what_there_is() {
    for seed in seeds(40_000, 60) {
        let mut random = Random::new(seed);
        let mut run = Run::new(seed, &mut random);
        (0..random.between(1, 100)).for_each(|_| run.write());
        let mut view = stale(&mut random, &run.oracle, seed);
        let scope = generate::scope(&mut random);
        let mut bound = owed(&view, run.cut(), &scope);
        let pace = random.pick(&[3, 20, 60]);
        let (world, oracle) = (&mut run.world, &mut run.oracle);
        let mut writes = Random::new(seed + 1);
        let mut left = 60;
        let told = merge(&mut run.engine, &scope, &view, &mut random, |engine| {
            if left == 0 || !writes.chance(pace) {
                return;
            }
            left -= 1;
            let before = oracle.state_at(oracle.head()).cloned().unwrap_or_default();
            let transaction = world.transaction();
            oracle.apply(oracle.head() + 1, &transaction);
            engine.apply(oracle.head(), transaction).unwrap();
            // A service that changed may be told whole, by the merge and again by the log.
            let after = oracle.state_at(oracle.head()).unwrap();
            bound += 2 * changed(&before, after);
        });
        if !told.contains(&Event::Reset) {
            assert!(
                told.len() <= bound,
                "seed {seed}: {bound} owed, {} told",
                told.len()
            );
        }
        told.into_iter().for_each(|event| view.apply(event));
        view.checkpoint();
        holds(&view, run.cut(), &scope).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
}

/// Events for all that is not the same, each service whole: as it is, and what it has lost.
fn changed(before: &Cut, after: &Cut) -> usize {
    let all: BTreeMap<_, _> = before.services.iter().chain(&after.services).collect();
    let size = |cut: &Cut, name| {
        cut.services
            .get(name)
            .map_or(0, |service: &ServiceView| service.endpoints.len())
    };
    let differing = all
        .keys()
        .filter(|name| before.services.get(**name) != after.services.get(**name));
    let services: usize = differing
        .map(|name| 2 + size(before, *name) + size(after, *name))
        .sum();
    services + before.nodes.len() + after.nodes.len()
}

/// More than are hashed at once.
const GIANT: u32 = 10_000;

fn pod(i: u32, ready: bool) -> Change {
    let [_, a, b, c] = i.to_be_bytes();
    Change::Put(Object::Pod(Box::new(Pod {
        name: ObjectName::new("default", format!("p{i}")),
        phase: Phase::Running,
        pod_ips: [[10, a, b, c].into()].into_iter().collect(),
        ready: if ready {
            ReadyCondition::True
        } else {
            ReadyCondition::False
        },
        ..Pod::default()
    })))
}

fn giant() -> Engine {
    let mut engine = Engine::new(EngineOptions::default());
    let service = Change::Put(Object::Service(Box::new(Service {
        name: ObjectName::new("default", "giant"),
        selector: ServiceSelector::Set("".parse().unwrap()),
        ..Service::default()
    })));
    let changes = std::iter::once(service).chain((0..GIANT).map(|i| pod(i, true)));
    engine
        .apply(1, ResolvedTransaction::new(changes, ""))
        .unwrap();
    engine
}

fn change(engine: &mut Engine, change: Change) {
    let revision = engine.head() + 1;
    engine
        .apply(revision, ResolvedTransaction::new([change], ""))
        .unwrap();
}

fn listed(engine: &Engine) -> View {
    let (mut walk, mut view) = (Walk::new(Scope::all(), None), View::default());
    let mut fold = |event| {
        view.apply(event);
        ControlFlow::Continue(())
    };
    while engine.catch_up(&mut walk, 4_096, &mut fold) == Progress::More {}
    view.checkpoint();
    view
}

fn digest(view: &View) -> Digest {
    view.services().values().next().unwrap().digest()
}

#[test]
fn a_giant_service_is_hashed_in_parts_and_what_changed_again() {
    let name = ObjectName::new("default", "giant");
    let mut engine = giant();
    let mut random = Random::new(1);
    for round in 0..6 {
        assert_eq!(
            engine.service_digest(&name),
            Some(digest(&listed(&engine))),
            "{round}"
        );
        for _ in 0..round {
            let i = random.below(GIANT as usize + 3_000) as u32;
            match random.below(3) {
                0 => {
                    let name = ObjectName::new("default", format!("p{i}"));
                    let object = ObjectRef::new(Kind::Pod, name);
                    change(&mut engine, Change::Delete(object));
                }
                _ => change(&mut engine, pod(i, random.chance(50))),
            }
        }
    }
    let found = engine.verify();
    assert!(found.is_empty(), "{found:?}");
}

/// A slice of a giant that is made by hand, of a hundred endpoints.
fn hundred(i: u32, ready: bool) -> Change {
    let addresses = (0..100).map(|j| format!("10.9.{i}.{j}"));
    let all = slice(&format!("default/s{i:03}"), "giant");
    let mut all = addresses.fold(all, |all, address| all.with(&address, ""));
    let endpoints = all.subsets.iter_mut().flat_map(|it| &mut it.endpoints);
    endpoints.for_each(|endpoint| endpoint.conditions.ready = ready);
    put(all)
}

fn giant_by_hand() -> Engine {
    let mut engine = Engine::new(EngineOptions::default());
    let slices = (0..GIANT / 100).map(|i| hundred(i, true));
    let changes = std::iter::once(put(service("default/giant"))).chain(slices);
    engine
        .apply(1, ResolvedTransaction::new(changes, ""))
        .unwrap();
    engine
}

#[test]
fn of_a_giant_that_is_made_by_hand_what_changed_is_hashed_again() {
    let name = ObjectName::new("default", "giant");
    let mut engine = giant_by_hand();
    let mut random = Random::new(3);
    for round in 0..12 {
        let found = engine.service_digest(&name);
        assert_eq!(found, Some(digest(&listed(&engine))), "{round}");
        for _ in 0..round {
            // Some that there were not at first, so that parts grow.
            let i = random.below(150) as u32;
            match random.below(3) {
                0 => {
                    let name = ObjectName::new("default", format!("s{i:03}"));
                    let object = ObjectRef::new(Kind::EndpointSlice, name);
                    change(&mut engine, Change::Delete(object));
                }
                _ => change(&mut engine, hundred(i, random.chance(50))),
            }
        }
        let found = engine.verify();
        assert!(found.is_empty(), "{found:?}");
    }
}

/// Whether a subscriber who holds everything is told the giant anew, while one of its pods changes
/// every so many pieces of its merge; and in how many pieces.
fn resumed(every: usize) -> (bool, usize) {
    resumed_of(giant(), every)
}

fn resumed_of(mut engine: Engine, every: usize) -> (bool, usize) {
    let mut view = listed(&engine);
    let mut pieces = 0;
    let told = {
        let pieces = &mut pieces;
        let mut i = 0;
        merge(
            &mut engine,
            &Scope::all(),
            &view.clone(),
            &mut Random::new(2),
            |engine| {
                *pieces += 1;
                // The log is read at last.
                if *pieces % every == 0 && *pieces < 60_000 && i < 40 {
                    i += 1;
                    change(engine, pod(4_096 * (i % 2), i % 4 < 2));
                }
            },
        )
    };
    let anew = told.iter().any(|event| matches!(event, Event::Replace(_)));
    told.into_iter().for_each(|event| view.apply(event));
    view.checkpoint();
    assert_eq!(view, listed(&engine));
    (anew, pieces)
}

#[test]
fn a_giant_service_that_is_the_same_is_not_told_though_it_is_hashed_in_pieces() {
    let (anew, pieces) = resumed(usize::MAX);
    assert!(!anew && pieces >= 3, "{pieces} pieces");
}

#[test]
fn nor_is_one_that_is_made_by_hand() {
    let (anew, pieces) = resumed_of(giant_by_hand(), usize::MAX);
    assert!(!anew && pieces >= 3, "{pieces} pieces");
}

#[test]
fn a_giant_service_that_changes_as_fast_as_it_is_hashed_is_told() {
    let (anew, _) = resumed(1);
    assert!(anew);
}
