use std::collections::VecDeque;
use std::fmt;

use prost::Message as _;
use smol_str::SmolStr;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::model::{Kind, Revision, Transaction};
use crate::wire::{self, WriteRequest, proto};

use super::answer::Committed;
use super::{CallError, Client, Malformed};

impl Client {
    fn cluster(&self) -> proto::cluster_client::ClusterClient<tonic::transport::Channel> {
        proto::cluster_client::ClusterClient::new(self.channel.clone())
            .max_decoding_message_size(self.options.max_message_bytes)
    }

    /// Applies a transaction, whole or not at all; answers when every later read sees it.
    ///
    /// A `request_id` makes it safe to try again after an error that leaves its fate unknown: what
    /// was applied under it is not applied again. Empty: none.
    ///
    /// # Errors
    /// What the server refuses, and whatever keeps the answer from coming.
    pub async fn commit(
        &self,
        transaction: Transaction,
        request_id: &str,
    ) -> Result<Committed, CallError> {
        let write = WriteRequest {
            transaction,
            request_id: request_id.into(),
        };
        let request = proto::CommitRequest {
            transaction: Some(wire::encode_transaction(&write)),
        };
        let answer = self
            .cluster()
            .commit(self.timed(request))
            .await?
            .into_inner();
        let results = answer
            .results
            .into_iter()
            .map(|result| Ok(wire::decode_result(result)?))
            .collect::<Result<_, Malformed>>()?;
        Ok(Committed {
            revision: answer.revision,
            results,
            resolved_at: answer.resolved_revision,
        })
    }

    /// Opens a stream of transactions. At most `window` of them (at least one) are on their way
    /// without an answer; [`Ingest::send`] then waits.
    ///
    /// # Errors
    /// Whatever keeps the stream from opening.
    pub async fn ingest(&self, window: usize) -> Result<Ingest, CallError> {
        let window = window.max(1);
        let (requests, outgoing) = mpsc::channel(window);
        let answers = self
            .cluster()
            .ingest(ReceiverStream::new(outgoing))
            .await?
            .into_inner();
        Ok(Ingest {
            requests,
            answers,
            window,
            sent: 0,
            unanswered: 0,
            acks: VecDeque::new(),
        })
    }
}

/// The answer to one step of an [`Ingest`].
#[derive(Debug)]
pub struct Ack {
    /// The step, as [`Ingest::send`] numbered it.
    pub sequence: u64,
    /// The revision it was applied at, or why it was refused; a refused step changes nothing.
    pub result: Result<Revision, CallError>,
    /// After the end of a sync: how many objects it deleted.
    pub deleted: u64,
}

/// A stream of transactions, each answered by its number, in order.
pub struct Ingest {
    requests: mpsc::Sender<proto::IngestRequest>,
    answers: Streaming<proto::IngestResponse>,
    window: usize,
    sent: u64,
    unanswered: usize,
    /// Answers that were read to make room and have not been asked for.
    acks: VecDeque<Ack>,
}

impl Ingest {
    /// Sends a transaction, waiting for room first, and answers its number.
    ///
    /// # Errors
    /// When the stream has ended. What was not acknowledged may or may not have been applied.
    pub async fn send(&mut self, transaction: Transaction) -> Result<u64, CallError> {
        let write = WriteRequest {
            transaction,
            request_id: SmolStr::default(),
        };
        self.step(proto::ingest_request::Step::Transaction(
            wire::encode_transaction(&write),
        ))
        .await
    }

    /// Begins a sync: what follows, up to [`Ingest::end_sync`], is all there is of this source, of
    /// these kinds (none given: all) and namespaces (none given: all).
    ///
    /// # Errors
    /// As [`Ingest::send`].
    pub async fn begin_sync(
        &mut self,
        source: &str,
        kinds: &[Kind],
        namespaces: &[SmolStr],
    ) -> Result<u64, CallError> {
        let begin = proto::SyncBegin {
            source: source.to_owned(),
            kinds: kinds
                .iter()
                .map(|kind| wire::encode_kind(*kind).into())
                .collect(),
            namespaces: namespaces.iter().map(ToString::to_string).collect(),
        };
        self.step(proto::ingest_request::Step::SyncBegin(begin))
            .await
    }

    /// Ends the sync: what the source wrote before it and did not mention in it is deleted.
    ///
    /// # Errors
    /// As [`Ingest::send`].
    pub async fn end_sync(&mut self) -> Result<u64, CallError> {
        self.step(proto::ingest_request::Step::SyncEnd(proto::SyncEnd {}))
            .await
    }

    /// The next answer, in the order of sending; none when everything sent has been answered.
    ///
    /// # Errors
    /// When the stream ended before that.
    pub async fn acknowledged(&mut self) -> Result<Option<Ack>, CallError> {
        if let Some(ack) = self.acks.pop_front() {
            return Ok(Some(ack));
        }
        if self.unanswered == 0 {
            return Ok(None);
        }
        self.read().await.map(Some)
    }

    async fn step(&mut self, step: proto::ingest_request::Step) -> Result<u64, CallError> {
        while self.unanswered >= self.window {
            let ack = self.read().await?;
            self.acks.push_back(ack);
        }
        let sequence = self.sent.saturating_add(1);
        let request = proto::IngestRequest {
            sequence,
            step: Some(step),
        };
        if self.requests.send(request).await.is_err() {
            // The server ended the stream: its status says why.
            return Err(match self.answers.message().await {
                Err(status) => status.into(),
                Ok(_) => ended(),
            });
        }
        self.sent = sequence;
        self.unanswered = self.unanswered.saturating_add(1);
        Ok(sequence)
    }

    async fn read(&mut self) -> Result<Ack, CallError> {
        use proto::ingest_response::Result as Answer;
        let answer = self.answers.message().await?.ok_or_else(ended)?;
        self.unanswered = self.unanswered.saturating_sub(1);
        let result = match answer.result.ok_or_else(|| Malformed::missing("result"))? {
            Answer::Revision(revision) => Ok(revision),
            Answer::Refused(refusal) => Err(status_of(refusal).into()),
        };
        Ok(Ack {
            sequence: answer.sequence,
            result,
            deleted: answer.deleted,
        })
    }
}

fn ended() -> CallError {
    Status::unavailable("the server ended the stream before everything was answered").into()
}

/// The status that `Commit` would have failed with.
fn status_of(refusal: proto::Refusal) -> Status {
    let code = Code::from_i32(refusal.code);
    let details = tonic_types::pb::Status {
        code: refusal.code,
        message: refusal.message.clone(),
        details: refusal.details,
    };
    Status::with_details(code, refusal.message, details.encode_to_vec().into())
}

impl fmt::Debug for Ingest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ingest")
            .field("sent", &self.sent)
            .field("unanswered", &self.unanswered)
            .finish_non_exhaustive()
    }
}
