use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message as _;
use selectord::model::{Change, Object, Operation, Transaction};
use selectord::wire::{self, WriteRequest, proto};
use tonic::Request;
use tonic::client::Grpc;
use tonic::transport::Channel;

use crate::cluster;
use crate::context::Context;

use super::RawCodec;

const PATH: &str = "/selectord.v1.Cluster/Ingest";
/// Objects in one transaction.
const AT_ONCE: usize = 1_000;
/// Transactions that are encoded before they are sent: some hundred megabytes.
const WAVE: usize = 250;

/// Transactions as they go over the wire.
#[derive(Debug, Default)]
pub struct Batch {
    messages: Vec<Bytes>,
    operations: u64,
}

impl Batch {
    /// Encodes one more transaction.
    pub fn push(&mut self, changes: impl IntoIterator<Item = Change>) {
        let operation = |change| match change {
            Change::Put(object) => Operation::Put(object),
            Change::Delete(object) => Operation::Delete(object),
        };
        let operations: Vec<Operation> = changes.into_iter().map(operation).collect();
        self.operations += operations.len() as u64;
        let transaction = wire::encode_transaction(&WriteRequest {
            transaction: Transaction {
                operations,
                ..Transaction::default()
            },
            request_id: "".into(),
        });
        let request = proto::IngestRequest {
            sequence: self.messages.len() as u64 + 1,
            step: Some(proto::ingest_request::Step::Transaction(transaction)),
        };
        self.messages.push(request.encode_to_vec().into());
    }

    /// Bytes of all of it.
    pub fn bytes(&self) -> u64 {
        self.messages
            .iter()
            .map(|message| message.len() as u64)
            .sum()
    }
}

/// What became of transactions that were sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ingested {
    /// Operations in them.
    pub operations: u64,
    /// Bytes sent.
    pub bytes: u64,
    /// From the first sent to the last acknowledged.
    pub elapsed: Duration,
    /// Revision of the last.
    pub revision: u64,
}

/// Sends them on one stream, as fast as the server reads, and waits until all are acknowledged.
///
/// # Errors
/// One was refused, or the stream ended early.
pub async fn ingest(channel: &Channel, batch: Batch) -> anyhow::Result<Ingested> {
    let sent = batch.messages.len() as u64;
    let mut ingested = Ingested {
        operations: batch.operations,
        bytes: batch.bytes(),
        ..Ingested::default()
    };
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await?;
    let start = Instant::now();
    let messages = Request::new(tokio_stream::iter(batch.messages));
    let path = PathAndQuery::from_static(PATH);
    let mut answers = grpc.streaming(messages, path, RawCodec).await?.into_inner();
    let mut acknowledged = 0;
    while let Some(answer) = answers.message().await? {
        use proto::ingest_response::Result as Answer;
        match proto::IngestResponse::decode(answer)?.result {
            Some(Answer::Revision(revision)) => ingested.revision = revision,
            Some(Answer::Refused(refusal)) => bail!("the server refused: {}", refusal.message),
            None => bail!("the server acknowledged nothing"),
        }
        acknowledged += 1;
    }
    ingested.elapsed = start.elapsed();
    if acknowledged != sent {
        bail!("{acknowledged} of {sent} transactions were acknowledged");
    }
    Ok(ingested)
}

/// Puts the whole cluster into a server. Only sending is timed, not encoding; services and nodes go
/// first and are not counted.
///
/// # Errors
/// As [`ingest`].
pub async fn load(context: &Context, channel: &Channel) -> anyhow::Result<Ingested> {
    let corpus = &context.corpus;
    let mut first = Batch::default();
    let nodes = corpus.nodes().map(cluster::node);
    let nodes = nodes.map(|node| Change::Put(Object::Node(Box::new(node))));
    let services = corpus
        .services()
        .map(cluster::service)
        .map(cluster::put_service);
    let mut others = nodes.chain(services).peekable();
    while others.peek().is_some() {
        first.push(others.by_ref().take(AT_ONCE));
    }
    ingest(channel, first)
        .await
        .context("cannot load the services")?;
    let mut all = Ingested::default();
    let progress = context.progress("load", u64::from(context.pods()));
    let mut pods = corpus
        .pods()
        .map(cluster::pod)
        .map(cluster::put_pod)
        .peekable();
    while pods.peek().is_some() {
        let mut wave = Batch::default();
        for _ in 0..WAVE {
            if pods.peek().is_some() {
                wave.push(pods.by_ref().take(AT_ONCE));
            }
        }
        let part = ingest(channel, wave)
            .await
            .context("cannot load the pods")?;
        all = Ingested {
            operations: all.operations + part.operations,
            bytes: all.bytes + part.bytes,
            elapsed: all.elapsed + part.elapsed,
            revision: part.revision,
        };
        progress.set_position(all.operations);
    }
    progress.finish_and_clear();
    Ok(all)
}
