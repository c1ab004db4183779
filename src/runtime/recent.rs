use std::collections::{HashMap, VecDeque};

use prost::Message as _;
use smol_str::SmolStr;
use xxhash_rust::xxh3::xxh3_64;

use crate::store::{AnsweredRequest, MAX_REQUESTS};
use crate::wire::{WriteRequest, encode_transaction};

use super::command::Committed;
use super::error::CommitError;

/// Most object results remembered with them, so that large transactions do not pile up.
const MAX_RESULTS: usize = 262_144;

/// What a transaction asks, so that another one under the same request id is told from a retry: XXH3, 64
/// bits, of the message that the API has of it. Stores keep it, so it is the same for every version.
/// Linear in the transaction's size; 0 without an id.
pub(super) fn digest(write: &WriteRequest) -> u64 {
    if write.request_id.is_empty() {
        return 0;
    }
    xxh3_64(&encode_transaction(write).encode_to_vec())
}

/// The last transactions that were applied under a request id, and how each was answered. Of the
/// older ones the results of single objects may be forgotten, never the revision.
#[derive(Debug, Default)]
pub(super) struct Recent {
    answers: HashMap<SmolStr, Remembered>,
    oldest_first: VecDeque<SmolStr>,
    /// As many of the oldest have no results any more.
    bare: usize,
    results: usize,
}

#[derive(Debug)]
struct Remembered {
    digest: u64,
    answer: Committed,
}

impl Recent {
    /// Remembers what a store does, oldest first: without results.
    pub(super) fn new(requests: Vec<AnsweredRequest>) -> Recent {
        let mut recent = Recent::default();
        for request in requests {
            let answer = Committed {
                revision: request.revision,
                resolved_at: request.resolved_at,
                results: [].into(),
            };
            recent.insert(request.request_id, request.digest, answer);
        }
        recent
    }

    /// How the transaction with this id was answered, if there was one.
    ///
    /// # Errors
    /// It asked something else.
    pub(super) fn get(
        &self,
        request_id: &SmolStr,
        digest: u64,
    ) -> Result<Option<&Committed>, CommitError> {
        match self.answers.get(request_id) {
            Some(before) if before.digest != digest => Err(CommitError::RequestIdReused {
                request_id: request_id.clone(),
            }),
            before => Ok(before.map(|before| &before.answer)),
        }
    }

    /// Remembers what was written under an id as a store has it, whatever was answered here.
    pub(super) fn learn(&mut self, request_id: SmolStr, digest: u64, answer: Committed) {
        match self.answers.get_mut(&request_id) {
            // It changed nothing here, and then an earlier attempt elsewhere was done after all.
            Some(before) if before.answer.revision != answer.revision => {
                let forgotten = before.answer.results.len();
                *before = Remembered { digest, answer };
                self.results = self.results.saturating_sub(forgotten);
            }
            _ => self.insert(request_id, digest, answer),
        }
    }

    /// Remembers an answer under an id that is not known, or not with its results, and forgets the oldest
    /// beyond the bounds.
    /// A transaction without an id cannot be asked for again.
    pub(super) fn insert(&mut self, request_id: SmolStr, digest: u64, answer: Committed) {
        if request_id.is_empty() {
            return;
        }
        let results = answer.results.len();
        match self.answers.get_mut(&request_id) {
            None => {
                self.oldest_first.push_back(request_id.clone());
                self.answers
                    .insert(request_id, Remembered { digest, answer });
            }
            // It was heard of from the store, which keeps no results.
            Some(before)
                if before.answer.revision == answer.revision
                    && before.answer.results.is_empty()
                    && results > 0 =>
            {
                before.answer = answer;
            }
            Some(_) => return,
        }
        self.results = self.results.saturating_add(results);
        if self.oldest_first.len() > MAX_REQUESTS
            && let Some(oldest) = self.oldest_first.pop_front()
            && let Some(old) = self.answers.remove(&oldest)
        {
            self.results = self.results.saturating_sub(old.answer.results.len());
            self.bare = self.bare.saturating_sub(1);
        }
        while self.results > MAX_RESULTS && self.bare.saturating_add(1) < self.oldest_first.len() {
            let oldest = self.oldest_first.get(self.bare);
            if let Some(old) = oldest.and_then(|id| self.answers.get_mut(id)) {
                self.results = self.results.saturating_sub(old.answer.results.len());
                old.answer.results = [].into();
            }
            self.bare = self.bare.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{ObjectResult, Outcome};
    use crate::labels::LabelSet;
    use crate::model::{
        Kind, Object, ObjectName, ObjectRef, Operation, Phase, Pod, ReadyCondition, Transaction,
    };

    fn answer(revision: u64, results: usize) -> Committed {
        let result = ObjectResult {
            object: ObjectRef::new(Kind::Pod, ObjectName::new("default", "rng")),
            outcome: Outcome::Created,
            operation: 0,
        };
        Committed {
            revision,
            resolved_at: revision,
            results: vec![result; results].into(),
        }
    }

    fn of(recent: &Recent, id: &str) -> Option<(u64, usize)> {
        let found = recent.get(&id.into(), 0).unwrap();
        found.map(|answer| (answer.revision, answer.results.len()))
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut recent = Recent::default();
        for i in 0..=MAX_REQUESTS {
            recent.insert(i.to_string().into(), 0, answer(i as u64, 1));
        }
        assert_eq!(of(&recent, "0"), None);
        assert_eq!(of(&recent, "1"), Some((1, 1)));
    }

    #[test]
    fn large_answers_lose_their_results_and_not_their_revisions() {
        let mut recent = Recent::default();
        for i in 0..60 {
            recent.insert(i.to_string().into(), 0, answer(i, 10_000));
        }
        assert_eq!(of(&recent, "0"), Some((0, 0)));
        assert_eq!(of(&recent, "59"), Some((59, 10_000)));
        assert!(recent.results <= MAX_RESULTS);
    }

    #[test]
    fn what_the_store_has_is_what_holds() {
        let mut recent = Recent::default();
        recent.insert("a".into(), 0, answer(7, 1));
        recent.learn("a".into(), 0, answer(7, 0));
        assert_eq!(of(&recent, "a"), Some((7, 1)));
        recent.learn("a".into(), 0, answer(9, 0));
        recent.insert("a".into(), 0, answer(8, 1));
        assert_eq!((of(&recent, "a"), recent.results), (Some((9, 0)), 0));
        recent.insert("a".into(), 0, answer(9, 2));
        assert_eq!((of(&recent, "a"), recent.results), (Some((9, 2)), 2));
    }

    #[test]
    fn transactions_without_an_id_are_not_remembered() {
        let mut recent = Recent::default();
        recent.insert("".into(), 0, answer(1, 1));
        assert_eq!(of(&recent, ""), None);
    }

    #[test]
    fn another_transaction_under_the_same_id_is_refused() {
        let mut recent = Recent::default();
        recent.insert("a".into(), 7, answer(1, 1));
        assert!(recent.get(&"a".into(), 7).unwrap().is_some());
        assert!(matches!(
            recent.get(&"a".into(), 8),
            Err(CommitError::RequestIdReused { .. })
        ));
    }
    /// Stores keep it.
    #[test]
    fn a_digest_is_the_same_for_every_version() {
        let pod = Pod {
            name: ObjectName::new("default", "rng-1"),
            labels: LabelSet::try_from_pairs([("app", "rng"), ("tier", "back")]).unwrap(),
            node_name: "node-1".into(),
            phase: Phase::Running,
            ready: ReadyCondition::True,
            pod_ips: [[10, 0, 0, 1].into()].into_iter().collect(),
            ..Pod::default()
        };
        let write = WriteRequest {
            transaction: Transaction {
                operations: vec![Operation::Put(Object::Pod(Box::new(pod)))],
                source: "k8s".into(),
                ..Transaction::default()
            },
            request_id: "a".into(),
        };
        assert_eq!(digest(&write), 0xfd72_1207_2d2a_2f0b);
    }
}
