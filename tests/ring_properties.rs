//! Random subscribers that are told of a random history from a small ring of encoded changes, and by
//! the log where the ring does not reach: at every checkpoint each holds what the oracle says for its
//! scope and that revision.

#![cfg(feature = "service")]

mod support;

use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::Arc;

use prost::Message as _;
use selectord::engine::{
    Engine, EngineOptions, MissingNode, Progress, Retention, Scope, View, Walk,
};
use selectord::model::{Change, Object, ResolvedTransaction, Revision, ServiceSelector};
use selectord::runtime::{Concern, Head, Ring, RingPosition, Stretch, Tail, Told, Watching};
use selectord::wire::proto::WatchEndpointsResponse;
use selectord::wire::{Checkpoint, Cursor, Delta, EncodedMessage, MessageWriter, decode_event};

use support::generate::{self, Mix, World};
use support::oracle::Oracle;
use support::random::{Random, seeds};
use support::reader::{expected, holds};
use support::shrink::check_or_shrink;

const READERS: usize = 6;

#[derive(Debug, Clone)]
enum Step {
    /// The writer commits a group.
    Commit(Vec<ResolvedTransaction>),
    /// What was committed comes into the ring.
    Distribute,
    /// A subscriber goes on, from the log by so many records.
    Read {
        reader: usize,
        records: usize,
    },
    /// A subscriber wants something else from now on.
    Rescope {
        reader: usize,
        scope: Scope,
    },
    /// A subscriber comes back with its last cursor, with what it held then or with all it was sent.
    Reconnect {
        reader: usize,
        keep_uncommitted: bool,
    },
    /// Nobody watches for a while, and nothing is encoded.
    Unwatch,
    Watch,
}

/// How large everything is.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    tail: usize,
    ring: usize,
    merged: usize,
    message: usize,
}

#[derive(Debug, Default)]
struct Seen {
    checkpoints: Cell<u64>,
    /// Steps that brought something, from either place.
    by_ring: Cell<u64>,
    by_log: Cell<u64>,
    /// Who was in the ring and was sent to the log.
    behind: Cell<u64>,
    spared: Cell<u64>,
}

fn add(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}

#[test]
fn ring_and_log_together_bring_every_scope_to_the_state_at_its_checkpoint() {
    let seen = Seen::default();
    for seed in seeds(20_000, 32) {
        let mut random = Random::new(seed);
        let options = EngineOptions {
            missing_node: if seed % 4 == 0 {
                MissingNode::Withhold
            } else {
                MissingNode::Admit
            },
            retention: Retention {
                removals: random.below(3),
                deleted_names: random.pick(&[0, 2, 50, 50, 50]),
                share: random.pick(&[0, 0, 0, 3]),
            },
        };
        let sizes = Sizes {
            tail: random.pick(&[2_000, 1 << 20]),
            ring: random.pick(&[500, 3_000, 20_000, 1 << 20]),
            merged: random.pick(&[0, 1_000, 10_000, 1 << 20]),
            message: random.pick(&[100, 400, 5_000, 64 << 10]),
        };
        let history = history(&mut random, seed, 400);
        check_or_shrink(seed, history, |steps| run(steps, &options, sizes, &seen));
    }
    if std::env::var_os("SELECTORD_TEST_SEED").is_none() {
        let least = [
            (&seen.checkpoints, 5_000),
            (&seen.by_ring, 3_000),
            (&seen.by_log, 3_000),
            (&seen.behind, 500),
            (&seen.spared, 500),
        ];
        let enough = least.iter().all(|(count, least)| count.get() >= *least);
        assert!(enough, "too little was met: {seen:?}");
    }
}

fn history(random: &mut Random, seed: u64, groups: usize) -> Vec<Step> {
    let mut world = World::new(seed, Mix::ALL);
    let mut steps = vec![Step::Watch];
    steps.extend((0..READERS).map(|reader| Step::Rescope {
        reader,
        scope: generate::scope(random),
    }));
    let diligence: Vec<usize> = (0..READERS)
        .map(|_| random.pick(&[5, 40, 80, 100]))
        .collect();
    for i in 0..groups {
        if i % 25 == 0 {
            world.change_mix(random.weighted(&[(2, Mix::ALL), (3, Mix::SERVICES), (5, Mix::PODS)]));
        }
        let group = (0..random.between(1, 3)).map(|_| sayable(world.transaction()));
        steps.push(Step::Commit(group.collect()));
        if random.chance(60) {
            steps.push(Step::Distribute);
        }
        if random.chance(2) {
            steps.push(Step::Unwatch);
        }
        if random.chance(15) {
            steps.push(Step::Watch);
        }
        for (reader, diligence) in diligence.iter().enumerate() {
            if random.chance(1) {
                steps.push(Step::Rescope {
                    reader,
                    scope: generate::scope(random),
                });
            }
            if random.chance(4) {
                steps.push(Step::Reconnect {
                    reader,
                    keep_uncommitted: random.chance(50),
                });
            }
            while random.chance(*diligence) && steps.len() < 100_000 {
                steps.push(Step::Read {
                    reader,
                    records: random.between(1, 40),
                });
                if random.chance(20) {
                    break;
                }
            }
        }
    }
    steps
}

/// On the wire there is no word for a selector that selects nothing.
fn sayable(transaction: ResolvedTransaction) -> ResolvedTransaction {
    let (mut changes, source) = transaction.into_parts();
    for change in &mut changes {
        if let Change::Put(Object::Service(service)) = change
            && matches!(&service.selector, ServiceSelector::Set(set) if set.is_nothing())
        {
            service.selector = ServiceSelector::None;
        }
    }
    ResolvedTransaction::new(changes, source)
}

enum At {
    Ring(RingPosition),
    Log(Box<Walk>),
}

struct Reader {
    scope: Scope,
    at: At,
    concern: Concern,
    out: MessageWriter,
    view: View,
    applied: Option<(Revision, View)>,
}

impl Reader {
    fn new(scope: Scope, message: usize, applied: Option<(Revision, View)>, view: View) -> Reader {
        let cursor = applied.as_ref().map(|(revision, _)| *revision);
        Reader {
            at: At::Log(Box::new(Walk::new(scope.clone(), cursor))),
            scope,
            concern: Concern::default(),
            out: MessageWriter::new(message, 3),
            view,
            applied,
        }
    }

    /// One step; answers the revision at which it is now, if it is at the head.
    fn step(&mut self, run: &Cluster<'_>, records: usize) -> Result<Option<Revision>, String> {
        let reached = match &mut self.at {
            At::Log(walk) => {
                let out = &mut self.out;
                let progress = run.engine.catch_up(walk, records, &mut |event| {
                    if out.push(&event) {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                });
                if !out.is_empty() {
                    add(&run.seen.by_log);
                }
                match progress {
                    Progress::Head(revision) => {
                        self.at = At::Ring(RingPosition::at(revision));
                        Some(revision)
                    }
                    Progress::More => None,
                    Progress::Offer { .. } => {
                        return Err("nobody said that he can offer".to_owned());
                    }
                }
            }
            At::Ring(position) => {
                let before = self.out.is_empty();
                let told = (run.ring).tell(&self.scope, position, &self.concern, &mut self.out);
                if before && !self.out.is_empty() {
                    add(&run.seen.by_ring);
                }
                match told {
                    Told::Full => None,
                    Told::Head(_) => Some(position.revision),
                    Told::Behind => {
                        add(&run.seen.behind);
                        let walk = Walk::new(self.scope.clone(), Some(position.revision));
                        self.at = At::Log(Box::new(walk));
                        None
                    }
                }
            }
        };
        if let Some(message) = self.out.take_full() {
            self.fold(&message)?;
        }
        Ok(reached)
    }

    fn fold(&mut self, message: &EncodedMessage) -> Result<(), String> {
        let message = WatchEndpointsResponse::decode(message.body()).map_err(|e| e.to_string())?;
        if message.subscription != 3 {
            return Err("a message of nobody's subscription".to_owned());
        }
        for event in message.events {
            match decode_event(event).map_err(|faults| format!("{faults:?}"))? {
                Delta::Checkpoint(_) => {
                    self.view.checkpoint();
                }
                Delta::Offer => return Err("nobody said that he can offer".to_owned()),
                Delta::Events(events) => {
                    for event in events {
                        expected(&self.view, &event)?;
                        self.view.apply(event);
                    }
                }
            }
        }
        Ok(())
    }

    fn checkpoint(&mut self, revision: Revision, run: &Cluster<'_>) -> Result<(), String> {
        add(&run.seen.checkpoints);
        let last = self.applied.as_ref().map_or(0, |(revision, _)| *revision);
        if revision < last {
            return Err(format!("checkpoint {revision} after checkpoint {last}"));
        }
        let cursor = Cursor {
            revision,
            ..Cursor::default()
        };
        let message = self.out.checkpoint(&Checkpoint {
            cursor,
            ..Checkpoint::default()
        });
        self.fold(&message)?;
        let cut = (run.oracle.state_at(revision))
            .ok_or(format!("checkpoint at {revision}, which is no revision"))?;
        holds(&self.view, cut, &self.scope)?;
        self.applied = Some((revision, self.view.clone()));
        Ok(())
    }
}

struct Cluster<'a> {
    engine: Engine,
    oracle: Oracle,
    tail: Arc<Tail>,
    ring: Ring,
    watching: Option<Watching>,
    seen: &'a Seen,
}

fn run(steps: &[Step], options: &EngineOptions, sizes: Sizes, seen: &Seen) -> Result<(), String> {
    let mut run = Cluster {
        engine: Engine::new(*options),
        oracle: Oracle::new(options.missing_node),
        tail: Arc::new(Tail::new(0, sizes.tail)),
        ring: Ring::new(Head::default(), sizes.ring, sizes.merged),
        watching: None,
        seen,
    };
    let reader = |scope| Reader::new(scope, sizes.message, None, View::default());
    let mut readers: Vec<Reader> = (0..READERS).map(|_| reader(Scope::all())).collect();
    for (i, step) in steps.iter().enumerate() {
        let done = match step {
            Step::Commit(group) => run.commit(group),
            Step::Distribute => {
                run.distribute(&readers);
                Ok(())
            }
            Step::Watch => {
                run.watching.get_or_insert_with(|| run.tail.watch());
                Ok(())
            }
            Step::Unwatch => {
                run.watching = None;
                Ok(())
            }
            Step::Rescope { reader, scope } => {
                let who = &mut readers[*reader];
                let mut view = std::mem::take(&mut who.view);
                view.apply(selectord::engine::Event::Reset);
                *who = Reader::new(scope.clone(), sizes.message, None, view);
                Ok(())
            }
            Step::Reconnect {
                reader,
                keep_uncommitted,
            } => {
                let who = &mut readers[*reader];
                let applied = who.applied.take();
                let mut view = std::mem::take(&mut who.view);
                match &applied {
                    Some((_, held)) if !keep_uncommitted => view = held.clone(),
                    Some(_) => {}
                    None => view.apply(selectord::engine::Event::Reset),
                }
                *who = Reader::new(who.scope.clone(), sizes.message, applied, view);
                Ok(())
            }
            Step::Read { reader, records } => {
                let who = &mut readers[*reader];
                who.step(&run, *records).and_then(|reached| match reached {
                    Some(revision) => who.checkpoint(revision, &run),
                    None => Ok(()),
                })
            }
        };
        done.map_err(|why| format!("at step {i} {step:?}: {why}"))?;
    }
    run.distribute(&readers);
    for (i, reader) in readers.iter_mut().enumerate() {
        let mut at = None;
        for _ in 0..10_000 {
            at = reader.step(&run, 20)?;
            if at == Some(run.engine.head()) {
                break;
            }
        }
        let revision = at.ok_or(format!("subscriber {i} does not come to the head"))?;
        reader.checkpoint(revision, &run)?;
    }
    Ok(())
}

impl Cluster<'_> {
    fn commit(&mut self, group: &[ResolvedTransaction]) -> Result<(), String> {
        for transaction in group {
            let revision = self.oracle.head() + 1;
            self.oracle.apply(revision, transaction);
            let applied = self.engine.apply(revision, transaction.clone());
            applied.map_err(|error| error.to_string())?;
        }
        self.tail.append(&self.engine, None);
        Ok(())
    }

    fn distribute(&self, readers: &[Reader]) {
        let Some(stretch) = self.tail.take() else {
            return;
        };
        let all = !self.ring.is_followed_by(&stretch);
        let concerned: Vec<&Concern> = (readers.iter())
            .filter(|reader| all || is_concerned(&reader.scope, &stretch))
            .map(|reader| &reader.concern)
            .collect();
        if concerned.len() < readers.len() {
            add(&self.seen.spared);
        }
        self.ring.push(Arc::new(stretch), concerned);
    }
}

fn is_concerned(scope: &Scope, stretch: &Stretch) -> bool {
    stretch.concerns(scope)
        || matches!(scope, Scope::Node(own) if stretch.node_names().any(|name| name == own))
}
