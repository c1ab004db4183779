//! Writes on their way to a shared store, in the order in which they came: which of them may go.
//!
//! Those that name one object go one after another, so that they are written in the order in which
//! they came, and do not collide with each other; so do those whose request ids have one place. One that selects goes alone, as nobody knows what it
//! will touch; and nobody behind it goes before it. All others go side by side.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use smallvec::{SmallVec, smallvec};
use smol_str::SmolStr;
use tokio::sync::OwnedSemaphorePermit;

use crate::engine::{ObjectResult, ResolveError};
use crate::model::{ObjectRef, Operation, PatchTarget, Revision, Transaction};
use crate::store::etcd::request_place;

use super::command::{Commit, CommitReply, Committed};
use super::sync::SyncId;
use super::writer::selects;

/// Most writes that are looked at; the others wait in their queue.
const MOST: usize = 256;
/// Most writes that the store works on.
const MOST_SUBMITTED: usize = 128;

/// One write.
pub(super) struct Entry {
    pub(super) transaction: Transaction,
    pub(super) request_id: SmolStr,
    pub(super) digest: u64,
    pub(super) sync: Option<SyncId>,
    pub(super) replies: SmallVec<[CommitReply; 1]>,
    /// What it names or has preconditions on; while it is submitted, also what its selectors found.
    pub(super) names: Vec<ObjectRef>,
    /// Where its request id is kept, if it has one.
    place: Option<u16>,
    selects: bool,
    /// How often something it touches was changed by another meanwhile.
    pub(super) collisions: u32,
    /// By when it is answered, whatever happens.
    pub(super) deadline: Instant,
    pub(super) stage: Stage,
    _room: OwnedSemaphorePermit,
}

/// How far a write is.
pub(super) enum Stage {
    /// It waits for its turn.
    Waiting,
    /// Another changed something it touches. It is resolved again once that is applied here.
    Collided(Collision),
    /// The store has it.
    Submitted(Resolved),
    /// It is durable as this revision, and to be applied here.
    Written(Revision, Resolved),
}

/// Something was not as expected.
#[derive(Clone, Copy)]
pub(super) struct Collision {
    /// Whoever has applied everything up to this revision knows what there is.
    pub(super) at: Revision,
    /// The place of its request id was written meanwhile: it may be done already.
    pub(super) place_taken: bool,
}

/// What a transaction came to when it was resolved.
pub(super) struct Resolved {
    /// The revision of the state that it saw.
    pub(super) at: Revision,
    /// Whether it changes anything.
    pub(super) changes: bool,
    /// What becomes of each object; or a refusal, which holds if nothing has changed meanwhile.
    pub(super) outcome: Result<Arc<[ObjectResult]>, ResolveError>,
}

impl Resolved {
    /// That of a transaction that was answered before.
    pub(super) fn of(answered: &Committed) -> Resolved {
        Resolved {
            at: answered.resolved_at,
            changes: true,
            outcome: Ok(Arc::clone(&answered.results)),
        }
    }
}

impl Entry {
    fn new(commit: Commit, deadline: Instant, stage: Stage) -> Entry {
        let place = Some(&commit.request_id).filter(|id| !id.is_empty());
        Entry {
            place: place.map(|id| request_place(id)),
            names: named(&commit.transaction),
            selects: selects(&commit.transaction),
            transaction: commit.transaction,
            request_id: commit.request_id,
            digest: commit.digest,
            sync: commit.sync,
            replies: smallvec![commit.reply],
            collisions: 0,
            deadline,
            stage,
            _room: commit.room,
        }
    }

    /// Notes what it came to, when it is resolved: its selectors may have found other objects than before.
    pub(super) fn found(&mut self, results: &[ObjectResult]) {
        if self.selects {
            self.names = named(&self.transaction);
            let found = results.iter().map(|result| result.object.clone());
            self.names.extend(found);
            self.names.sort_unstable();
            self.names.dedup();
        }
    }

    /// Whether the store has it, or this replica is yet to apply it.
    fn is_under_way(&self) -> bool {
        matches!(self.stage, Stage::Submitted(_) | Stage::Written(..))
    }
}

/// All writes that are on their way.
#[derive(Default)]
pub(super) struct Line {
    entries: BTreeMap<u64, Entry>,
    numbered: u64,
    by_request: HashMap<SmolStr, u64>,
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.entries.len() < MOST
    }

    /// Puts a write at the end.
    pub(super) fn push(&mut self, commit: Commit, deadline: Instant, stage: Stage) {
        self.numbered = self.numbered.saturating_add(1);
        if !commit.request_id.is_empty() {
            self.by_request
                .insert(commit.request_id.clone(), self.numbered);
        }
        self.entries
            .insert(self.numbered, Entry::new(commit, deadline, stage));
    }

    /// The write that has this request id, if one has.
    pub(super) fn repeated(&mut self, request_id: &SmolStr) -> Option<&mut Entry> {
        let number = self.by_request.get(request_id)?;
        self.entries.get_mut(number)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Entry> {
        self.entries.get_mut(&number)
    }

    /// Takes a write out, to be answered.
    pub(super) fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.entries.remove(&number)?;
        self.by_request.remove(&entry.request_id);
        Some(entry)
    }

    /// The numbers of those that a condition holds of.
    pub(super) fn numbers(&self, holds: impl Fn(&Entry) -> bool) -> Vec<u64> {
        let held = self.entries.iter().filter(|(_, entry)| holds(entry));
        held.map(|(number, _)| *number).collect()
    }

    /// Those whose turn it is, in order; `is_over` says of a collision whether what was in the way is
    /// applied here. Linear in the names of all.
    pub(super) fn ready(&self, is_over: impl Fn(Collision) -> bool) -> Vec<u64> {
        let mut under_way = self.entries.values().filter(|e| e.is_under_way()).count();
        let mut busy: HashSet<&ObjectRef> = HashSet::new();
        let mut places: HashSet<u16> = HashSet::new();
        let mut ready = Vec::new();
        for (number, entry) in &self.entries {
            let may = match &entry.stage {
                Stage::Waiting => true,
                Stage::Collided(collision) => is_over(*collision),
                Stage::Submitted(_) | Stage::Written(..) => false,
            };
            let free = if entry.selects {
                under_way == 0
            } else {
                entry.names.iter().all(|name| !busy.contains(name))
                    && entry.place.is_none_or(|place| !places.contains(&place))
            };
            if may && free && under_way < MOST_SUBMITTED {
                ready.push(*number);
                under_way = under_way.saturating_add(1);
            }
            if entry.selects && !entry.is_under_way() {
                break;
            }
            busy.extend(&entry.names);
            places.extend(entry.place);
        }
        ready
    }
}

/// What a transaction names or has preconditions on, each once.
fn named(transaction: &Transaction) -> Vec<ObjectRef> {
    let operations = transaction.operations.iter();
    let operations = operations.filter_map(|operation| match operation {
        Operation::Put(object) => Some(object.object_ref()),
        Operation::Delete(object) => Some(object.clone()),
        Operation::PatchLabels(patch) => match &patch.target {
            PatchTarget::Object(object) => Some(object.clone()),
            PatchTarget::Selector { .. } => None,
        },
    });
    let preconditions = transaction.preconditions.iter();
    let preconditions = preconditions.map(|precondition| precondition.object.clone());
    let mut names: Vec<ObjectRef> = operations.chain(preconditions).collect();
    names.sort_unstable();
    names.dedup();
    names
}
