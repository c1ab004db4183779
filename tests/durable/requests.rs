//! What was answered before a restart is asked again: it is answered from memory, and not applied twice.

use selectord::client::Client;
use selectord::model::{Expectation, Kind, Precondition, Transaction};
use selectord::store::{EmbeddedStore, MAX_REQUESTS, Request, Store as _};
use tonic::Code;

use crate::histories::open;
use crate::process::Server;
use crate::support::build::*;

/// A pod that must not be there yet.
fn new_pod(text: &str) -> Transaction {
    Transaction {
        preconditions: vec![Precondition {
            object: reference(Kind::Pod, text),
            expect: Expectation::Absent,
        }],
        operations: vec![put_op(pod(text))],
        ..Transaction::default()
    }
}

async fn are_remembered(journal_bytes: &str) {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "--data-dir",
        folder.path().to_str().unwrap(),
        "--journal-bytes",
        journal_bytes,
        "--disk-reserve",
        "0",
    ];
    let nothing = asked([delete_op(Kind::Pod, "d/b")]);
    let server = Server::start(&arguments);
    let client = Client::connect(&server.address).await.unwrap();
    let first = client.commit(new_pod("d/a"), "first").await.unwrap();
    assert_eq!((first.revision, first.results.len()), (1, 1));
    // It changes nothing now, and would later.
    let none = client.commit(nothing.clone(), "none").await.unwrap();
    assert_eq!(none.revision, 1);
    let last = client.commit(new_pod("d/b"), "last").await.unwrap();
    assert_eq!(last.revision, 2);
    drop(server);
    for _ in 0..3 {
        let server = Server::start(&arguments);
        let client = Client::connect(&server.address).await.unwrap();
        let again = client.commit(new_pod("d/a"), "first").await.unwrap();
        assert_eq!((again.revision, again.results.len()), (1, 0));
        assert_eq!(again.resolved_at, first.resolved_at);
        let again = client.commit(nothing.clone(), "none").await.unwrap();
        assert_eq!((again.revision, again.resolved_at), (1, 1));
        let again = client.commit(new_pod("d/b"), "last").await.unwrap();
        assert_eq!((again.revision, again.resolved_at), (2, 1));
        assert_eq!(client.status().await.unwrap().revision, 2);
        client.pod(&name("d/b")).await.unwrap();

        let another = client.commit(new_pod("d/c"), "first").await.unwrap_err();
        assert_eq!(another.code(), Code::InvalidArgument, "{another}");
        let without = client.commit(new_pod("d/a"), "").await.unwrap_err();
        assert_eq!(without.code(), Code::FailedPrecondition, "{without}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_the_journal_are_remembered() {
    are_remembered("1000000").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_the_state_are_remembered() {
    are_remembered("1").await;
}

#[test]
fn the_last_ones_are_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let mut number = 0;
    for life in 0..6 {
        let (mut store, mut engine) = open(folder.path(), Default::default(), life % 3 * 20_000);
        let answered = store.answered_requests();
        assert_eq!(answered.len(), MAX_REQUESTS.min(number as usize));
        for (at, request) in (1..).zip(answered.iter().rev()) {
            let expected = number + 1 - at;
            assert_eq!(request.request_id, expected.to_string());
            assert_eq!((request.digest, request.revision), (!expected, 0));
        }
        let mut ask = |store: &mut EmbeddedStore, count: u64| {
            let requests: Vec<Request> = (0..count)
                .map(|_| {
                    number += 1;
                    Request {
                        request_id: number.to_string().into(),
                        digest: !number,
                        before: 0,
                        appended: 0,
                    }
                })
                .collect();
            assert!(store.append_for(&requests, &[]).unwrap().is_empty());
            store.sync().unwrap();
            store.applied(&mut engine);
        };
        for count in [1, 700, 20, 300] {
            ask(&mut store, count);
        }
        if life == 4 {
            ask(&mut store, 2 * MAX_REQUESTS as u64);
        }
    }
}
