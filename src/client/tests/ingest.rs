use std::pin::Pin;

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::client::Client;
use crate::model::{Node, Object, Operation, Transaction};
use crate::wire::proto;
use crate::wire::proto::cluster_server::{Cluster, ClusterServer};

/// Answers each step with its number as the revision, refuses transactions of the source "refused",
/// and ends the stream at those of the source "end".
struct Numbers;

#[tonic::async_trait]
impl Cluster for Numbers {
    type IngestStream = Pin<Box<dyn Stream<Item = Result<proto::IngestResponse, Status>> + Send>>;

    async fn commit(
        &self,
        _request: Request<proto::CommitRequest>,
    ) -> Result<Response<proto::CommitResponse>, Status> {
        Err(Status::unimplemented("not in this test"))
    }

    async fn ingest(
        &self,
        request: Request<Streaming<proto::IngestRequest>>,
    ) -> Result<Response<Self::IngestStream>, Status> {
        use proto::ingest_request::Step;
        use proto::ingest_response::Result as Answer;
        let answers = request.into_inner().map(|request| {
            let request = request?;
            let source = match &request.step {
                Some(Step::Transaction(transaction)) => transaction.source.as_str(),
                _ => "",
            };
            if source == "end" {
                return Err(Status::unavailable("draining"));
            }
            let refused = source == "refused";
            let result = if refused {
                Answer::Refused(refusal())
            } else {
                Answer::Revision(request.sequence)
            };
            Ok(proto::IngestResponse {
                sequence: request.sequence,
                result: Some(result),
                deleted: if matches!(request.step, Some(Step::SyncEnd(_))) {
                    2
                } else {
                    0
                },
                resolved_revision: 0,
            })
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

fn refusal() -> proto::Refusal {
    let details =
        ErrorDetails::with_bad_request_violation("transaction.operations[0]", "Required value");
    let status = Status::with_error_details(Code::InvalidArgument, "refused", details);
    let pb: tonic_types::pb::Status = prost::Message::decode(status.details()).unwrap();
    proto::Refusal {
        code: pb.code,
        message: pb.message,
        details: pb.details,
    }
}

async fn client() -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tonic::transport::Server::builder().add_service(ClusterServer::new(Numbers));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    Client::connect(&address).await.unwrap()
}

fn transaction(source: &str) -> Transaction {
    let node = Node {
        name: "node-1".into(),
        ..Node::default()
    };
    Transaction {
        operations: vec![Operation::Put(Object::Node(Box::new(node)))],
        source: source.into(),
        ..Transaction::default()
    }
}

#[tokio::test]
async fn steps_are_answered_in_order_and_more_than_the_window_may_be_sent() {
    let mut ingest = client().await.ingest(2).await.unwrap();
    ingest.begin_sync("list", &[], &[]).await.unwrap();
    for _ in 0..7 {
        ingest.send(transaction("list")).await.unwrap();
    }
    assert_eq!(ingest.end_sync().await.unwrap(), 9);
    let mut acks = Vec::new();
    while let Some(ack) = ingest.acknowledged().await.unwrap() {
        acks.push((ack.sequence, ack.result.unwrap(), ack.deleted));
    }
    let expected: Vec<_> = (1..=9)
        .map(|n| (n, n, if n == 9 { 2 } else { 0 }))
        .collect();
    assert_eq!(acks, expected);
}

#[tokio::test]
async fn a_refused_transaction_is_what_commit_would_have_failed_with() {
    let mut ingest = client().await.ingest(8).await.unwrap();
    ingest.send(transaction("refused")).await.unwrap();
    ingest.send(transaction("list")).await.unwrap();
    let error = ingest
        .acknowledged()
        .await
        .unwrap()
        .unwrap()
        .result
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "refused\n  transaction.operations[0]: Required value"
    );
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(
        ingest
            .acknowledged()
            .await
            .unwrap()
            .unwrap()
            .result
            .unwrap(),
        2
    );
}

#[tokio::test]
async fn the_end_of_the_stream_is_an_error_while_answers_are_due() {
    let mut ingest = client().await.ingest(8).await.unwrap();
    ingest.send(transaction("end")).await.unwrap();
    let error = ingest.acknowledged().await.unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (Code::Unavailable, "draining")
    );
}
