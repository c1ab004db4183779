//! Random histories, in a directory that is closed and opened again at random: the engine that is read
//! back is the one that was never lost.

use std::ops::ControlFlow;
use std::path::Path;

use selectord::engine::{Engine, EngineOptions, Event, MissingNode, Progress, Retention, Scope};
use selectord::engine::{View, Walk};
use selectord::model::Revision;
use selectord::store::{EmbeddedOptions, EmbeddedStore, Store as _};

use crate::support::generate::{self, Mix, World};
use crate::support::random::{Random, seeds};

const TRANSACTIONS: usize = 400;

pub fn open(
    directory: &Path,
    engine: EngineOptions,
    journal_bytes: u64,
) -> (EmbeddedStore, Engine) {
    let options = EmbeddedOptions {
        journal_bytes,
        reserve_bytes: 0,
    };
    EmbeddedStore::open(directory, engine, options, &mut |_| ()).expect("it can be opened")
}

/// What a subscriber is told behind a cursor, and what it comes to on top of what it holds.
fn caught_up(
    engine: &Engine,
    scope: &Scope,
    held: &(View, Option<Revision>),
) -> (View, Vec<Event>) {
    let mut walk = Walk::new(scope.clone(), held.1);
    let mut view = held.0.clone();
    let mut events = Vec::new();
    loop {
        let progress = engine.catch_up(&mut walk, 1_000, &mut |event: Event| {
            events.push(event.clone());
            view.apply(event);
            ControlFlow::Continue(())
        });
        if let Progress::Head(_) = progress {
            view.checkpoint();
            return (view, events);
        }
    }
}

/// Fails with the first line that differs.
pub fn must_be(dump: &str, right: &str) {
    let mut lines = dump.lines().zip(right.lines());
    if let Some((line, right)) = lines.find(|(line, right)| line != right) {
        assert_eq!(line, right);
    }
    assert_eq!(dump.len(), right.len());
}

pub struct Subscriber {
    scope: Scope,
    held: (View, Option<Revision>),
}

impl Subscriber {
    pub fn new(random: &mut Random) -> Subscriber {
        Subscriber {
            scope: generate::scope(random),
            held: (View::default(), None),
        }
    }

    pub fn follow(&mut self, engine: &Engine) {
        let (view, _) = caught_up(engine, &self.scope, &self.held);
        self.held = (view, Some(engine.head()));
    }

    /// It holds the same after the same number of events, whichever engine tells it.
    pub fn must_be_told_alike(&self, never_lost: &Engine, read_back: &Engine) {
        let (view, events) = caught_up(never_lost, &self.scope, &self.held);
        let (view_again, events_again) = caught_up(read_back, &self.scope, &self.held);
        assert_eq!(view, view_again, "{}", self.scope);
        assert_eq!(
            events.len(),
            events_again.len(),
            "{}: {events:?} and then {events_again:?}",
            self.scope
        );
    }
}

fn run(seed: u64, mix: Mix) {
    println!("seed {seed} (SELECTORD_TEST_SEED={seed})");
    let mut random = Random::new(seed);
    let rules = EngineOptions {
        missing_node: random.pick(&[MissingNode::Admit, MissingNode::Withhold]),
        retention: Retention {
            removals: random.below(4),
            deleted_names: random.below(4),
            share: random.pick(&[0, 3]),
        },
    };
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("data");
    let mut world = World::new(seed, mix);
    let mut never_lost = Engine::new(rules);
    let mut subscribers: Vec<Subscriber> = (0..8).map(|_| Subscriber::new(&mut random)).collect();
    let (mut store, mut engine) = open(&directory, rules, 0);
    let history = store.history();
    let mut done = 0;
    while done < TRANSACTIONS {
        for _ in 0..random.between(0, 60) {
            let group: Vec<_> = (0..random.between(1, 3))
                .map(|_| world.transaction())
                .collect();
            let revisions = store.append(&group).unwrap();
            store.sync().unwrap();
            for (revision, transaction) in revisions.into_iter().zip(group) {
                never_lost.apply(revision, transaction.clone()).unwrap();
                engine.apply(revision, transaction).unwrap();
                done += 1;
            }
            store.applied(&mut engine);
            for subscriber in &mut subscribers {
                if random.chance(10) {
                    subscriber.follow(&engine);
                }
                if random.chance(1) {
                    *subscriber = Subscriber::new(&mut random);
                }
            }
        }
        drop(store);
        (store, engine) = open(&directory, rules, random.pick(&[0, 0, 300, 5_000, 1 << 20]));
        assert_eq!(store.history(), history);
        must_be(&engine.dump(), &never_lost.dump());
        assert_eq!(engine.stats().endpoints, never_lost.stats().endpoints);
        assert_eq!(engine.stats().log_records, never_lost.stats().log_records);
        assert_eq!(engine.verify(), vec![]);
        for subscriber in &subscribers {
            subscriber.must_be_told_alike(&never_lost, &engine);
        }
    }
}

#[test]
fn an_engine_that_is_read_back_is_the_one_that_was_never_lost() {
    for seed in seeds(60_000, 10) {
        let mix = [Mix::ALL, Mix::SERVICES, Mix::PODS];
        run(seed, mix[(seed % 3) as usize]);
    }
}
