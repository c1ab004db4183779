//! The writer's order: resolve, append, sync, apply, move the head, acknowledge.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::sync::Arc;

use smallvec::{SmallVec, smallvec};
use smol_str::SmolStr;
use tokio::sync::OwnedSemaphorePermit;
use tracing::error;

use crate::engine::{ObjectResult, ResolveError, ResolveLimits, Resolver, Work};
use crate::model::{
    Change, LabelPatch, ObjectRef, Operation, PatchTarget, ResolvedTransaction, Revision,
    Transaction,
};
use crate::store::{Request, Store, StoreError, StoreFault};

use super::command::{Commit, CommitReply, Committed, Write};
use super::error::CommitError;
use super::recent::Recent;
use super::state::State;
use super::sync::{SyncEnd, SyncId, SyncScope};
use super::write_queue::WriteQueue;

/// Objects that the transactions of a group come to together: a query waits for the rest of a group.
/// One transaction of any size is a group by itself. Larger groups write hardly faster
/// (`benches/beside.rs`).
pub(super) const GROUP: usize = 64;

/// Writes to a store that nobody else writes to.
pub(super) struct Writer {
    store: Box<dyn Store>,
    recent: Recent,
    limits: ResolveLimits,
    /// Set once it is not known what the store holds.
    read_only: bool,
    /// Where that is said.
    fault: StoreFault,
}

/// A transaction of the group that is being written, and who waits for it.
struct Pending {
    request_id: SmolStr,
    digest: u64,
    replies: SmallVec<[CommitReply; 1]>,
    /// Given up once it is answered.
    _room: OwnedSemaphorePermit,
    outcome: Result<Resolved, ResolveError>,
}

impl Pending {
    /// What may be asked again, also of a server that has restarted.
    fn request(&self) -> Option<Request> {
        let resolved = self.outcome.as_ref().ok()?;
        (!self.request_id.is_empty()).then(|| Request {
            request_id: self.request_id.clone(),
            digest: self.digest,
            before: resolved.before,
            appended: resolved.appended,
        })
    }
}

/// What a transaction comes to.
struct Resolved {
    results: Arc<[ObjectResult]>,
    /// How many of the group are appended before it: what it saw.
    before: usize,
    /// How many of the group are appended up to it, itself included unless it changes nothing.
    appended: usize,
}

impl Writer {
    pub(super) fn new(store: Box<dyn Store>, fault: StoreFault, limits: ResolveLimits) -> Self {
        Writer {
            recent: Recent::new(store.answered_requests()),
            store,
            limits,
            read_only: false,
            fault,
        }
    }

    /// Writes a group, which `first` begins: those that resolve are made durable together, then applied
    /// in order. Whoever asks something meanwhile waits for all of it.
    pub(super) fn commit(&mut self, state: &mut State, first: Commit, queue: &mut WriteQueue) {
        if self.read_only {
            answer(first.reply, Err(CommitError::ReadOnly));
            return;
        }
        let before = state.engine.head();
        let (pending, appended) = self.resolve(state, first, queue);
        let requests: Vec<Request> = pending.iter().filter_map(Pending::request).collect();
        match self.write(state, &requests, appended) {
            Ok(revisions) => {
                self.acknowledge(pending, before, &revisions);
                self.store.applied(&mut state.engine);
            }
            Err(refusal) => {
                let replies = pending.into_iter().flat_map(|pending| pending.replies);
                replies.for_each(|reply| answer(reply, Err(refusal.error())));
            }
        }
    }

    /// Resolves transactions, each against the engine and those before it, until they come to a group.
    /// One that is too much for what is left of a group begins the next.
    fn resolve(
        &self,
        state: &State,
        first: Commit,
        queue: &mut WriteQueue,
    ) -> (Vec<Pending>, Vec<ResolvedTransaction>) {
        let mut resolver = Resolver::new(&state.engine, self.limits);
        let mut pending: Vec<Pending> = Vec::new();
        let mut by_request: HashMap<SmolStr, usize> = HashMap::new();
        let mut size = 0;
        let mut next = Some(first);
        while let Some(commit) = next {
            let asked = asked(&commit.transaction);
            if size > 0 && asked > GROUP.saturating_sub(size) {
                queue.put_back(Write::Commit(commit));
                break;
            }
            let cost = match self.known(state, commit, &mut pending, &by_request) {
                None => 1,
                Some(mut commit) => {
                    let selects = selects(&commit.transaction);
                    // What a selector comes to shows when it is resolved.
                    let again = (selects && size > 0).then(|| commit.transaction.clone());
                    let before = resolver.transactions().len();
                    let outcome = resolver.resolve(mem::take(&mut commit.transaction));
                    let cost = match &outcome {
                        Ok(results) => asked.max(results.len()),
                        // It may have been found out late.
                        Err(_) if selects => asked.max(GROUP),
                        Err(_) => asked,
                    };
                    if let Some(transaction) = again
                        && cost > GROUP.saturating_sub(size)
                    {
                        queue.put_back(Write::Commit(Commit {
                            transaction,
                            ..commit
                        }));
                        let mut group = resolver.into_transactions();
                        group.truncate(before);
                        return (pending, group);
                    }
                    let outcome = outcome.map(|results| Resolved {
                        results: results.into(),
                        before,
                        appended: resolver.transactions().len(),
                    });
                    if outcome.is_ok() && !commit.request_id.is_empty() {
                        by_request.insert(commit.request_id.clone(), pending.len());
                    }
                    pending.push(Pending {
                        request_id: commit.request_id,
                        digest: commit.digest,
                        replies: smallvec![commit.reply],
                        _room: commit.room,
                        outcome,
                    });
                    cost
                }
            };
            size = size.saturating_add(cost);
            next = if size < GROUP {
                queue.next_commit()
            } else {
                None
            };
        }
        (pending, resolver.into_transactions())
    }

    /// Answers a transaction that needs not be resolved, or lets it wait for the one it repeats; any
    /// other is given back.
    fn known(
        &self,
        state: &State,
        commit: Commit,
        pending: &mut [Pending],
        by_request: &HashMap<SmolStr, usize>,
    ) -> Option<Commit> {
        if let Some(Err(aborted)) = commit.sync.as_ref().map(|sync| state.syncs.check(sync)) {
            answer(commit.reply, Err(aborted));
            return None;
        }
        match self.recent.get(&commit.request_id, commit.digest) {
            Ok(None) => {}
            Ok(Some(before)) => {
                answer(commit.reply, Ok(before.clone()));
                return None;
            }
            Err(reused) => {
                answer(commit.reply, Err(reused));
                return None;
            }
        }
        let Some(same) = by_request
            .get(&commit.request_id)
            .and_then(|same| pending.get_mut(*same))
        else {
            return Some(commit);
        };
        if same.digest == commit.digest {
            same.replies.push(commit.reply);
        } else {
            let request_id = commit.request_id;
            answer(
                commit.reply,
                Err(CommitError::RequestIdReused { request_id }),
            );
        }
        None
    }

    /// Makes transactions durable, with the requests that they answer, applies them and moves the head.
    fn write(
        &mut self,
        state: &mut State,
        requests: &[Request],
        group: Vec<ResolvedTransaction>,
    ) -> Result<Vec<Revision>, Refusal> {
        if group.is_empty() && requests.is_empty() {
            return Ok(Vec::new());
        }
        let revisions = match self.store.append_for(requests, &group) {
            Ok(revisions) => revisions,
            Err(doubt @ StoreError::InDoubt(_)) => {
                error!(
                    error = &doubt as &dyn std::error::Error,
                    "the store could not be written: writes are refused from now on"
                );
                return Err(self.fail());
            }
            Err(refused) => return Err(Refusal::Store(Arc::new(refused))),
        };
        if let Err(failed) = self.store.sync() {
            error!(
                error = &failed as &dyn std::error::Error,
                "the store could not be synced: writes are refused from now on"
            );
            return Err(self.fail());
        }
        if group.is_empty() {
            return Ok(revisions);
        }
        let (mut transactions, mut work) = (0u64, Work::default());
        for (revision, transaction) in revisions.iter().zip(group) {
            state.changes(transaction.changes().iter().map(Change::object_ref));
            match state.engine.apply(*revision, transaction) {
                Ok(applied) => {
                    transactions = transactions.saturating_add(1);
                    work += applied.work;
                }
                Err(failed) => {
                    error!(%failed, revision, "a durable transaction could not be applied: writes are refused from now on");
                    return Err(self.fail());
                }
            }
        }
        state.publish(transactions, work);
        Ok(revisions)
    }

    fn fail(&mut self) -> Refusal {
        self.read_only = true;
        self.fault
            .set("a sync failed, or a write is in doubt: writes are refused until a restart");
        Refusal::Unknown
    }

    /// Answers each with its revision; what changes nothing, with that of the state it saw, so that
    /// whoever writes one after another is answered in revisions that never fall.
    fn acknowledge(&mut self, pending: Vec<Pending>, before: Revision, revisions: &[Revision]) {
        for Pending {
            request_id,
            digest,
            replies,
            outcome,
            _room,
        } in pending
        {
            match outcome {
                Ok(resolved) => {
                    let after = |appended: usize| {
                        let last = appended.checked_sub(1);
                        let revision = last.and_then(|last| revisions.get(last));
                        revision.copied().unwrap_or(before)
                    };
                    let committed = Committed {
                        revision: after(resolved.appended),
                        resolved_at: after(resolved.before),
                        results: resolved.results,
                    };
                    self.recent.insert(request_id, digest, committed.clone());
                    replies
                        .into_iter()
                        .for_each(|reply| answer(reply, Ok(committed.clone())));
                }
                Err(refused) => replies
                    .into_iter()
                    .for_each(|reply| answer(reply, Err(refused.clone().into()))),
            }
        }
    }

    /// Deletes what a sync did not mention, in one transaction of any size.
    pub(super) fn end_sync(
        &mut self,
        state: &mut State,
        sync: &SyncId,
        scope: &SyncScope,
        mentioned: &HashSet<ObjectRef>,
    ) -> Result<SyncEnd, CommitError> {
        state.syncs.check(sync)?;
        if self.read_only {
            return Err(CommitError::ReadOnly);
        }
        let source = sync.source();
        let gone = state.engine.unmentioned(
            source,
            &scope.kinds,
            &scope.namespaces,
            scope.began,
            &|object| mentioned.contains(object),
        );
        let deleted = gone.len() as u64;
        let transaction = Transaction {
            operations: gone.into_iter().map(Operation::Delete).collect(),
            source: source.clone(),
            ..Transaction::default()
        };
        let limits = ResolveLimits {
            max_operations: usize::MAX,
            ..self.limits
        };
        let resolution = state.engine.resolve(transaction, limits)?;
        let group = Some(resolution.transaction).filter(|transaction| !transaction.is_empty());
        let revisions = self
            .write(state, &[], group.into_iter().collect())
            .map_err(|refusal| refusal.error())?;
        state.syncs.end(sync);
        self.store.applied(&mut state.engine);
        Ok(SyncEnd {
            revision: revisions.last().copied().unwrap_or(state.engine.head()),
            deleted,
        })
    }
}

/// What a transaction costs at least.
fn asked(transaction: &Transaction) -> usize {
    let asked = (transaction.operations.len()).saturating_add(transaction.preconditions.len());
    asked.max(1)
}

/// Whether what it comes to is not known before it is resolved.
pub(super) fn selects(transaction: &Transaction) -> bool {
    transaction.operations.iter().any(|operation| {
        matches!(
            operation,
            Operation::PatchLabels(LabelPatch {
                target: PatchTarget::Selector { .. },
                ..
            })
        )
    })
}

/// Why a whole group was not written.
enum Refusal {
    Store(Arc<StoreError>),
    /// The store holds it or does not.
    Unknown,
}

impl Refusal {
    fn error(&self) -> CommitError {
        match self {
            Refusal::Store(refused) => CommitError::Store(Arc::clone(refused)),
            Refusal::Unknown => CommitError::Unknown,
        }
    }
}

/// Answers a caller, who may have gone away meanwhile.
pub(super) fn answer(reply: CommitReply, result: Result<Committed, CommitError>) {
    mem::drop(reply.send(result));
}
