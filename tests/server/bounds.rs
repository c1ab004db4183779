//! What a request may cost, whoever sends it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use selectord::wire::proto;
use selectord::wire::proto::label_patch::{SelectorTarget, Target};
use selectord::wire::proto::operation::Operation as Step;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::ServiceExt as _;

use crate::harness::{Server, Setup, patiently, pod, text_selector};

/// The field that a refusal names.
fn field(refusal: &Status) -> String {
    assert_eq!(refusal.code(), Code::InvalidArgument, "{refusal}");
    let details = refusal.get_details_bad_request().unwrap();
    details.field_violations[0].field.clone()
}

fn requirements(from: usize, count: usize) -> Option<proto::Selector> {
    let each: Vec<_> = (from..from + count).map(|i| format!("a{i}!=b")).collect();
    text_selector(&each.join(","))
}

fn patch(selector: Option<proto::Selector>) -> proto::Operation {
    let target = Target::Matching(SelectorTarget {
        kind: proto::Kind::Service.into(),
        namespaces: vec![],
        selector,
    });
    proto::Operation {
        operation: Some(Step::PatchLabels(Box::new(proto::LabelPatch {
            target: Some(target),
            remove: vec!["x".to_owned()],
            ..Default::default()
        }))),
    }
}

#[tokio::test]
async fn a_selector_has_a_limit_wherever_it_comes() {
    let server = Setup::default().start().await;
    let selector = || requirements(0, 1_001);
    let mut query = server.query();
    let count = proto::CountPodsRequest {
        selector: selector(),
        ..Default::default()
    };
    let list = proto::ListServicesRequest {
        selector: selector(),
        ..Default::default()
    };
    let watch = proto::WatchPodsRequest {
        selector: selector(),
        ..Default::default()
    };
    for refusal in [
        query.count_pods(count).await.unwrap_err(),
        query.list_services(list).await.unwrap_err(),
        server.watch().watch_pods(watch).await.unwrap_err(),
    ] {
        assert_eq!(field(&refusal), "selector.text");
        assert!(refusal.message().contains("1000 allowed"), "{refusal}");
    }
    let transaction = |operations| proto::Transaction {
        operations,
        ..Default::default()
    };
    let refusal = server
        .try_commit(transaction(vec![patch(selector())]))
        .await;
    assert_eq!(
        field(&refusal.unwrap_err()),
        "transaction.operations[0].patch_labels.matching.selector.text"
    );
    let within = transaction((0..10).map(|i| patch(requirements(i, 100))).collect());
    server.try_commit(within).await.unwrap();
    let beyond = transaction((0..11).map(|i| patch(requirements(i, 100))).collect());
    let refusal = server.try_commit(beyond).await.unwrap_err();
    assert_eq!(field(&refusal), "transaction.operations");
}

#[tokio::test]
async fn namespaces_have_a_limit_of_number_and_length() {
    let server = Setup::default().start().await;
    let refused = async |namespaces: Vec<String>| {
        let scope = Some(proto::Scope { namespaces });
        let count = proto::CountPodsRequest {
            scope: scope.clone(),
            ..Default::default()
        };
        let watch = proto::WatchPodsRequest {
            scope,
            ..Default::default()
        };
        let counted = server.query().count_pods(count).await.unwrap_err();
        let watched = server.watch().watch_pods(watch).await.unwrap_err();
        assert_eq!(field(&counted), field(&watched));
        field(&counted)
    };
    let many = (0..=10_000).map(|i| format!("n{i}")).collect();
    assert_eq!(refused(many).await, "scope.namespaces");
    let long = vec!["default".to_owned(), "n".repeat(64)];
    assert_eq!(refused(long).await, "scope.namespaces[1]");
}

#[tokio::test]
async fn the_endpoints_of_a_large_service_come_whole_and_in_pieces() {
    let server = Setup::default().start().await;
    let labels = &[("app", "rng")];
    server
        .commit([crate::harness::service("rng", labels)])
        .await;
    let last = server
        .commit((0..2_000).map(|i| pod(&format!("rng-{i}"), i, labels)))
        .await;
    let request = || proto::GetEndpointsRequest {
        namespace: "default".to_owned(),
        name: "rng".to_owned(),
        at_least_revision: last,
    };
    // Those that are not read hold up nobody.
    let mut unread = Vec::new();
    for _ in 0..20 {
        unread.push(
            patiently(server.query().get_endpoints(request()))
                .await
                .unwrap(),
        );
    }
    let answer = patiently(server.query().get_endpoints(request())).await;
    let mut stream = answer.unwrap().into_inner();
    let (mut messages, mut names) = (0, std::collections::BTreeSet::new());
    while let Some(message) = patiently(stream.message()).await.unwrap() {
        messages += 1;
        assert_eq!(message.revision, last);
        let endpoints = message.endpoints.into_iter();
        names.extend(endpoints.map(|endpoint| format!("{endpoint:?}")));
    }
    assert!(messages > 1);
    assert_eq!(names.len(), 2_000);
}

/// The body of a request whose end never comes.
struct Unfinished(Option<Bytes>);

impl http_body::Body for Unfinished {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.0.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None => Poll::Pending,
        }
    }
}

/// What a call ends with of whose message of `length` bytes so many are `sent`.
async fn unfinished(server: &Server, path: &str, length: u32, sent: usize) -> Status {
    let mut bytes = vec![0];
    bytes.extend(length.to_be_bytes());
    bytes.extend(vec![0; sent]);
    let request = http::Request::post(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(tonic::body::Body::new(Unfinished(Some(bytes.into()))))
        .unwrap();
    let response = patiently(server.channel.clone().oneshot(request)).await;
    Status::from_header_map(response.unwrap().headers()).unwrap()
}

const COMMIT: &str = "/selectord.v1.Cluster/Commit";

#[tokio::test]
async fn the_rest_of_a_message_is_not_waited_for_without_end() {
    let wait = Duration::from_millis(20);
    let server = Setup::limits(|limits| limits.message_wait = wait)
        .start()
        .await;
    let refusal = unfinished(&server, COMMIT, 1_000, 900).await;
    assert_eq!(refusal.code(), Code::DeadlineExceeded, "{refusal}");
    server.commit([pod("rng-1", 1, &[])]).await;
}

#[tokio::test]
async fn what_has_arrived_of_unfinished_messages_is_bounded() {
    let server = Setup::limits(|limits| limits.max_arriving_bytes = 100 << 10)
        .start()
        .await;
    let refusal = unfinished(&server, COMMIT, 1 << 20, 300 << 10).await;
    assert_eq!(refusal.code(), Code::ResourceExhausted, "{refusal}");
    let details = refusal.get_details_quota_failure().unwrap();
    assert_eq!(details.violations[0].subject, "max_arriving_bytes");
    // What was held for it is free again.
    let large = (0..500).map(|i| pod(&format!("rng-{i}"), i, &[("app", "rng")]));
    server.commit(large).await;

    let watch = "/selectord.v1.Watch/WatchPods";
    let refusal = unfinished(&server, watch, (1 << 20) + 1, 100).await;
    let details = refusal.get_details_quota_failure().unwrap();
    assert_eq!(details.violations[0].subject, "max_watch_message_bytes");
}
