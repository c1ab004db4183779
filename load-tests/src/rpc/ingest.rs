use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message as _;
use selectord::model::{Change, Object};
use selectord::wire::{self, WriteRequest, proto};
use tokio_stream::Stream;
use tonic::Request;
use tonic::client::Grpc;
use tonic::transport::Channel;

use crate::cluster;
use crate::context::Context;

use super::RawCodec;

const PATH: &str = "/selectord.v1.Cluster/Ingest";
/// Objects in one transaction.
const AT_ONCE: usize = 1_000;
/// Transactions that are encoded before they are sent: some twenty megabytes.
const WAVE: usize = 50;

/// Transactions as they go over the wire.
#[derive(Debug, Default)]
pub struct Batch {
    messages: Vec<Bytes>,
    operations: u64,
    taken: u64,
}

impl Batch {
    /// Encodes one more transaction.
    pub fn push(&mut self, changes: impl IntoIterator<Item = Change>) {
        let transaction = cluster::unresolved(changes);
        self.operations += transaction.operations.len() as u64;
        let transaction = wire::encode_transaction(&WriteRequest {
            transaction,
            request_id: "".into(),
        });
        let request = proto::IngestRequest {
            sequence: self.taken + self.messages.len() as u64 + 1,
            step: Some(proto::ingest_request::Step::Transaction(transaction)),
        };
        self.messages.push(request.encode_to_vec().into());
    }

    /// What goes over the wire, in order.
    pub fn into_messages(self) -> Vec<Bytes> {
        self.messages
    }

    /// What has been encoded since the last time; what is pushed later goes on the same stream.
    pub fn take_messages(&mut self) -> Vec<Bytes> {
        self.taken += self.messages.len() as u64;
        std::mem::take(&mut self.messages)
    }

    /// Operations of all that was pushed.
    pub fn operations(&self) -> u64 {
        self.operations
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

/// Sends transactions on one stream, as fast as they come and the server reads, and tells the revision
/// of each as it is acknowledged, in order; ends when all are.
///
/// # Errors
/// One was refused, or the stream ended early.
pub async fn send(
    channel: &Channel,
    messages: impl Stream<Item = Bytes> + Send + 'static,
    mut acknowledged: impl FnMut(u64),
) -> anyhow::Result<()> {
    use proto::ingest_response::Result as Answer;
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await?;
    let path = PathAndQuery::from_static(PATH);
    let answers = grpc.streaming(Request::new(messages), path, RawCodec);
    let mut answers = answers.await?.into_inner();
    while let Some(answer) = answers.message().await? {
        match proto::IngestResponse::decode(answer)?.result {
            Some(Answer::Revision(revision)) => acknowledged(revision),
            Some(Answer::Refused(refusal)) => bail!("the server refused: {}", refusal.message),
            None => bail!("the server acknowledged nothing"),
        }
    }
    Ok(())
}

/// Sends a batch, and waits until all of it is acknowledged.
///
/// # Errors
/// As [`send`].
pub async fn ingest(channel: &Channel, batch: Batch) -> anyhow::Result<Ingested> {
    let (sent, mut answered) = (batch.messages.len(), 0);
    let mut ingested = Ingested {
        operations: batch.operations,
        bytes: batch.bytes(),
        ..Ingested::default()
    };
    let start = Instant::now();
    let messages = tokio_stream::iter(batch.messages);
    send(channel, messages, |revision| {
        ingested.revision = revision;
        answered += 1;
    })
    .await?;
    ingested.elapsed = start.elapsed();
    if answered != sent {
        bail!("{answered} of {sent} transactions were acknowledged");
    }
    Ok(ingested)
}

/// Puts the whole cluster into a server, and tells what became of each wave of pods. Only sending is
/// timed, not encoding; nodes and services go first and are not counted.
///
/// # Errors
/// As [`send`].
pub async fn load(
    context: &Context,
    channel: &Channel,
    mut wave_done: impl FnMut(&Ingested),
) -> anyhow::Result<Ingested> {
    let corpus = &context.corpus;
    let mut first = Batch::default();
    let nodes = corpus.nodes().map(cluster::node);
    let nodes = nodes.map(|node| Change::Put(Object::Node(Box::new(node))));
    let services = corpus.services().map(cluster::service);
    let mut others = nodes.chain(services.map(cluster::put_service)).peekable();
    while others.peek().is_some() {
        first.push(others.by_ref().take(AT_ONCE));
    }
    let services = ingest(channel, first).await;
    services.context("cannot load the services")?;
    let mut all = Ingested::default();
    let progress = context.progress("load", u64::from(context.pods()));
    let pods = corpus.pods().map(cluster::pod);
    let mut pods = pods.map(cluster::put_pod).peekable();
    while pods.peek().is_some() {
        let mut wave = Batch::default();
        for _ in 0..WAVE {
            if pods.peek().is_some() {
                wave.push(pods.by_ref().take(AT_ONCE));
            }
        }
        let part = ingest(channel, wave).await;
        let part = part.context("cannot load the pods")?;
        wave_done(&part);
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
