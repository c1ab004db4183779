//! What is done in one turn of the engine's thread.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::Poll;

use crate::engine::Engine;
use crate::model::{Kind, LabelPatch, Operation, PatchTarget, Revision, Transaction};

use super::tests::{by, pod, put, started};
use super::*;

/// A label patch of all pods, to another value each time.
fn relabel(value: u64) -> Transaction {
    let patch = LabelPatch {
        target: PatchTarget::Selector {
            kind: Kind::Pod,
            namespaces: Vec::new(),
            selector: "app=rng".parse().unwrap(),
        },
        set: vec![("round".parse().unwrap(), value.to_string().parse().unwrap())],
        remove: Vec::new(),
        overwrite: true,
    };
    by("", [Operation::PatchLabels(patch)])
}

/// Hands over transactions, and a question behind them, while the thread is busy; answers the
/// revision at which the question is answered.
async fn asked_behind(runtime: &Runtime, transactions: Vec<Transaction>) -> Revision {
    let (started, starts) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let mut busy = pin!(runtime.query(move |_| {
        started.send(()).unwrap();
        goes_on.recv().unwrap();
    }));
    assert!(poll_once(busy.as_mut()).await.is_pending());
    starts.recv().unwrap();
    let mut submitted = Vec::new();
    for transaction in transactions {
        submitted.push(runtime.submit(transaction, "".into(), None).await.unwrap());
    }
    let mut question = pin!(runtime.query(Engine::head));
    assert!(poll_once(question.as_mut()).await.is_pending());
    go_on.send(()).unwrap();
    busy.await.unwrap();
    let answered = question.await.unwrap();
    for pending in submitted {
        pending.committed().await.unwrap();
    }
    answered
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

#[tokio::test]
async fn a_query_waits_for_no_more_objects_than_a_group_may_have() {
    let (runtime, _thread) = started();
    let pods = (0..100).map(|i| pod(&format!("rng-{i}")));
    runtime.commit(by("", pods), "".into()).await.unwrap();
    // Each is one operation, and comes to a hundred objects.
    let head = asked_behind(&runtime, (0..8).map(relabel).collect()).await;
    assert_eq!((head, runtime.head().revision), (2, 9));
    // The same again changes nothing, and is not for nothing.
    let head = asked_behind(&runtime, vec![relabel(7), relabel(7), relabel(8)]).await;
    assert_eq!((head, runtime.head().revision), (9, 10));
    // One that is too large for the rest of a group is left for the next.
    let few = || (0..63).map(|i| put(&format!("few-{i}")));
    let many = by("", (0..200).map(|i| pod(&format!("many-{i}"))));
    let head = asked_behind(&runtime, few().chain([many]).collect()).await;
    assert_eq!((head, runtime.head().revision), (73, 74));
    let again = (0..10).map(|i| by("other", [pod(&format!("few-{i}"))]));
    let head = asked_behind(&runtime, again.chain([relabel(9)]).collect()).await;
    assert_eq!((head, runtime.head().revision), (84, 85));
    // Small ones are written together.
    let small = (0..100).map(|i| put(&format!("small-{i}"))).collect();
    let head = asked_behind(&runtime, small).await;
    assert_eq!((head, runtime.head().revision), (85 + 64, 85 + 100));
    assert!(runtime.query(Engine::verify).await.unwrap().is_empty());
}
