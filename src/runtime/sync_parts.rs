//! The end of a sync where one transaction cannot hold it.

use std::collections::VecDeque;

use crate::engine::ResolveError;
use crate::model::{Expectation, ObjectRef, Operation, Precondition, Revision, Transaction};

use super::error::CommitError;
use super::handle::{PendingCommit, Runtime};
use super::sync::{SyncEnd, SyncSession};

/// As many transactions are on their way at one time.
const WINDOW: usize = 16;

type Part = Vec<(ObjectRef, Revision)>;

impl Runtime {
    /// Deletes objects, each unless it was written since, in as many transactions as the store asks for.
    pub(super) async fn delete_in_parts(
        &self,
        session: &SyncSession,
        objects: Part,
    ) -> Result<SyncEnd, CommitError> {
        let most = self.bounds().map_or(usize::MAX, |bounds| bounds.objects);
        let mut parts: VecDeque<Part> = objects
            .chunks(most.max(1))
            .map(<[(ObjectRef, Revision)]>::to_vec)
            .collect();
        let mut under_way: VecDeque<(Part, PendingCommit)> = VecDeque::new();
        let mut end = SyncEnd {
            revision: self.head().revision,
            deleted: 0,
        };
        loop {
            while under_way.len() < WINDOW
                && let Some(part) = parts.pop_front()
            {
                let transaction = deletion(&part);
                let sync = Some(session.id().clone());
                let pending = self.submit(transaction, "".into(), sync).await?;
                under_way.push_back((part, pending));
            }
            let Some((mut part, pending)) = under_way.pop_front() else {
                return Ok(end);
            };
            match pending.committed().await {
                Ok(committed) => {
                    end.revision = end.revision.max(committed.revision);
                    end.deleted = end.deleted.saturating_add(part.len() as u64);
                }
                Err(refused) => match written_since(&refused) {
                    Some(object) => {
                        part.retain(|(other, _)| other != object);
                        if !part.is_empty() {
                            parts.push_front(part);
                        }
                    }
                    None => return Err(refused),
                },
            }
        }
    }
}

fn deletion(part: &[(ObjectRef, Revision)]) -> Transaction {
    let precondition = |(object, revision): &(ObjectRef, Revision)| Precondition {
        object: object.clone(),
        expect: Expectation::Revision(*revision),
    };
    Transaction {
        preconditions: part.iter().map(precondition).collect(),
        operations: part
            .iter()
            .map(|(object, _)| Operation::Delete(object.clone()))
            .collect(),
        ..Transaction::default()
    }
}

/// The object that somebody has written since the sync ended: it stays.
fn written_since(refused: &CommitError) -> Option<&ObjectRef> {
    match refused {
        CommitError::Refused(refused) => match &**refused {
            ResolveError::PreconditionFailed { object, .. } => Some(object),
            _ => None,
        },
        _ => None,
    }
}
