use std::time::Duration;

use selectord::engine::ResolveLimits;
use selectord::labels::{Key, Value};
use selectord::model::{
    Expectation, Kind, LabelPatch, ObjectName, ObjectRef, Operation, PatchTarget, Precondition,
    Transaction,
};
use selectord::runtime::RuntimeOptions;
use selectord::wire::{WriteRequest, encode_transaction, proto};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::harness::{
    Server, Setup, break_pod, change_pod, patiently, pod, service, text_selector, write,
};

fn patch(name: &str, value: &str) -> Operation {
    Operation::PatchLabels(LabelPatch {
        target: PatchTarget::Object(ObjectRef::new(Kind::Pod, ObjectName::new("default", name))),
        set: vec![(Key::new("app").unwrap(), Value::new(value).unwrap())],
        remove: vec![],
        overwrite: false,
    })
}

async fn refused(server: &Server, transaction: proto::Transaction) -> Status {
    let refused = server.try_commit(transaction).await.unwrap_err();
    assert_eq!(server.runtime.head().revision, 1, "{refused}");
    refused
}

/// A server with one pod at revision 1.
async fn server() -> Server {
    let server = Setup::default().start().await;
    server.commit([pod("rng-1", 1, &[("app", "rng")])]).await;
    server
}

#[tokio::test]
async fn every_illegal_field_is_named() {
    let server = server().await;
    let mut transaction = write([
        pod("rng-2", 2, &[]),
        pod("Not_A_Name", 3, &[]),
        pod("rng-3", 4, &[]),
    ]);
    break_pod(&mut transaction.operations[2]);
    change_pod(&mut transaction.operations[0], |pod| {
        pod.labels = vec![proto::Label {
            key: "-x".into(),
            value: "y".into(),
        }];
        pod.pod_ips = vec!["10.0.0.256".into()];
    });
    let status = refused(&server, transaction).await;
    assert_eq!(status.code(), Code::InvalidArgument);
    let violations = status.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<_> = violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "transaction.operations[0].put_pod.labels",
            "transaction.operations[0].put_pod.pod_ips[0]",
            "transaction.operations[1].put_pod.name",
            "transaction.operations[2].put_pod",
        ]
    );
}

#[tokio::test]
async fn a_precondition_that_does_not_hold_names_its_object() {
    let server = server().await;
    let object = ObjectRef::new(Kind::Pod, ObjectName::new("default", "rng-1"));
    for (expect, kind) in [
        (Expectation::Absent, "EXISTENCE"),
        (Expectation::Revision(7), "REVISION"),
    ] {
        let transaction = Transaction {
            preconditions: vec![Precondition {
                object: object.clone(),
                expect,
            }],
            operations: vec![pod("rng-2", 2, &[])],
            ..Transaction::default()
        };
        let transaction = encode_transaction(&WriteRequest {
            transaction,
            request_id: "".into(),
        });
        let status = refused(&server, transaction).await;
        let violation = status
            .get_details_precondition_failure()
            .unwrap()
            .violations
            .remove(0);
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(
            (violation.r#type.as_str(), violation.subject.as_str()),
            (kind, "pod default/rng-1")
        );
    }
}

#[tokio::test]
async fn label_patches_follow_kubectl() {
    let server = server().await;
    let conflict = refused(&server, write([patch("rng-1", "hasher")])).await;
    assert_eq!(conflict.code(), Code::FailedPrecondition);
    let missing = refused(&server, write([patch("rng-9", "rng")])).await;
    let info = missing.get_details_resource_info().unwrap();
    assert_eq!(
        (missing.code(), info.resource_name.as_str()),
        (Code::NotFound, "default/rng-9")
    );
    let same = server
        .try_commit(write([patch("rng-1", "rng")]))
        .await
        .unwrap();
    assert_eq!(same.revision, 1);
}

#[tokio::test]
async fn limits_are_answered_by_name() {
    let mut setup = Setup::limits(|limits| {
        limits.max_message_bytes = 2_000;
        limits.max_subscribers = 1;
    });
    setup.runtime = RuntimeOptions {
        resolve: ResolveLimits {
            max_operations: 3,
            max_labels: 2,
        },
        max_live_queries: 0,
        ..RuntimeOptions::default()
    };
    let server = setup.start().await;
    let quota = |status: &Status| {
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        status
            .get_details_quota_failure()
            .unwrap()
            .violations
            .remove(0)
            .subject
    };

    let four = write((0..4).map(|i| pod(&format!("p{i}"), i, &[])));
    assert_eq!(
        quota(&server.try_commit(four).await.unwrap_err()),
        "max_operations"
    );

    let large = write((0..100).map(|i| pod(&format!("p{i}"), i, &[])));
    assert_eq!(
        quota(&server.try_commit(large).await.unwrap_err()),
        "max_message_bytes"
    );

    let labelled = write([pod("p", 1, &[("a", "1"), ("b", "2"), ("c", "3")])]);
    let status = server.try_commit(labelled).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("max_labels is 2"), "{status}");

    let watch = || async {
        let request = proto::WatchPodsRequest {
            selector: text_selector("app"),
            ..Default::default()
        };
        patiently(server.watch().watch_pods(request)).await
    };
    assert_eq!(quota(&watch().await.unwrap_err()), "max_live_queries");
    let scope = selectord::engine::Scope::all();
    let mut first = crate::subscriber::Subscriber::new(&server, &scope, None).await;
    first.next().await.unwrap();
    assert_eq!(quota(&watch().await.unwrap_err()), "max_subscribers");

    let page = Some(proto::PageRequest {
        page_size: 5_001,
        ..Default::default()
    });
    let status = server
        .query()
        .list_pods(proto::ListPodsRequest {
            page,
            ..Default::default()
        })
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_retry_with_its_request_id_is_applied_once() {
    let server = server().await;
    let mut transaction = write([pod("rng-2", 2, &[]), service("rng", &[("app", "rng")])]);
    transaction.request_id = "8d1a".into();
    let first = server.try_commit(transaction.clone()).await.unwrap();
    server.commit([pod("rng-3", 3, &[])]).await;
    let again = server.try_commit(transaction).await.unwrap();
    assert_eq!((first.revision, again), (2, first));
}

#[tokio::test]
async fn a_stream_that_asks_for_nothing_is_counted() {
    let server = Setup::limits(|limits| limits.max_subscribers = 1)
        .start()
        .await;
    let (_asks, requests) = tokio::sync::mpsc::channel(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
    let _silent = patiently(server.watch().watch_endpoints(requests))
        .await
        .unwrap();
    crate::subscribers::wait_for_subscribers(&server, |listed| listed.len() == 1).await;
    let mut watch = server.watch();
    let refusal = patiently(watch.watch_pods(proto::WatchPodsRequest::default()));
    let refusal = refusal.await.unwrap_err();
    assert_eq!(refusal.code(), Code::ResourceExhausted, "{refusal}");
}

#[tokio::test]
async fn a_stream_that_asks_for_nothing_is_ended() {
    let server = Setup::limits(|limits| limits.subscribe_wait = Duration::ZERO)
        .start()
        .await;
    let (_asks, requests) = tokio::sync::mpsc::channel(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(requests);
    let mut silent = patiently(server.watch().watch_endpoints(requests))
        .await
        .unwrap()
        .into_inner();
    let ended = patiently(silent.message()).await.unwrap_err();
    assert_eq!(ended.code(), Code::DeadlineExceeded, "{ended}");
}

#[tokio::test]
async fn connections_are_limited() {
    let server = Setup::limits(|limits| limits.max_connections = 2)
        .start()
        .await;
    let answered = async |channel: Channel| {
        let mut client = proto::query_client::QueryClient::new(channel);
        let count = client.count_pods(proto::CountPodsRequest::default());
        patiently(count).await.is_ok()
    };
    let connect = async || {
        let endpoint = Endpoint::from_shared(server.address.clone()).unwrap();
        patiently(endpoint.connect()).await
    };
    assert!(answered(server.channel.clone()).await);
    let second = connect().await.unwrap();
    assert!(answered(second.clone()).await);
    let refused = match connect().await {
        Ok(third) => !answered(third).await,
        Err(_) => true,
    };
    assert!(refused);
    assert!(answered(server.channel.clone()).await);
    // A place that is given up is there for another.
    drop(second);
    patiently(async {
        loop {
            if let Ok(third) = connect().await
                && answered(third).await
            {
                return;
            }
        }
    })
    .await;
}
