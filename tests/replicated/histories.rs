//! Random histories, followed by three replicas.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use selectord::engine::{
    Engine, EngineOptions, Listed, LiveQueryId, MissingNode, PodEvent, PodWalk, Progress,
    Replicated, Retention, Scope, Stored,
};
use selectord::model::{Change, Object, ObjectName, ObjectRef, Pod, ResolvedTransaction, Revision};
use selectord::selector::Selector;

use crate::support::generate::{self, Mix, World};
use crate::support::oracle::{Oracle, Within};
use crate::support::questions::ask_all;
use crate::support::random::{Random, seeds};
use crate::support::reader::{Reader, Seen};
use crate::support::shrink::check_or_shrink;

const REPLICAS: usize = 3;
const READERS: usize = 6;
/// The oracle remembers no longer than this.
const MOST_BEHIND: usize = 40;

#[derive(Debug, Clone)]
enum Step {
    /// Somebody writes; so many revisions of the store are others'.
    Write(ResolvedTransaction, u64),
    /// A replica follows, at most so many transactions.
    Follow { replica: usize, transactions: usize },
    /// What a replica should have followed is gone: it lists everything.
    List { replica: usize },
    /// A replica begins anew, from a listing.
    Restart { replica: usize },
    /// A subscriber reads one piece, and stops early after `events` events.
    Read {
        reader: usize,
        records: usize,
        events: usize,
    },
    /// A subscriber goes to a replica, with its cursor.
    Move { reader: usize, replica: usize },
    /// It wants something else from now on.
    Rescope { reader: usize, scope: Scope },
    /// The follower of a live query reads on at a replica, as it was there or with its cursor.
    ReadPods { replica: usize, with_cursor: bool },
}

fn history(random: &mut Random, seed: u64, transactions: usize) -> Vec<Step> {
    let mut world = World::new(seed, Mix::ALL);
    let mut steps: Vec<Step> = (0..READERS)
        .map(|reader| Step::Rescope {
            reader,
            scope: generate::scope(random),
        })
        .collect();
    for i in 0..transactions {
        if i % 25 == 0 {
            world.change_mix(random.weighted(&[(4, Mix::ALL), (4, Mix::SERVICES), (2, Mix::PODS)]));
        }
        steps.push(Step::Write(world.transaction(), random.below(3) as u64));
        for replica in 0..REPLICAS {
            if random.chance(30) {
                let transactions = random.between(1, 4);
                steps.push(Step::Follow {
                    replica,
                    transactions,
                });
            }
            if random.chance(4) {
                steps.push(Step::List { replica });
            }
            if random.chance(2) {
                steps.push(Step::Restart { replica });
            }
        }
        for reader in 0..READERS {
            if random.chance(8) {
                let replica = random.below(REPLICAS);
                steps.push(Step::Move { reader, replica });
            }
            if random.chance(2) {
                let scope = generate::scope(random);
                steps.push(Step::Rescope { reader, scope });
            }
            if random.chance(60) {
                let events = if random.chance(10) {
                    random.between(1, 4)
                } else {
                    usize::MAX
                };
                steps.push(Step::Read {
                    reader,
                    records: random.between(1, 40),
                    events,
                });
            }
        }
        if random.chance(50) {
            steps.push(Step::ReadPods {
                replica: random.below(REPLICAS),
                with_cursor: random.chance(70),
            });
        }
    }
    steps
}

/// What the store holds, as a listing has it.
fn listing(oracle: &Oracle) -> Vec<Listed<Stored<Object>>> {
    let listed = |(object, stored): (&ObjectRef, &Stored<Object>)| Listed {
        object: object.clone(),
        revision: stored.revision,
        value: stored.clone(),
    };
    oracle.objects().map(listed).collect()
}

pub fn read(
    object: &ObjectRef,
    stored: Stored<Object>,
) -> Result<(Object, smol_str::SmolStr), String> {
    assert_eq!(stored.object.object_ref(), *object);
    Ok((stored.object, stored.source))
}

/// A transaction as it comes from the store: each object with its own source.
fn replicated(oracle: &Oracle, transaction: &ResolvedTransaction) -> Vec<Replicated> {
    let change = |change: &Change| match change {
        Change::Delete(object) => Replicated::Delete(object.clone()),
        Change::Put(object) => Replicated::Put(
            oracle
                .get(&object.object_ref())
                .expect("it is there")
                .clone(),
        ),
    };
    transaction.changes().iter().map(change).collect()
}

struct Replica {
    engine: Engine,
    /// Of the written transactions, so many have been seen.
    followed: usize,
    query: LiveQueryId,
    pods: PodWalk,
}

/// The follower of a live query.
#[derive(Default)]
struct Follower {
    held: BTreeMap<ObjectName, (Pod, Revision)>,
    cursor: Option<Revision>,
    replica: Option<usize>,
}

struct Run<'a> {
    options: &'a EngineOptions,
    seen: &'a Seen,
    query: (Selector, Within),
    oracle: Oracle,
    /// Everything is applied here in the ordinary way.
    ordinary: Engine,
    written: Vec<(Revision, Vec<Replicated>, ResolvedTransaction)>,
    replicas: Vec<Replica>,
    readers: Vec<(Reader, usize)>,
    follower: Follower,
}

fn holds(steps: &[Step], options: &EngineOptions, seen: &Seen, seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed);
    let query = (
        generate::selector(&mut random),
        generate::within(&mut random),
    );
    let replica = || {
        let mut engine = Engine::new(*options);
        let query = engine.open_live_query(&query.0, &query.1.namespaces());
        Replica {
            engine,
            followed: 0,
            query,
            pods: PodWalk::new(None),
        }
    };
    let replicas: Vec<Replica> = (0..REPLICAS).map(|_| replica()).collect();
    let readers = (0..READERS).map(|reader| {
        let replica = reader % REPLICAS;
        (
            Reader::new(Scope::all(), &replicas[replica].engine),
            replica,
        )
    });
    let mut run = Run {
        options,
        seen,
        readers: readers.collect(),
        replicas,
        query,
        oracle: Oracle::new(options.missing_node),
        ordinary: Engine::new(*options),
        written: Vec::new(),
        follower: Follower::default(),
    };
    for (i, step) in steps.iter().enumerate() {
        run.step(step)
            .map_err(|why| format!("at step {i}, revision {}: {why}", run.oracle.head()))?;
    }
    run.end(seed)
}

impl Run<'_> {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Write(transaction, others) => self.write(transaction, *others),
            Step::Follow {
                replica,
                transactions,
            } => self.follow(*replica, *transactions),
            Step::List { replica } => self.list(*replica),
            Step::Restart { replica } => self.restart(*replica),
            Step::Read {
                reader,
                records,
                events,
            } => {
                let (who, replica) = &mut self.readers[*reader];
                let engine = &self.replicas[*replica].engine;
                let read = who.read(engine, &self.oracle, *records, *events, self.seen);
                read.map(drop)
                    .map_err(|why| format!("subscriber {reader} at {replica}: {why}"))
            }
            Step::Move { reader, replica } => {
                let (who, at) = &mut self.readers[*reader];
                *at = *replica;
                who.reconnect(false, &self.replicas[*replica].engine);
                Ok(())
            }
            Step::Rescope { reader, scope } => {
                let (who, at) = &mut self.readers[*reader];
                who.rescope(scope.clone(), &self.replicas[*at].engine);
                Ok(())
            }
            Step::ReadPods {
                replica,
                with_cursor,
            } => self.read_pods(*replica, *with_cursor),
        }
    }

    fn write(&mut self, transaction: &ResolvedTransaction, others: u64) -> Result<(), String> {
        let revision = self.oracle.head() + 1 + others;
        self.oracle.apply(revision, transaction);
        let applied = self.ordinary.apply(revision, transaction.clone());
        applied.map_err(|error| error.to_string())?;
        let changes = replicated(&self.oracle, transaction);
        self.written.push((revision, changes, transaction.clone()));
        for replica in 0..REPLICAS {
            if self.written.len() - self.replicas[replica].followed > MOST_BEHIND {
                self.follow(replica, MOST_BEHIND)?;
            }
        }
        Ok(())
    }

    fn follow(&mut self, replica: usize, transactions: usize) -> Result<(), String> {
        let at = &mut self.replicas[replica];
        for (revision, changes, _) in self.written.iter().skip(at.followed).take(transactions) {
            let applied = at.engine.apply_replicated(*revision, changes.clone());
            let records = applied
                .map_err(|error| error.to_string())?
                .work
                .records_written;
            at.followed += 1;
            owe(&mut self.readers, replica, &at.engine, records);
        }
        Ok(())
    }

    fn list(&mut self, replica: usize) -> Result<(), String> {
        let at = &mut self.replicas[replica];
        let listing = listing(&self.oracle);
        let applied = at.engine.apply_listing(self.oracle.head(), listing, read);
        let records = applied
            .map_err(|error| error.to_string())?
            .work
            .records_written;
        at.followed = self.written.len();
        owe(&mut self.readers, replica, &at.engine, records);
        Ok(())
    }

    fn restart(&mut self, replica: usize) -> Result<(), String> {
        let at = &mut self.replicas[replica];
        at.engine = Engine::new(*self.options);
        if self.oracle.head() > 0 {
            self.list(replica)?;
        }
        let at = &mut self.replicas[replica];
        let (selector, within) = &self.query;
        at.query = at.engine.open_live_query(selector, &within.namespaces());
        if self.follower.replica == Some(replica) {
            self.follower.replica = None;
        }
        for (reader, of) in &mut self.readers {
            if *of == replica {
                reader.reconnect(false, &at.engine);
            }
        }
        Ok(())
    }

    fn read_pods(&mut self, replica: usize, with_cursor: bool) -> Result<(), String> {
        let at = &mut self.replicas[replica];
        let follower = &mut self.follower;
        if with_cursor || follower.replica != Some(replica) {
            at.pods = PodWalk::new(follower.cursor);
            follower.replica = Some(replica);
        }
        if follower.cursor > Some(at.engine.head()) {
            return Ok(());
        }
        let held = &mut follower.held;
        let mut fold = |event| {
            match event {
                PodEvent::Reset => held.clear(),
                PodEvent::Pod { pod, revision } => {
                    held.insert(pod.name.clone(), (pod, revision));
                }
                PodEvent::Removed(name) => {
                    held.remove(&name);
                }
            }
            ControlFlow::Continue(())
        };
        let progress = at
            .engine
            .catch_up_pods(at.query, &mut at.pods, usize::MAX, &mut fold);
        let Progress::Head(head) = progress else {
            return Err("no checkpoint though everything was read".to_owned());
        };
        follower.cursor = Some(head);
        let Some(cut) = self.oracle.state_at(head) else {
            return Err(format!("checkpoint at {head}, which is no revision"));
        };
        let right = cut.pods_in(&self.query.0, &self.query.1);
        if follower.held != right {
            return Err(format!(
                "pods at {head}: {:?}, not {right:?}",
                follower.held
            ));
        }
        Ok(())
    }

    /// All replicas come to the head, and are the same in all but what they remember.
    fn end(mut self, seed: u64) -> Result<(), String> {
        for replica in 0..REPLICAS {
            self.follow(replica, usize::MAX)?;
            let engine = &self.replicas[replica].engine;
            if let Some(first) = engine.verify().first() {
                return Err(format!("verify() of {replica}: {first}"));
            }
            for (object, stored) in self.oracle.objects() {
                if engine.get(object).as_ref() != Some(stored) {
                    let has = engine.get(object);
                    return Err(format!("{replica} has {object} as {has:?}, not {stored:?}"));
                }
            }
            if let Some((_, _, last)) = self.written.last() {
                ask_all(engine, &self.oracle, last, seed)?;
            }
        }
        Ok(())
    }
}

/// Subscribers at a replica have more to read before they must be at a checkpoint.
fn owe(readers: &mut [(Reader, usize)], replica: usize, engine: &Engine, records: u64) {
    for (reader, at) in readers {
        if *at == replica {
            reader.written(records + engine.stats().endpoints);
        }
    }
}

#[test]
fn replicas_hold_the_same_and_tell_the_same() {
    let seen = Seen::default();
    for seed in seeds(70_000, 24) {
        let mut random = Random::new(seed);
        let options = EngineOptions {
            missing_node: random.pick(&[MissingNode::Admit, MissingNode::Withhold]),
            retention: Retention {
                removals: random.below(4),
                deleted_names: random.below(4),
                share: random.pick(&[0, 0, 3]),
            },
        };
        let history = history(&mut random, seed, 300);
        check_or_shrink(seed, history, |steps| holds(steps, &options, &seen, seed));
    }
    if std::env::var_os("SELECTORD_TEST_SEED").is_none() {
        assert!(seen.checkpoints.get() > 2_000);
    }
}

#[test]
fn an_engine_that_is_fed_from_elsewhere_is_an_ordinary_one() {
    for seed in seeds(71_000, 12) {
        println!("seed {seed} (SELECTORD_TEST_SEED={seed})");
        let mut world = World::new(seed, Mix::ALL);
        let mut ordinary = Engine::new(EngineOptions::default());
        let mut fed = Engine::new(EngineOptions::default());
        let mut oracle = Oracle::new(MissingNode::default());
        for revision in 1..200 {
            let transaction = world.transaction();
            oracle.apply(revision, &transaction);
            let changes = replicated(&oracle, &transaction);
            let left = ordinary.apply(revision, transaction);
            let right = fed.apply_replicated(revision, changes);
            assert_eq!(left, right, "seed {seed}, revision {revision}");
            assert_eq!(
                ordinary.dump(),
                fed.dump(),
                "seed {seed}, revision {revision}"
            );
        }
    }
}
