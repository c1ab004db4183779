use selectord::wire::proto::ingest_request::Step;
use selectord::wire::proto::ingest_response::Result as Answer;
use selectord::wire::{proto, status};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use crate::harness::{Server, Setup, break_pod, change_pod, patiently, pod, service, write};

struct Ingest {
    requests: mpsc::Sender<proto::IngestRequest>,
    answers: Streaming<proto::IngestResponse>,
    sequence: u64,
}

impl Ingest {
    async fn new(server: &Server) -> Ingest {
        let (requests, stream) = mpsc::channel(1_000);
        let answers = patiently(server.cluster().ingest(ReceiverStream::new(stream)))
            .await
            .unwrap()
            .into_inner();
        Ingest {
            requests,
            answers,
            sequence: 0,
        }
    }

    async fn send(&mut self, step: Step) {
        self.sequence += 1;
        let request = proto::IngestRequest {
            sequence: self.sequence,
            step: Some(step),
        };
        self.requests.send(request).await.unwrap();
    }

    async fn next(&mut self) -> Result<proto::IngestResponse, Status> {
        Ok(patiently(self.answers.message()).await?.expect("an answer"))
    }

    /// Sends a step and awaits its answer.
    async fn ask(&mut self, step: Step) -> proto::IngestResponse {
        self.send(step).await;
        self.next().await.unwrap()
    }
}

fn sync_begin() -> Step {
    Step::SyncBegin(proto::SyncBegin {
        source: "k8s".into(),
        kinds: vec![],
        namespaces: vec![],
    })
}

fn refusal(response: proto::IngestResponse) -> Status {
    match response.result {
        Some(Answer::Refused(refusal)) => status::decode_refusal(refusal),
        other => panic!("{other:?}"),
    }
}

async fn count(server: &Server) -> u64 {
    server
        .query()
        .count_pods(proto::CountPodsRequest::default())
        .await
        .unwrap()
        .into_inner()
        .count
}

#[tokio::test]
async fn writes_are_pipelined_and_answered_in_order() {
    let server = Setup::default().start().await;
    let mut ingest = Ingest::new(&server).await;
    for i in 0..300 {
        let name = if i == 100 {
            "Not_A_Name".to_owned()
        } else {
            format!("rng-{i}")
        };
        ingest
            .send(Step::Transaction(write([pod(&name, i, &[])])))
            .await;
    }
    let mut revision = 0;
    for sequence in 1..=300 {
        let answer = ingest.next().await.unwrap();
        assert_eq!(answer.sequence, sequence);
        if sequence == 101 {
            assert_eq!(refusal(answer).code(), Code::InvalidArgument);
        } else {
            revision += 1;
            assert_eq!(answer.result, Some(Answer::Revision(revision)));
        }
    }
    drop(ingest.requests);
    assert!(patiently(ingest.answers.message()).await.unwrap().is_none());
    assert_eq!(count(&server).await, 299);
}

#[tokio::test]
async fn sequences_must_grow() {
    let server = Setup::default().start().await;
    let mut ingest = Ingest::new(&server).await;
    ingest
        .ask(Step::Transaction(write([pod("rng-1", 1, &[])])))
        .await;
    ingest.sequence = 0;
    ingest
        .send(Step::Transaction(write([pod("rng-2", 2, &[])])))
        .await;
    assert_eq!(
        ingest.next().await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn a_sync_deletes_what_it_does_not_mention_be_it_legal_or_not() {
    let server = Setup::default().start().await;
    let mut ingest = Ingest::new(&server).await;
    ingest.ask(sync_begin()).await;
    let objects = [
        pod("kept", 1, &[]),
        pod("refused", 2, &[]),
        pod("gone", 3, &[]),
        service("gone", &[("a", "b")]),
    ];
    ingest.ask(Step::Transaction(write(objects))).await;
    assert_eq!(
        ingest.ask(Step::SyncEnd(proto::SyncEnd {})).await.deleted,
        0
    );
    server.commit([pod("by-hand", 4, &[])]).await;

    ingest.ask(sync_begin()).await;
    ingest
        .ask(Step::Transaction(write([pod("kept", 1, &[])])))
        .await;
    let mut illegal = write([pod("refused", 2, &[])]);
    change_pod(&mut illegal.operations[0], |pod| {
        pod.pod_ips = vec!["nonsense".into()];
    });
    assert_eq!(
        refusal(ingest.ask(Step::Transaction(illegal)).await).code(),
        Code::InvalidArgument
    );
    let end = ingest.ask(Step::SyncEnd(proto::SyncEnd {})).await;
    assert_eq!((end.deleted, end.result), (2, Some(Answer::Revision(3))));
    assert_eq!(count(&server).await, 3);
}

/// Nobody knows which pod it is, and a sync that went on would delete it.
#[tokio::test]
async fn a_pod_that_cannot_be_read_ends_a_sync() {
    let server = Setup::default().start().await;
    let mut ingest = Ingest::new(&server).await;
    let mut broken = write([pod("rng-1", 1, &[])]);
    break_pod(&mut broken.operations[0]);
    let refused = ingest.ask(Step::Transaction(broken.clone())).await;
    assert_eq!(refusal(refused).code(), Code::InvalidArgument);

    let mut first = Ingest::new(&server).await;
    first.ask(sync_begin()).await;
    first
        .ask(Step::Transaction(write([pod("rng-1", 1, &[])])))
        .await;
    first.ask(Step::SyncEnd(proto::SyncEnd {})).await;

    ingest.ask(sync_begin()).await;
    ingest.send(Step::Transaction(broken)).await;
    // Nobody may be there to read it any more.
    let end = proto::IngestRequest {
        sequence: ingest.sequence + 1,
        step: Some(Step::SyncEnd(proto::SyncEnd {})),
    };
    ingest.requests.send(end).await.ok();
    let ended = ingest.next().await.unwrap_err();
    assert_eq!(ended.code(), Code::InvalidArgument);
    assert!(
        ended
            .message()
            .contains("transaction.operations[0].put_pod"),
        "{ended}"
    );
    assert_eq!(count(&server).await, 1);
}

#[tokio::test]
async fn a_second_sync_aborts_the_first() {
    let server = Setup::default().start().await;
    let (mut first, mut second) = (Ingest::new(&server).await, Ingest::new(&server).await);
    first.ask(sync_begin()).await;
    first
        .ask(Step::Transaction(write([pod("rng-1", 1, &[])])))
        .await;
    second.ask(sync_begin()).await;
    for step in [
        Step::Transaction(write([pod("rng-2", 2, &[])])),
        Step::SyncEnd(proto::SyncEnd {}),
    ] {
        assert_eq!(refusal(first.ask(step).await).code(), Code::Aborted);
    }
    assert_eq!(count(&server).await, 1);
    assert_eq!(
        second.ask(Step::SyncEnd(proto::SyncEnd {})).await.deleted,
        1
    );
}

#[tokio::test]
async fn a_stream_that_ends_before_its_sync_deletes_nothing() {
    let server = Setup::default().start().await;
    let mut ingest = Ingest::new(&server).await;
    ingest.ask(sync_begin()).await;
    ingest
        .ask(Step::Transaction(write([pod("rng-1", 1, &[])])))
        .await;
    ingest.ask(Step::SyncEnd(proto::SyncEnd {})).await;
    ingest.ask(sync_begin()).await;
    drop(ingest.requests);
    assert!(patiently(ingest.answers.message()).await.unwrap().is_none());
    assert_eq!(count(&server).await, 1);
}

#[tokio::test]
async fn a_drain_tells_the_writer() {
    let server = Setup::default().start().await;
    let mut ingest = Ingest::new(&server).await;
    ingest
        .ask(Step::Transaction(write([pod("rng-1", 1, &[])])))
        .await;
    server.drain();
    assert_eq!(ingest.next().await.unwrap_err().code(), Code::Unavailable);
    server.stop().await;
}
