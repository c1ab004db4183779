//! Pipelined writes: one task reads and hands over, another awaits the answers in order. Between
//! them stands a bounded queue, so the stream is read no faster than it is committed.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use crate::labels::FieldError;
use crate::model::{Kind, Revision};
use crate::runtime::{CommitError, PendingCommit, SyncEnd, SyncSession};
use crate::wire::proto::ingest_request::Step;
use crate::wire::proto::ingest_response::Result as Answer;
use crate::wire::{self, WriteRequest, proto, status};

use super::cluster::decode_write;
use super::context::{Context, namespaces, not_begun, stopped, uncommitted, valid};
use super::outflow::Outlet;

/// What the answer to one request hangs on.
enum Awaited {
    Commit(PendingCommit),
    Known(Result<Revision, Status>),
    /// The end of a sync is written before the stream is read on.
    Ended(Result<SyncEnd, CommitError>),
}

pub(super) async fn run(
    context: Arc<Context>,
    requests: Streaming<proto::IngestRequest>,
    outlet: Outlet<proto::IngestResponse>,
) -> Result<(), Status> {
    let (awaited, answers) = mpsc::channel(context.limits.max_unacknowledged.max(1));
    let reader = Reader {
        context: &context,
        sync: None,
        last_sequence: 0,
        awaited,
    };
    let (read, ()) = tokio::join!(reader.run(requests), answer(answers, outlet));
    read
}

/// Answers in the order of requests. Ends when the reader has, or when the client is gone.
async fn answer(
    mut awaited: mpsc::Receiver<(u64, Awaited)>,
    outlet: Outlet<proto::IngestResponse>,
) {
    while let Some((sequence, awaited)) = awaited.recv().await {
        let (mut deleted, mut resolved_revision) = (0, 0);
        let result = match awaited {
            Awaited::Known(known) => known,
            Awaited::Commit(pending) => match pending.committed().await {
                Ok(committed) => {
                    resolved_revision = committed.resolved_at;
                    Ok(committed.revision)
                }
                Err(error) => Err(uncommitted(&error)),
            },
            Awaited::Ended(Ok(end)) => {
                deleted = end.deleted;
                Ok(end.revision)
            }
            Awaited::Ended(Err(error)) => Err(uncommitted(&error)),
        };
        let result = Some(match result {
            Ok(revision) => Answer::Revision(revision),
            Err(refusal) => Answer::Refused(status::encode_refusal(&refusal)),
        });
        if outlet
            .send(proto::IngestResponse {
                sequence,
                result,
                deleted,
                resolved_revision,
            })
            .await
            .is_err()
        {
            return;
        }
    }
}

struct Reader<'c> {
    context: &'c Context,
    /// Dropped with the stream: a sync that is broken off deletes nothing.
    sync: Option<SyncSession>,
    last_sequence: u64,
    awaited: mpsc::Sender<(u64, Awaited)>,
}

impl Reader<'_> {
    /// Reads until the client has said everything, the server drains, or nobody awaits the answers.
    async fn run(mut self, mut requests: Streaming<proto::IngestRequest>) -> Result<(), Status> {
        loop {
            let request = tokio::select! {
                biased;
                () = self.context.drain.cancelled() => return Err(status::draining()),
                () = self.awaited.closed() => return Ok(()),
                request = requests.message() => request.map_err(|error| self.context.unreadable(error))?,
            };
            let Some(request) = request else {
                return Ok(());
            };
            if request.sequence <= self.last_sequence {
                let detail = format!(
                    "is {}, and must grow: the last was {}",
                    request.sequence, self.last_sequence
                );
                return Err(status::invalid_field("sequence", detail));
            }
            self.last_sequence = request.sequence;
            let awaited = self.step(request.step).await?;
            tokio::select! {
                biased;
                sent = self.awaited.send((request.sequence, awaited)) => {
                    if sent.is_err() {
                        return Ok(());
                    }
                }
                () = self.context.drain.cancelled() => return Err(status::draining()),
            }
        }
    }

    /// An error ends the stream; what a request alone is refused for does not.
    async fn step(&mut self, step: Option<Step>) -> Result<Awaited, Status> {
        match step {
            Some(Step::Transaction(transaction)) => {
                if let Some(session) = &mut self.sync {
                    // A sync that goes on without one of them would delete it.
                    for object in wire::mentioned_objects(&transaction) {
                        let object = valid("transaction", object)?;
                        let mentioned = self.context.runtime.mention(session, object);
                        mentioned.await.map_err(stopped)?;
                    }
                }
                match self.decode(transaction) {
                    Ok(write) => self.submit(write).await,
                    Err(refusal) => Ok(Awaited::Known(Err(refusal))),
                }
            }
            Some(Step::SyncBegin(begin)) => self.begin(begin).await,
            Some(Step::SyncEnd(proto::SyncEnd {})) => match self.sync.take() {
                Some(session) => Ok(Awaited::Ended(self.context.runtime.end_sync(session).await)),
                None => Err(status::invalid_field(
                    "sync_end",
                    "no sync has begun on this stream",
                )),
            },
            None => Err(status::invalid(&[FieldError::required(
                "transaction",
                "say what to do",
            )])),
        }
    }

    fn decode(&self, transaction: proto::Transaction) -> Result<WriteRequest, Status> {
        let mut write = decode_write(Some(transaction))?;
        if let Some(session) = &self.sync {
            let source = &mut write.transaction.source;
            if source.is_empty() {
                source.clone_from(session.id().source());
            } else if source != session.id().source() {
                let detail = format!(
                    "is {source:?}, but the sync is of {:?}",
                    session.id().source()
                );
                return Err(status::invalid_field("transaction.source", detail));
            }
        }
        Ok(write)
    }

    async fn submit(&self, write: WriteRequest) -> Result<Awaited, Status> {
        let sync = self.sync.as_ref().map(|session| session.id().clone());
        let pending = self
            .context
            .runtime
            .submit(write.transaction, write.request_id, sync)
            .await;
        pending.map(Awaited::Commit).map_err(stopped)
    }

    async fn begin(&mut self, begin: proto::SyncBegin) -> Result<Awaited, Status> {
        if begin.source.is_empty() {
            return Err(status::invalid(&[FieldError::required(
                "sync_begin.source",
                "say who speaks",
            )]));
        }
        if begin.source.len() > wire::MAX_SOURCE {
            let detail = format!("must be no more than {} bytes", wire::MAX_SOURCE);
            return Err(status::invalid_field("sync_begin.source", detail));
        }
        let mut kinds = BTreeSet::new();
        for (i, kind) in begin.kinds.iter().enumerate() {
            kinds.insert(valid(
                &format!("sync_begin.kinds[{i}]"),
                wire::decode_kind(*kind),
            )?);
        }
        if kinds.is_empty() {
            kinds.extend(Kind::ALL);
        }
        let named = wire::check_namespaces(&begin.namespaces);
        valid("sync_begin.namespaces", named)?;
        let namespaces = namespaces(begin.namespaces);
        let session = self
            .context
            .runtime
            .begin_sync(begin.source.into(), kinds, namespaces)
            .await
            .map_err(not_begun)?;
        let began = session.began();
        self.sync = Some(session);
        Ok(Awaited::Known(Ok(began)))
    }
}
