//! Writing a transaction, once.

use std::collections::BTreeSet;

use bytes::Bytes;
use prost::Message as _;

use crate::model::Revision;

use super::calls::Patience;
use super::etcd_store::{EtcdStore, Shared};
use super::keys::{encode_history, random_id, revision};
use super::proto::{KeyValue, TxnRequest};
use super::request::{Answer, delete, get, get_at, has_value, look, put, read, written_by};
use super::seen::Head;
use super::value::encode;
use super::{EtcdError, Proposal, Proposed, SubmitError, Submitted, requests};

/// What stands in a request around a transaction: who asks, and under which number.
const AROUND: usize = 1_024;
/// Most revisions that are looked through for one of ours.
const LOOKED_THROUGH: Revision = 16_384;
/// So often it is looked for, as others write between a look and the next attempt.
const LOOKS: usize = 64;

/// A transaction as it is sent.
struct Writing {
    request: TxnRequest,
    /// Tells it from all others, as the head's value.
    id: Bytes,
    /// The keys of the objects that it depends on, with the revisions that they should be of.
    expected: Vec<(Bytes, Revision)>,
    /// The place of its request id, if it has one: it is among those expected, and written if anything is.
    place: Option<Bytes>,
    /// Those that it changes.
    changed: BTreeSet<Bytes>,
    /// Whether nothing that it changes was there, and no place of a request id is written, which stays. Done
    /// once, and deleted by somebody, it could be done again: all would be as expected.
    only_creates: bool,
}

/// What it means that the comparisons did not hold.
enum Judged {
    Done(Submitted),
    /// Everything is as expected, and no attempt was done up to this revision, which is the newest
    /// transaction's.
    NotYet(Revision),
}

impl Writing {
    /// The head that it leaves.
    fn head_at(&self, revision: Revision) -> Head {
        Head {
            revision,
            id: self.id.clone(),
        }
    }

    /// From here on it is done only while this is the newest transaction's revision; false if there is no
    /// room to say so.
    fn only_behind(&mut self, head: Bytes, newest: Revision, limit: usize) -> bool {
        let compare = &mut self.request.compare;
        compare.truncate(self.expected.len().saturating_add(1));
        compare.push(written_by(head, newest));
        compare.len() <= limit
    }
}

impl EtcdStore {
    /// Writes a transaction if every object that it depends on is of the revision expected, and the
    /// history still is ours. It is durable when this answers; a replica has it when it has followed so
    /// far.
    ///
    /// Where a member does not answer, another is asked, and still it is done at most once: if an earlier
    /// attempt was done after all, it has changed what is compared, and left its id to be found. What only
    /// creates is sent again on condition that nothing of ours was written since it was looked for; but if
    /// it has no request id, and its first attempt arrives when a later one was done and somebody has
    /// deleted everything that it created, that is created once more.
    ///
    /// # Errors
    /// [`SubmitError`], which says whether it may have been written.
    pub async fn submit(&self, proposal: &Proposal) -> Result<Submitted, SubmitError> {
        let mut writing = self.writing(proposal)?;
        let Shared { calls, keys, .. } = &*self.shared;
        let limit = calls.options.max_txn_ops;
        // None was sent before this was seen.
        let seen = self.seen();
        let (mut not_until, mut newest) = (seen.revision, seen.head.revision);
        let (mut maybe_done, mut looks) = (false, 0);
        let mut patience = calls.patience();
        let failed = |error, maybe_done| match maybe_done {
            true => SubmitError::Unknown(error),
            false => SubmitError::NotWritten(error),
        };
        loop {
            match calls.attempt(&writing.request, patience.left()).await {
                Ok(answer) if answer.succeeded => {
                    seen.check(&answer).map_err(SubmitError::Unknown)?;
                    if !writing.changed.is_empty() {
                        self.note(&answer, writing.head_at(answer.revision));
                    }
                    return Ok(Submitted::Written(answer.revision));
                }
                Ok(answer) => {
                    let since = maybe_done.then_some(not_until);
                    let judged = self.judge(answer, &writing, since, &mut patience).await;
                    match judged.map_err(|error| failed(error, maybe_done))? {
                        Judged::Done(submitted) => return Ok(submitted),
                        Judged::NotYet(at) => newest = at,
                    }
                    not_until = not_until.max(newest);
                    looks += 1;
                    if looks >= LOOKS {
                        let cause = "others write all the time, and it may be done late";
                        return Err(SubmitError::Unknown(calls.members.unavailable(cause)));
                    }
                }
                // A member applies it, and then refuses it if that took more room than there is.
                Err(failure) if matches!(failure.error, EtcdError::Full { .. }) => {
                    let found = self.look_for(&writing, not_until, &mut patience).await;
                    return match found.map_err(SubmitError::Unknown)? {
                        Some(done) => Ok(Submitted::Written(done)),
                        None => Err(failed(failure.error, maybe_done)),
                    };
                }
                Err(failure) => {
                    maybe_done |= failure.maybe_done;
                    if !patience.tries_again(&failure).await {
                        return Err(failed(failure.error, maybe_done));
                    }
                }
            }
            let is_sure = !maybe_done || !writing.only_creates;
            if !is_sure && !writing.only_behind(keys.head(), newest, limit) {
                let cause = "its answer was lost, and it has too many operations to be sent again";
                return Err(SubmitError::Unknown(calls.members.unavailable(cause)));
            }
        }
    }

    fn writing(&self, proposal: &Proposal) -> Result<Writing, SubmitError> {
        let Shared {
            calls,
            keys,
            history,
            ..
        } = &*self.shared;
        // Beside the objects, the history is compared and the head is put.
        let limit = calls.options.max_txn_ops.saturating_sub(1);
        let request = proposal.request.as_ref();
        let wanted = proposal.expected.len().max(proposal.changes.len());
        let wanted = wanted.saturating_add(usize::from(request.is_some()));
        if wanted > limit {
            return Err(SubmitError::TooManyOperations { limit, wanted });
        }
        let id = random_id().map_err(SubmitError::NotWritten)?;
        let mut expected: Vec<_> = proposal
            .expected
            .iter()
            .map(|(object, at)| (keys.object(object), at.unwrap_or(0)))
            .collect();
        let mut success = Vec::with_capacity(wanted.saturating_add(1));
        let mut changed = BTreeSet::new();
        for change in &proposal.changes {
            let key = keys.object(&change.object_ref());
            success.push(match change {
                Proposed::Put { object, source } => put(key.clone(), encode(object, source)),
                Proposed::Delete(_) => delete(key.clone()),
            });
            changed.insert(key);
        }
        let mut place = None;
        if let Some(request) = request {
            let key = keys.request(requests::request_place(&request.request_id));
            expected.push((key.clone(), request.expected.unwrap_or(0)));
            if !proposal.changes.is_empty() {
                success.push(put(key.clone(), requests::encode(request)));
                changed.insert(key.clone());
            }
            place = Some(key);
        }
        // What changes nothing is only asked whether everything is as expected.
        if !success.is_empty() {
            success.push(put(keys.head(), id.clone()));
        }
        let as_expected = expected
            .iter()
            .map(|(key, at)| written_by(key.clone(), *at));
        let same_history = has_value(keys.history(), encode_history(*history));
        let request = TxnRequest {
            compare: as_expected.chain([same_history]).collect(),
            success,
            failure: vec![get(keys.history())],
        };
        let limit = calls.options.max_request_bytes;
        let bytes = request.encoded_len().saturating_add(AROUND);
        if bytes > limit {
            return Err(SubmitError::TooLarge { limit, bytes });
        }
        let mut known = expected.iter().filter(|(_, at)| *at > 0);
        let only_creates =
            place.is_none() && !known.any(|(key, _)| changed.contains(key)) && !changed.is_empty();
        Ok(Writing {
            request,
            id,
            expected,
            place,
            changed,
            only_creates,
        })
    }

    /// What it means that the comparisons did not hold: a conflict, unless an earlier attempt was done; it
    /// cannot have been up to the revision `since`, and none: there was none.
    async fn judge(
        &self,
        mut answer: Answer,
        writing: &Writing,
        since: Option<Revision>,
        patience: &mut Patience,
    ) -> Result<Judged, EtcdError> {
        let Shared { calls, keys, .. } = &*self.shared;
        self.check_history_key(answer.key())?;
        let objects = writing.expected.iter().map(|(key, _)| look(key.clone()));
        let look = [get(keys.head())].into_iter().chain(objects).collect();
        let mut now = calls.txn_within(&read(look), patience).await?;
        let head = Head::of(now.key());
        let written = |key: Option<KeyValue>| key.map_or(0, |key| revision(key.mod_revision));
        let (mut at, mut differs, mut place_taken) = (head.revision, false, false);
        for (key, expected) in &writing.expected {
            let there = written(now.key());
            if there == *expected {
                continue;
            }
            differs = true;
            place_taken |= writing.place.as_ref() == Some(key);
            // Nobody knows which revision deleted a key, if somebody else did.
            at = at.max(if there == 0 { now.revision } else { there });
        }
        let conflict = Judged::Done(Submitted::Conflict { at, place_taken });
        let Some(since) = since.filter(|_| !writing.changed.is_empty()) else {
            return Ok(conflict);
        };
        if let Some(done) = self.find(&writing.id, since, &head, patience).await? {
            return Ok(Judged::Done(Submitted::Written(done)));
        }
        Ok(match differs {
            true => conflict,
            false => Judged::NotYet(head.revision),
        })
    }

    /// The revision at which it was done, if it was behind a revision.
    async fn look_for(
        &self,
        writing: &Writing,
        behind: Revision,
        patience: &mut Patience,
    ) -> Result<Option<Revision>, EtcdError> {
        let Shared { calls, keys, .. } = &*self.shared;
        let look = read([keys.history(), keys.head()].map(get).into());
        let mut now = calls.txn_within(&look, patience).await?;
        self.check_history_key(now.key())?;
        let head = Head::of(now.key());
        self.find(&writing.id, behind, &head, patience).await
    }

    /// The revision of the transaction that has this id, if there is one behind a revision and up to the
    /// newest.
    async fn find(
        &self,
        id: &Bytes,
        behind: Revision,
        newest: &Head,
        patience: &mut Patience,
    ) -> Result<Option<Revision>, EtcdError> {
        let Shared { calls, keys, .. } = &*self.shared;
        if newest.id == *id {
            return Ok(Some(newest.revision));
        }
        if newest.revision.saturating_sub(behind) > LOOKED_THROUGH {
            let cause = "too much was written since it was sent to tell whether it was done";
            return Err(calls.members.unavailable(cause));
        }
        let revisions: Vec<Revision> = (behind.saturating_add(1)..newest.revision).collect();
        for revisions in revisions.chunks(calls.options.max_txn_ops) {
            let looks = revisions.iter().map(|at| get_at(keys.head(), *at));
            let mut then = calls.txn_within(&read(looks.collect()), patience).await?;
            let heads = revisions.iter().map(|_| Head::of(then.key()));
            if let Some(done) = heads.into_iter().find(|head| head.id == *id) {
                return Ok(Some(done.revision));
            }
        }
        Ok(None)
    }
}
