//! Live queries: whoever follows one holds at every checkpoint the pods that the oracle finds.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use selectord::engine::{
    Engine, EngineOptions, LiveQueryId, MissingNode, PodEvent, PodWalk, Progress, Retention,
};
use selectord::model::{ObjectName, Pod, ResolvedTransaction, Revision};
use selectord::selector::Selector;

use support::build;
use support::generate::{self, Mix, World};
use support::oracle::{Oracle, Within};
use support::random::{Random, seeds};
use support::shrink::check_or_shrink;

const READERS: usize = 5;

/// A selector, and where.
type Query = (Selector, Within);

#[derive(Debug, Clone)]
enum Step {
    /// The writer commits.
    Apply(ResolvedTransaction),
    /// A reader reads one piece of `records`, and stops early after `events` events.
    Read {
        reader: usize,
        records: usize,
        events: usize,
    },
    /// A reader closes its query and opens another, or the same again.
    Reopen { reader: usize, query: Query },
    /// A reader comes back with its last cursor, its query having been closed or not.
    Reconnect {
        reader: usize,
        keep_uncommitted: bool,
        close: bool,
    },
    /// The engine is lost, live queries and all, and built again from its transactions.
    Rebuild,
}

#[test]
fn every_checkpoint_of_a_live_query_is_the_state_at_its_revision() {
    for seed in seeds(30_000, 6) {
        let mut random = Random::new(seed);
        let retention = Retention {
            removals: random.below(3),
            deleted_names: random.below(3),
            share: 0,
        };
        let options = EngineOptions {
            retention,
            ..EngineOptions::default()
        };
        let history = history(&mut random, seed, 400);
        check_or_shrink(seed, history, |steps| holds(steps, &options));
    }
}

fn history(random: &mut Random, seed: u64, transactions: usize) -> Vec<Step> {
    let mut world = World::new(
        seed,
        Mix {
            pods: 90,
            services: 4,
            nodes: 3,
            manuals: 3,
            changes: 3,
            turnover: 25,
        },
    );
    // Few of them, so that readers share them.
    let queries: Vec<Query> = (0..4)
        .map(|_| (generate::selector(random), generate::within(random)))
        .collect();
    let mut steps: Vec<Step> = (0..READERS)
        .map(|reader| Step::Reopen {
            reader,
            query: random.pick(&queries),
        })
        .collect();
    let diligence: Vec<usize> = (0..READERS)
        .map(|_| random.pick(&[5, 30, 80, 100]))
        .collect();
    for _ in 0..transactions {
        steps.push(Step::Apply(world.transaction()));
        for (reader, diligence) in diligence.iter().enumerate() {
            if random.chance(2) {
                steps.push(Step::Reopen {
                    reader,
                    query: random.pick(&queries),
                });
            }
            if random.chance(4) {
                let (keep_uncommitted, close) = (random.chance(50), random.chance(50));
                steps.push(Step::Reconnect {
                    reader,
                    keep_uncommitted,
                    close,
                });
            }
            if random.chance(*diligence) {
                let events = if random.chance(20) {
                    random.between(1, 4)
                } else {
                    usize::MAX
                };
                steps.push(Step::Read {
                    reader,
                    records: random.between(1, 8),
                    events,
                });
            }
        }
        if random.chance(1) {
            steps.push(Step::Rebuild);
        }
    }
    for reader in 0..READERS {
        steps.extend((0..20).map(|_| Step::Read {
            reader,
            records: 8,
            events: usize::MAX,
        }));
    }
    steps
}

/// The pods a reader holds, with their revisions.
type Pods = BTreeMap<ObjectName, (Pod, Revision)>;

struct Reader {
    query: Query,
    id: LiveQueryId,
    walk: PodWalk,
    pods: Pods,
    /// After a reset: what was held then and has not been sent again.
    doubtful: BTreeSet<ObjectName>,
    applied: Option<(Revision, Pods)>,
    read: usize,
}

impl Reader {
    fn new(query: Query, engine: &mut Engine) -> Reader {
        Reader {
            id: engine.open_live_query(&query.0, &query.1.namespaces()),
            query,
            walk: PodWalk::new(None),
            pods: Pods::new(),
            doubtful: BTreeSet::new(),
            applied: None,
            read: 0,
        }
    }

    fn resume(&mut self, keep_uncommitted: bool) {
        let cursor = self.applied.as_ref().map(|(revision, _)| *revision);
        if !keep_uncommitted {
            self.pods = self
                .applied
                .as_ref()
                .map(|(_, pods)| pods.clone())
                .unwrap_or_default();
            self.doubtful.clear();
        }
        if cursor.is_none() {
            self.fold(PodEvent::Reset);
        }
        self.walk = PodWalk::new(cursor);
        self.read = 0;
    }

    fn fold(&mut self, event: PodEvent) {
        match event {
            PodEvent::Reset => self.doubtful = self.pods.keys().cloned().collect(),
            PodEvent::Pod { pod, revision } => {
                self.doubtful.remove(&pod.name);
                self.pods.insert(pod.name.clone(), (pod, revision));
            }
            PodEvent::Removed(name) => {
                self.doubtful.remove(&name);
                self.pods.remove(&name);
            }
        }
    }

    fn read(
        &mut self,
        engine: &Engine,
        oracle: &Oracle,
        records: usize,
        events: usize,
    ) -> Result<(), String> {
        let mut walk = self.walk.clone();
        let mut sent = 0;
        let progress = engine.catch_up_pods(self.id, &mut walk, records, &mut |event| {
            sent += 1;
            self.fold(event);
            if sent >= events {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        self.walk = walk;
        let Progress::Head(revision) = progress else {
            self.read += records;
            return Ok(());
        };
        if let Some((before, _)) = &self.applied
            && revision < *before
        {
            return Err(format!("checkpoint {revision} after checkpoint {before}"));
        }
        for name in std::mem::take(&mut self.doubtful) {
            self.pods.remove(&name);
        }
        let (selector, within) = &self.query;
        let cut = oracle
            .state_at(revision)
            .ok_or(format!("checkpoint at {revision}, which is no revision"))?;
        let right = cut.pods_in(selector, within);
        if self.pods != right {
            return Err(format!(
                "`{selector}` within {within:?} at checkpoint {revision}\n  held:  {:?}\n  right: {right:?}",
                self.pods
            ));
        }
        self.applied = Some((revision, self.pods.clone()));
        self.read = 0;
        Ok(())
    }
}

fn holds(steps: &[Step], options: &EngineOptions) -> Result<(), String> {
    let mut engine = Engine::new(*options);
    let mut oracle = Oracle::new(MissingNode::default());
    let mut log = Vec::new();
    let nothing: Query = (build::selector("app=none"), Within::All);
    let mut readers: Vec<Reader> = (0..READERS)
        .map(|_| Reader::new(nothing.clone(), &mut engine))
        .collect();
    for (i, step) in steps.iter().enumerate() {
        match step {
            Step::Apply(transaction) => {
                let revision = oracle.head() + 1;
                oracle.apply(revision, transaction);
                engine
                    .apply(revision, transaction.clone())
                    .map_err(|e| e.to_string())?;
                log.push((revision, transaction.clone()));
            }
            Step::Read {
                reader,
                records,
                events,
            } => readers[*reader]
                .read(&engine, &oracle, *records, *events)
                .map_err(|why| {
                    format!(
                        "at step {i}, revision {}, reader {reader}: {why}",
                        oracle.head()
                    )
                })?,
            Step::Reopen { reader, query } => {
                let opened = Reader::new(query.clone(), &mut engine);
                let closed = std::mem::replace(&mut readers[*reader], opened);
                engine.close_live_query(closed.id);
            }
            Step::Reconnect {
                reader,
                keep_uncommitted,
                close,
            } => {
                let reader = &mut readers[*reader];
                if *close {
                    engine.close_live_query(reader.id);
                    reader.id =
                        engine.open_live_query(&reader.query.0, &reader.query.1.namespaces());
                }
                reader.resume(*keep_uncommitted);
            }
            Step::Rebuild => {
                engine = Engine::new(*options);
                for (revision, transaction) in &log {
                    engine
                        .apply(*revision, ResolvedTransaction::clone(transaction))
                        .map_err(|e| e.to_string())?;
                }
                for reader in &mut readers {
                    reader.id =
                        engine.open_live_query(&reader.query.0, &reader.query.1.namespaces());
                    reader.resume(true);
                }
            }
        }
        shared(&engine, &readers).map_err(|why| format!("at step {i}: {why}"))?;
    }
    match engine.verify().first() {
        Some(first) => Err(format!("verify() at the end: {first}")),
        None => Ok(()),
    }
}

/// Readers of the same query share one registration; readers of different ones do not.
fn shared(engine: &Engine, readers: &[Reader]) -> Result<(), String> {
    let mut ids: BTreeMap<&Query, LiveQueryId> = BTreeMap::new();
    for reader in readers {
        if *ids.entry(&reader.query).or_insert(reader.id) != reader.id {
            return Err(format!("two registrations of {:?}", reader.query));
        }
    }
    let (open, distinct) = (engine.stats().live_queries, ids.len() as u64);
    if open == distinct {
        Ok(())
    } else {
        Err(format!("{open} live queries open, not {distinct}"))
    }
}

/// A reader at the tail of a query in which one record changes at a time needs one record a time.
#[test]
fn the_tail_of_a_live_query_is_read_as_fast_as_it_grows() {
    use support::build::{BuildPod, Labelled, pod, put, resolved};

    let mut engine = Engine::new(EngineOptions::default());
    let id = engine.open_live_query(&build::selector("app=x"), &Within::All.namespaces());
    let mut walk = PodWalk::new(None);
    for revision in 1..50 {
        let name = format!("ns/p{}", revision % 5);
        let pod = pod(&name).label("app", "x").uid(&revision.to_string());
        engine
            .apply(revision, resolved([put(pod)]))
            .expect("it is above the head");
        let mut sent = Vec::new();
        let progress = engine.catch_up_pods(id, &mut walk, 1, &mut |event| {
            if event != PodEvent::Reset {
                sent.push(event);
            }
            ControlFlow::Continue(())
        });
        let changed =
            matches!(sent.as_slice(), [PodEvent::Pod { revision: told, .. }] if *told == revision);
        assert!(changed, "at {revision}: {sent:?}");
        let progress = match progress {
            Progress::Head(_) => progress,
            Progress::More | Progress::Offer { .. } => {
                engine.catch_up_pods(id, &mut walk, 1, &mut |event| {
                    panic!("sent again: {event:?}")
                })
            }
        };
        assert_eq!(progress, Progress::Head(revision));
    }
}
