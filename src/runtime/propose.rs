//! A write's way to a shared store and back: resolved, submitted, written, applied here, acknowledged.

use std::mem;
use std::slice;
use std::time::{Duration, Instant};

use smol_str::SmolStr;

use crate::engine::ResolveError;
use crate::model::{ObjectRef, ResolvedTransaction, Revision};
use crate::store::etcd::{Proposal, ProposedRequest, SubmitError, Submitted, request_place};

use super::command::Committed;
use super::error::CommitError;
use super::line::{Collision, Entry, Resolved, Stage};
use super::replica::Replica;
use super::state::State;
use super::sync::SyncId;
use super::writer::answer;

/// How often a transaction is resolved before it is given up, as others change what it touches.
const ATTEMPTS: u32 = 5;
/// Least time for what is written to come back.
const RETURN: Duration = Duration::from_secs(1);

impl Replica {
    /// What became of a write at the store.
    pub(super) fn hear(
        &mut self,
        state: &State,
        number: u64,
        outcome: Result<Submitted, SubmitError>,
    ) {
        let Some(entry) = self.line.get_mut(number) else {
            return;
        };
        let Stage::Submitted(resolved) = mem::replace(&mut entry.stage, Stage::Waiting) else {
            return;
        };
        match outcome {
            Ok(Submitted::Written(revision)) if resolved.changes => {
                if revision <= state.engine.head() {
                    return self.finish(number, resolved, revision);
                }
                let now = Instant::now();
                let soonest = now.checked_add(RETURN).unwrap_or(now);
                entry.deadline = entry.deadline.max(soonest);
                entry.stage = Stage::Written(revision, resolved);
            }
            // Another attempt may have been written right behind.
            Ok(Submitted::Written(_)) => {
                if !self.recall(number) {
                    let seen = resolved.at;
                    self.finish(number, resolved, seen);
                }
            }
            Ok(Submitted::Conflict { at, place_taken }) => {
                if !place_taken {
                    entry.collisions = entry.collisions.saturating_add(1);
                }
                if entry.collisions >= ATTEMPTS {
                    let attempts = entry.collisions;
                    return self.refuse(number, || CommitError::Collided { attempts });
                }
                entry.stage = Stage::Collided(Collision { at, place_taken });
            }
            Err(failed) => {
                if !self.recall(number) {
                    self.refuse(number, || CommitError::Shared(failed.clone()));
                }
            }
        }
    }

    /// Answers those that are applied by now.
    pub(super) fn acknowledge(&mut self, head: Revision) {
        let back = |entry: &Entry| matches!(entry.stage, Stage::Written(at, _) if at <= head);
        for number in self.line.numbers(back) {
            let entry = self.line.get_mut(number);
            let stage = entry.map(|e| mem::replace(&mut e.stage, Stage::Waiting));
            if let Some(Stage::Written(revision, resolved)) = stage {
                self.finish(number, resolved, revision);
            }
        }
    }

    /// Answers those whose time is over; whether there were any.
    pub(super) fn expire(&mut self) -> bool {
        let now = Instant::now();
        // What the store has is answered by the store, in time.
        let late =
            |entry: &Entry| entry.deadline <= now && !matches!(entry.stage, Stage::Submitted(_));
        let late = self.line.numbers(late);
        let any = !late.is_empty();
        for number in late {
            let entry = self.line.get_mut(number);
            match entry.map(|entry| mem::replace(&mut entry.stage, Stage::Waiting)) {
                Some(Stage::Written(revision, resolved)) => {
                    self.give_up(number, resolved, revision)
                }
                _ if self.recall(number) => {}
                Some(Stage::Collided(collision)) if collision.place_taken => {
                    self.refuse(number, || CommitError::Undecided);
                }
                _ => {
                    let patience = self.patience;
                    self.refuse(number, || CommitError::TooLate { patience });
                }
            }
        }
        any
    }

    /// Answers everything that is on its way when the history is another one: what the store was given may
    /// have been written before.
    pub(super) fn abandon(&mut self) {
        let (why, age) = (
            self.shared.source.ended().cloned(),
            self.shared.source.age(),
        );
        for number in self.line.numbers(|_| true) {
            let entry = self.line.get_mut(number);
            match entry.map(|entry| mem::replace(&mut entry.stage, Stage::Waiting)) {
                Some(Stage::Written(revision, resolved)) => {
                    self.give_up(number, resolved, revision)
                }
                Some(Stage::Submitted(resolved)) if resolved.changes => {
                    self.refuse(number, || CommitError::Undecided);
                }
                Some(Stage::Collided(collision)) if collision.place_taken => {
                    self.refuse(number, || CommitError::Undecided);
                }
                _ => self.refuse(number, || CommitError::Away {
                    age,
                    why: why.clone(),
                }),
            }
        }
    }

    /// Answers a write as its request id was answered or written before, here or elsewhere; false: it was
    /// not, as far as is known.
    fn recall(&mut self, number: u64) -> bool {
        let Some(entry) = self.line.get_mut(number) else {
            return true;
        };
        match self.recent.get(&entry.request_id, entry.digest) {
            Ok(None) => return false,
            Ok(Some(before)) => {
                let before = before.clone();
                self.finish(number, Resolved::of(&before), before.revision);
            }
            Err(_) => {
                let request_id = entry.request_id.clone();
                self.refuse(number, || CommitError::RequestIdReused {
                    request_id: request_id.clone(),
                });
            }
        }
        true
    }

    /// Answers a write that is written and does not come back. Whoever asks again under its request id is
    /// told what became of it, and does not write it again.
    fn give_up(&mut self, number: u64, resolved: Resolved, revision: Revision) {
        if let (Some(entry), Ok(results)) = (self.line.get_mut(number), resolved.outcome) {
            let committed = Committed {
                revision,
                resolved_at: resolved.at,
                results,
            };
            let request_id = entry.request_id.clone();
            self.recent.insert(request_id, entry.digest, committed);
        }
        self.refuse(number, || CommitError::NotBack { revision });
    }

    /// Resolves and submits those whose turn it is.
    pub(super) fn start_ready(&mut self, state: &State) -> bool {
        let mut started = false;
        loop {
            let current = self.shared.source.current();
            let ready = self.line.ready(|collision| current >= collision.at);
            if ready.is_empty() {
                return started;
            }
            started = true;
            for number in ready {
                self.start(state, number);
            }
        }
    }

    fn start(&mut self, state: &State, number: u64) {
        if self.recall(number) {
            return;
        }
        let source = &self.shared.source;
        if source.ended().is_some() || source.age() >= self.patience {
            let (why, age) = (source.ended().cloned(), source.age());
            return self.refuse(number, || CommitError::Away {
                age,
                why: why.clone(),
            });
        }
        let Some(entry) = self.line.get_mut(number) else {
            return;
        };
        let aborted = |sync: &SyncId| state.syncs.check(sync).err();
        if let Some(aborted) = entry.sync.as_ref().and_then(aborted) {
            let source_name = match aborted {
                CommitError::SyncAborted { source_name } => source_name,
                _ => SmolStr::default(),
            };
            return self.refuse(number, || CommitError::SyncAborted {
                source_name: source_name.clone(),
            });
        }
        let engine = &state.engine;
        let resolution = engine.resolve(entry.transaction.clone(), self.limits);
        let expect = |objects: &[ObjectRef]| -> Vec<_> {
            let objects = objects.iter();
            let expected = objects.map(|object| (object.clone(), engine.revision_of(object)));
            expected.collect()
        };
        let (transaction, expected, outcome) = match resolution {
            Ok(resolution) => {
                entry.found(&resolution.results);
                let outcome = Ok(resolution.results.into());
                (resolution.transaction, expect(&entry.names), outcome)
            }
            // Whether it is so is for the store to say: here it may be known late.
            Err(refused) => match seen(&refused) {
                Some(object) => {
                    let expected = expect(slice::from_ref(object));
                    (ResolvedTransaction::default(), expected, Err(refused))
                }
                None => return self.refuse(number, || refused.clone().into()),
            },
        };
        let resolved = Resolved {
            at: engine.head(),
            changes: !transaction.is_empty(),
            outcome,
        };
        entry.stage = Stage::Submitted(resolved);
        let request = (!entry.request_id.is_empty()).then(|| ProposedRequest {
            request_id: entry.request_id.clone(),
            digest: entry.digest,
            resolved_at: engine.head(),
            expected: self.places.get(&request_place(&entry.request_id)).copied(),
        });
        let proposal = Proposal::new(expected, transaction, |object| {
            let before = engine.get(object);
            before.map(|before| before.source).unwrap_or_default()
        });
        let proposal = Proposal {
            request,
            ..proposal
        };
        let (store, outcome) = (self.shared.store.clone(), self.outcome.clone());
        self.tasks.spawn(async move {
            // Whoever waits for it may have ended.
            let _ = outcome.send((number, store.submit(&proposal).await));
        });
    }

    /// Answers a write that is applied, or a refusal that holds.
    fn finish(&mut self, number: u64, resolved: Resolved, revision: Revision) {
        let Some(entry) = self.line.remove(number) else {
            return;
        };
        match resolved.outcome {
            Ok(results) => {
                let committed = Committed {
                    revision,
                    resolved_at: resolved.at,
                    results,
                };
                self.recent
                    .insert(entry.request_id, entry.digest, committed.clone());
                for reply in entry.replies {
                    answer(reply, Ok(committed.clone()));
                }
            }
            Err(refused) => {
                for reply in entry.replies {
                    answer(reply, Err(refused.clone().into()));
                }
            }
        }
    }

    fn refuse(&mut self, number: u64, why: impl Fn() -> CommitError) {
        if let Some(entry) = self.line.remove(number) {
            for reply in entry.replies {
                answer(reply, Err(why()));
            }
        }
    }
}

/// The object whose state a refusal rests on; none: it rests on the transaction alone.
fn seen(refused: &ResolveError) -> Option<&ObjectRef> {
    match refused {
        ResolveError::PreconditionFailed { object, .. }
        | ResolveError::NotFound { object, .. }
        | ResolveError::LabelConflict { object, .. }
        | ResolveError::TooManyLabels { object, .. } => Some(object),
        _ => None,
    }
}
