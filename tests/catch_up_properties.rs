//! Random subscribers of a random history: at every checkpoint each holds what the oracle says for
//! its scope and that revision, whatever it missed, however it came back.

mod support;

use selectord::engine::{Engine, EngineOptions, MissingNode, Retention, Scope};
use selectord::model::{Change, Object, ResolvedTransaction, Revision};

use support::generate::{self, Mix, World};
use support::oracle::Oracle;
use support::random::{Random, seeds};
use support::reader::{Reader, Seen};
use support::shrink::check_or_shrink;

const READERS: usize = 6;

#[derive(Debug, Clone)]
enum Step {
    /// The writer commits.
    Apply(ResolvedTransaction),
    /// A subscriber reads one piece of `records`, and stops early after `events` events.
    Read {
        reader: usize,
        records: usize,
        events: usize,
    },
    /// A subscriber wants something else from now on.
    Rescope { reader: usize, scope: Scope },
    /// A subscriber's connection breaks; it comes back with its last cursor.
    Reconnect {
        reader: usize,
        keep_uncommitted: bool,
    },
    /// The engine is lost, and built again from its transactions.
    Rebuild { keep_uncommitted: bool },
    /// Every subscriber asks a replica that is this many transactions behind.
    Replica { behind: usize },
}

fn run(seed: u64, missing_node: MissingNode, seen: &Seen) {
    let mut random = Random::new(seed);
    let retention = Retention {
        removals: random.below(3),
        deleted_names: random.below(3),
        share: random.pick(&[0, 0, 0, 3]),
    };
    let options = EngineOptions {
        missing_node,
        retention,
    };
    let history = history(&mut random, seed, 500);
    check_or_shrink(seed, history, |steps| holds(steps, &options, seen));
}

#[test]
fn every_checkpoint_is_the_state_at_its_revision() {
    let seen = Seen::default();
    for seed in seeds(10_000, 24) {
        let missing_node = if seed % 4 == 0 {
            MissingNode::Withhold
        } else {
            MissingNode::Admit
        };
        run(seed, missing_node, &seen);
    }
    if std::env::var_os("SELECTORD_TEST_SEED").is_none() {
        assert!(
            seen.missing().is_empty(),
            "never seen: {:?}",
            seen.missing()
        );
        assert!(
            seen.checkpoints.get() > 2_000,
            "only {} checkpoints",
            seen.checkpoints.get()
        );
    }
}

/// Calm and stormy weather, and subscribers who read seldom or often.
fn history(random: &mut Random, seed: u64, transactions: usize) -> Vec<Step> {
    let mut world = World::new(seed, Mix::ALL);
    let mut steps: Vec<Step> = (0..READERS)
        .map(|reader| Step::Rescope {
            reader,
            scope: generate::scope(random),
        })
        .collect();
    let diligence: Vec<usize> = (0..READERS)
        .map(|_| random.pick(&[3, 15, 60, 100]))
        .collect();
    for i in 0..transactions {
        if i % 25 == 0 {
            world.change_mix(random.weighted(&[(2, Mix::ALL), (3, Mix::SERVICES), (5, Mix::PODS)]));
        }
        steps.push(Step::Apply(world.transaction()));
        for (reader, diligence) in diligence.iter().enumerate() {
            if random.chance(2) {
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
            steps.push(Step::Rebuild {
                keep_uncommitted: random.chance(50),
            });
        }
        if random.chance(2) {
            steps.push(Step::Replica {
                behind: random.below(6),
            });
        }
    }
    // At last everybody reads on until they know everything.
    for reader in 0..READERS {
        steps.extend((0..60).map(|_| Step::Read {
            reader,
            records: 8,
            events: usize::MAX,
        }));
    }
    steps
}

struct Run<'a> {
    options: &'a EngineOptions,
    seen: &'a Seen,
    engine: Engine,
    oracle: Oracle,
    log: Vec<(Revision, ResolvedTransaction)>,
    readers: Vec<Reader>,
}

fn holds(steps: &[Step], options: &EngineOptions, seen: &Seen) -> Result<(), String> {
    let engine = Engine::new(*options);
    // Half of them can say what they hold.
    let readers = (0..READERS)
        .map(|i| Reader::new(Scope::all(), &engine).offering([0, 0, 0, 1, 3, 1_000][i]))
        .collect();
    let oracle = Oracle::new(options.missing_node);
    let mut run = Run {
        options,
        seen,
        engine,
        oracle,
        log: Vec::new(),
        readers,
    };
    for (i, step) in steps.iter().enumerate() {
        run.step(step)
            .map_err(|why| format!("at step {i}, revision {}: {why}", run.oracle.head()))?;
    }
    match run.engine.verify().first() {
        Some(first) => Err(format!("verify() at the end: {first}")),
        None => Ok(()),
    }
}

impl Run<'_> {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Apply(transaction) => return self.apply(transaction),
            Step::Read {
                reader,
                records,
                events,
            } => {
                let who = &mut self.readers[*reader];
                who.read(&self.engine, &self.oracle, *records, *events, self.seen)
                    .map_err(|why| format!("subscriber {reader}: {why}"))?;
            }
            Step::Rescope { reader, scope } => {
                self.readers[*reader].rescope(scope.clone(), &self.engine);
            }
            Step::Reconnect {
                reader,
                keep_uncommitted,
            } => {
                self.readers[*reader].reconnect(*keep_uncommitted, &self.engine);
            }
            Step::Rebuild { keep_uncommitted } => {
                let rebuilt = self.replay(self.log.len())?;
                if rebuilt.dump() != self.engine.dump() {
                    return Err("the same transactions came to another state".to_owned());
                }
                self.engine = rebuilt;
                for reader in &mut self.readers {
                    reader.reconnect(*keep_uncommitted, &self.engine);
                }
            }
            Step::Replica { behind } => return self.ask_replica(*behind),
        }
        Ok(())
    }

    fn apply(&mut self, transaction: &ResolvedTransaction) -> Result<(), String> {
        let revision = self.oracle.head() + 1;
        self.oracle.apply(revision, transaction);
        let applied = self
            .engine
            .apply(revision, transaction.clone())
            .map_err(|e| e.to_string())?;
        self.log.push((revision, transaction.clone()));
        // A changed service may be sent anew, with all its endpoints.
        let sent_anew = transaction
            .changes()
            .iter()
            .filter_map(|change| match change {
                Change::Put(Object::Service(service)) => self.oracle.endpoints(&service.name),
                _ => None,
            });
        let sent_anew: usize = sent_anew.map(|endpoints| endpoints.len()).sum();
        for reader in &mut self.readers {
            reader.written(applied.work.records_written + sent_anew as u64);
        }
        Ok(())
    }

    fn replay(&self, transactions: usize) -> Result<Engine, String> {
        let mut engine = Engine::new(*self.options);
        for (revision, transaction) in &self.log[..transactions] {
            engine
                .apply(*revision, transaction.clone())
                .map_err(|e| e.to_string())?;
        }
        Ok(engine)
    }

    /// Whoever is ahead of the replica hears nothing and is not set back; whoever is not holds at
    /// the replica's head what was right at that revision.
    fn ask_replica(&self, behind: usize) -> Result<(), String> {
        let replica = self.replay(self.log.len().saturating_sub(behind))?;
        for (i, reader) in self.readers.iter().enumerate() {
            let mut reader = reader.clone();
            reader.reconnect(false, &replica);
            let ahead = reader.is_ahead_of(&replica);
            let held = reader.view.clone();
            for _ in 0..1_000 {
                let done = reader
                    .read(&replica, &self.oracle, 8, usize::MAX, self.seen)
                    .map_err(|why| format!("subscriber {i} at a replica {behind} behind: {why}"))?;
                if done || ahead {
                    break;
                }
            }
            if ahead && reader.view != held {
                return Err(format!(
                    "subscriber {i} is ahead of the replica, and is told of the past"
                ));
            }
        }
        Ok(())
    }
}
