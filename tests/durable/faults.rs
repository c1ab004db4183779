//! Writes torn, short and failing at random points under the store, failed syncs, and power that goes: what
//! was acknowledged is there, nothing is there in half, and subscribers go on.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use selectord::engine::{Engine, EngineOptions, Retention};
use selectord::model::{ResolvedTransaction, Revision};
use selectord::store::{
    AnsweredRequest, EmbeddedOptions, EmbeddedStore, OpenError, Request, Store as _, StoreError,
};

use crate::damage::copy;
use crate::faulty_disk::FaultyDisk;
use crate::histories::{Subscriber, must_be};
use crate::support::generate::{Mix, World};
use crate::support::random::{Random, seeds};

/// How often the power fails in one history.
const BOOTS: usize = 8;
/// How often the process is started between.
const LIVES: usize = 3;
/// Requests of which each life asks whether they are remembered.
const ASKED: usize = 50;

/// A group that was handed to a store which then failed: it is there or not, whole.
struct Doubt {
    group: Vec<ResolvedTransaction>,
    requests: Vec<AnsweredRequest>,
}

struct History {
    /// What another thread does is waited for, so that the seed tells everything.
    is_calm: bool,
    random: Random,
    world: World,
    rules: EngineOptions,
    never_lost: Engine,
    subscribers: Vec<Subscriber>,
    requests: Vec<AnsweredRequest>,
    asked: u64,
    doubt: Option<Doubt>,
}

impl History {
    fn new(seed: u64) -> History {
        let mut random = Random::new(seed);
        let rules = EngineOptions {
            retention: Retention {
                removals: random.below(4),
                deleted_names: random.below(4),
                share: random.pick(&[0, 3]),
            },
            ..EngineOptions::default()
        };
        let mix = random.pick(&[Mix::ALL, Mix::SERVICES, Mix::PODS]);
        History {
            is_calm: !seed.is_multiple_of(4),
            world: World::new(seed, mix),
            rules,
            never_lost: Engine::new(rules),
            subscribers: (0..4).map(|_| Subscriber::new(&mut random)).collect(),
            requests: Vec::new(),
            asked: 0,
            doubt: None,
            random,
        }
    }

    fn options(&mut self) -> EmbeddedOptions {
        EmbeddedOptions {
            journal_bytes: self.random.pick(&[0, 0, 300, 5_000, 1 << 20]),
            reserve_bytes: 0,
        }
    }

    /// Opens a directory, again and again while its disk fails: nothing is ever taken for damaged. None
    /// once the power is gone.
    fn open(&mut self, disk: &FaultyDisk, directory: &Path) -> Option<(EmbeddedStore, Engine)> {
        loop {
            let (disk, options) = (Arc::new(disk.clone()), self.options());
            match EmbeddedStore::open_on(disk.clone(), directory, self.rules, options, &mut |_| ())
            {
                Ok(opened) => return Some(opened),
                Err(error) => {
                    let failed = matches!(error, OpenError::Io { .. });
                    assert!(failed, "{}: {error}", directory.display());
                    if disk.is_off() {
                        return None;
                    }
                }
            }
        }
    }

    fn acknowledge(&mut self, doubt: Doubt) {
        let mut revision = self.never_lost.head();
        for transaction in doubt.group {
            revision += 1;
            self.never_lost.apply(revision, transaction).unwrap();
        }
        self.requests.extend(doubt.requests);
    }

    /// What was read back is what was acknowledged.
    fn must_be_whole(&mut self, store: &EmbeddedStore, engine: &Engine) {
        let acknowledged = self.never_lost.head();
        let answered = store.answered_requests();
        if let Some(doubt) = self.doubt.take() {
            let last = acknowledged + doubt.group.len() as Revision;
            let known = doubt.requests.last().map(|last| answered.contains(last));
            let is_there = known.unwrap_or(engine.head() > acknowledged);
            if is_there {
                assert_eq!(engine.head(), last, "half a group");
                self.acknowledge(doubt);
            }
        }
        assert_eq!(engine.head(), self.never_lost.head());
        assert!(answered.ends_with(&self.requests[self.requests.len().saturating_sub(ASKED)..]));
        assert_eq!(answered.len(), self.requests.len());
        must_be(&engine.dump(), &self.never_lost.dump());
        assert_eq!(engine.verify(), vec![]);
        for subscriber in &self.subscribers {
            subscriber.must_be_told_alike(&self.never_lost, engine);
        }
    }

    fn group(&mut self) -> Doubt {
        // Some requests change nothing, and are remembered all the same.
        let count = self.random.below(4);
        let group: Vec<_> = (0..count).map(|_| self.world.transaction()).collect();
        let requests = (0..self.random.below(3)).map(|_| {
            self.asked += 1;
            let appended = self.random.between(0, count);
            let before = self.random.between(0, appended);
            AnsweredRequest {
                request_id: format!("request-{}", self.asked).into(),
                digest: self.random.number(),
                resolved_at: self.never_lost.head() + before as Revision,
                revision: self.never_lost.head() + appended as Revision,
            }
        });
        Doubt {
            requests: requests.collect(),
            group,
        }
    }

    /// Writes until the store has failed, or for a while.
    fn write(&mut self, disk: &FaultyDisk, store: &mut EmbeddedStore, engine: &mut Engine) {
        for _ in 0..self.random.between(1, 40) {
            let doubt = self.group();
            let head = self.never_lost.head();
            let requests: Vec<Request> = (doubt.requests.iter())
                .map(|request| Request {
                    request_id: request.request_id.clone(),
                    digest: request.digest,
                    before: (request.resolved_at - head) as usize,
                    appended: (request.revision - head) as usize,
                })
                .collect();
            let revisions = match store.append_for(&requests, &doubt.group) {
                Ok(revisions) => revisions,
                Err(StoreError::InDoubt(_)) => {
                    assert!(store.append(&[]).is_err() && store.sync().is_err());
                    self.doubt = Some(doubt);
                    return;
                }
                // Nothing of it is left, and others are taken.
                Err(_) => match store.append(&[]).and_then(|_| store.sync()) {
                    Ok(()) => continue,
                    Err(_) => return,
                },
            };
            if store.sync().is_err() {
                let syncs = disk.syncs();
                assert!(store.sync().is_err() && store.append(&[]).is_err());
                assert_eq!(disk.syncs(), syncs, "a failed sync is not tried again");
                self.doubt = Some(doubt);
                return;
            }
            for (revision, transaction) in revisions.into_iter().zip(&doubt.group) {
                engine.apply(revision, transaction.clone()).unwrap();
            }
            self.acknowledge(doubt);
            store.applied(engine);
            if self.is_calm {
                store.wait_until_kept();
            }
            for subscriber in &mut self.subscribers {
                if self.random.chance(20) {
                    subscriber.follow(engine);
                }
            }
        }
    }
}

/// What a flush or a merge leaves that was not finished: files that nothing names.
fn leave_unfinished(state: &Path, random: &mut Random) {
    let tables = state.join("tables");
    let table = fs::read_dir(&tables).unwrap().flatten().next();
    let bytes = table.map_or(vec![7; 3_000], |table| fs::read(table.path()).unwrap());
    let cut = random.between(0, bytes.len());
    fs::write(tables.join("999999"), &bytes[..cut]).unwrap();
    fs::write(state.join("v999999"), &bytes[..cut / 2]).unwrap();
    fs::write(state.join(".tmp0x1"), &bytes[..cut / 3]).unwrap();
}

/// The directory as it is found when the power is back.
fn after_power_failure(disk: &FaultyDisk, directory: &Path, random: &mut Random) -> PathBuf {
    let name = directory.file_name().unwrap().to_str().unwrap();
    let next = directory.with_file_name(format!("{}", name.parse::<u64>().unwrap() + 1));
    fs::create_dir(&next).unwrap();
    disk.survives_in(&next);
    // There from the first moment on, and synced by the tree itself.
    if directory.join("LOCK").exists() {
        fs::write(next.join("LOCK"), "").unwrap();
    }
    let state = directory.join("state");
    if state.join("current").exists() {
        copy(&state, &next.join("state"));
        leave_unfinished(&next.join("state"), random);
    }
    fs::remove_dir_all(directory).unwrap();
    next
}

fn run(seed: u64) {
    println!("seed {seed} (SELECTORD_TEST_SEED={seed})");
    let mut history = History::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut directory = folder.path().join("0");
    fs::create_dir(&directory).unwrap();
    for boot in 0..BOOTS {
        let disk = FaultyDisk::new(&directory, seed * 1_000 + boot as u64);
        let faults = history.random.pick(&[0, 0, 1, 3]);
        let calls = history.random.between(1, 150);
        disk.fail(faults, Some(calls).filter(|_| boot + 1 < BOOTS));
        for _ in 0..LIVES {
            let Some((mut store, mut engine)) = history.open(&disk, &directory) else {
                break;
            };
            history.must_be_whole(&store, &engine);
            history.write(&disk, &mut store, &mut engine);
        }
        if boot + 1 < BOOTS {
            directory = after_power_failure(&disk, &directory, &mut history.random);
        }
    }
    println!("  {} revisions", history.never_lost.head());
}

#[test]
fn whatever_the_disk_does_what_was_acknowledged_is_there_whole() {
    for seed in seeds(90_000, 25) {
        run(seed);
    }
}
