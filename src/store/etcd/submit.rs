//! Writing a transaction, once.

use std::collections::BTreeSet;

use bytes::Bytes;
use prost::Message as _;

use crate::model::Revision;

use super::etcd_store::{EtcdStore, Shared};
use super::keys::{decode_history, encode_history, random_id, revision};
use super::proto::{KeyValue, TxnRequest};
use super::request::{Answer, delete, get, get_at, has_value, look, put, read, written_by};
use super::seen::Head;
use super::value::encode;
use super::{EtcdError, Proposal, Proposed, SubmitError, Submitted};

/// What stands in a request around a transaction: who asks, and under which number.
const AROUND: usize = 1_024;

/// A transaction as it is sent.
struct Writing {
    request: TxnRequest,
    /// Tells it from all others, as the head's value.
    id: Bytes,
    /// The keys of the objects that it depends on, with the revisions that they should be of.
    expected: Vec<(Bytes, Revision)>,
    /// Those that it changes.
    changed: BTreeSet<Bytes>,
    /// Whether nothing that it changes was there. Done once, and deleted by somebody, it could be done again:
    /// all would be as expected.
    only_creates: bool,
}

impl Writing {
    /// The head that it leaves.
    fn head_at(&self, revision: Revision) -> Head {
        Head {
            revision,
            id: self.id.clone(),
        }
    }
}

impl EtcdStore {
    /// Writes a transaction if every object that it depends on is of the revision expected, and the
    /// history still is ours. It is durable when this answers; a replica has it when it has followed so
    /// far.
    ///
    /// Where a member does not answer, another is asked, and still it is done at most once: if an earlier
    /// attempt was done after all, it has changed what is compared, and left its id to be found. What only
    /// creates is sent again if nothing at all of ours was written since it was sent first.
    ///
    /// # Errors
    /// [`SubmitError`], which says whether it may have been written.
    pub async fn submit(&self, proposal: &Proposal) -> Result<Submitted, SubmitError> {
        let mut writing = self.writing(proposal)?;
        let calls = &self.shared.calls;
        let seen = self.seen();
        let mut patience = calls.patience();
        let mut maybe_done = false;
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
                    let judged = self.judge(answer, &writing, maybe_done).await;
                    return judged.map_err(|error| failed(error, maybe_done));
                }
                Err(failure) => {
                    if failure.maybe_done && !maybe_done && writing.only_creates {
                        if writing.request.compare.len() >= calls.options.max_txn_ops {
                            return Err(SubmitError::Unknown(failure.error));
                        }
                        let head = written_by(self.shared.keys.head(), seen.head.revision);
                        writing.request.compare.push(head);
                    }
                    maybe_done |= failure.maybe_done;
                    if !patience.tries_again(&failure).await {
                        return Err(failed(failure.error, maybe_done));
                    }
                }
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
        let wanted = proposal.expected.len().max(proposal.changes.len());
        if wanted > limit {
            return Err(SubmitError::TooManyOperations { limit, wanted });
        }
        let id = random_id().map_err(SubmitError::NotWritten)?;
        let expected: Vec<_> = proposal
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
        let only_creates = !known.any(|(key, _)| changed.contains(key)) && !changed.is_empty();
        Ok(Writing {
            request,
            id,
            expected,
            changed,
            only_creates,
        })
    }

    /// What it means that the comparisons did not hold: a conflict, unless an earlier attempt was done.
    async fn judge(
        &self,
        mut answer: Answer,
        writing: &Writing,
        maybe_done: bool,
    ) -> Result<Submitted, EtcdError> {
        let Shared { calls, keys, .. } = &*self.shared;
        let history = answer.key();
        let history = history.map(|key| decode_history(&key.key, &key.value));
        self.check_history(history.transpose()?)?;
        let objects = writing.expected.iter().map(|(key, _)| look(key.clone()));
        let look = [get(keys.head())].into_iter().chain(objects).collect();
        let mut now = calls.txn(&read(look)).await?;
        let head = now.key().unwrap_or_default();
        let there: Vec<Option<KeyValue>> = writing.expected.iter().map(|_| now.key()).collect();
        let found = there.iter().flatten().chain([&head]);
        let at = found.map(|key| revision(key.mod_revision)).max();
        let conflict = Submitted::Conflict {
            at: at.unwrap_or(0),
        };
        if !maybe_done || writing.changed.is_empty() {
            return Ok(conflict);
        }
        if head.value == writing.id {
            return Ok(Submitted::Written(revision(head.mod_revision)));
        }
        // Had it been done, none of what it changes would be as it was. What was not there may be gone again.
        let written = |key: &Option<KeyValue>| revision(key.as_ref().map_or(0, |k| k.mod_revision));
        let mut objects = writing.expected.iter().zip(&there);
        let is_as_it_was = |((key, at), now): (&(Bytes, Revision), _)| {
            *at > 0 && writing.changed.contains(key) && written(now) == *at
        };
        if objects.any(is_as_it_was) {
            return Ok(conflict);
        }
        let changed = there.iter().flatten();
        let changed = changed.filter(|key| writing.changed.contains(&key.key));
        let candidates: BTreeSet<_> = changed.map(|key| revision(key.mod_revision)).collect();
        for candidate in candidates {
            let mut then = calls
                .txn(&read(vec![get_at(keys.head(), candidate)]))
                .await?;
            if then.key().is_some_and(|head| head.value == writing.id) {
                return Ok(Submitted::Written(candidate));
            }
        }
        let cause = "others have written since it was sent, and it cannot be told whether it was done before";
        Err(calls.members.unavailable(cause))
    }
}
