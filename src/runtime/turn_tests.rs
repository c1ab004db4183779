//! What is done in one turn of the engine's thread.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::Poll;

use crate::engine::{Engine, Namespaces, Scope, Walk};
use crate::model::{Kind, LabelPatch, Operation, PatchTarget, Revision, Transaction};
use crate::store::MemoryStore;
use crate::wire::MessageWriter;

use super::tests::{by, pod, pod_ref, put, started};
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
    let (mut busy, go_on) = busy(runtime).await;
    let mut submitted = Vec::new();
    for transaction in transactions {
        submitted.push(runtime.submit(transaction, "".into(), None).await.unwrap());
    }
    let mut question = pin!(runtime.query(Engine::head));
    assert!(poll_once(question.as_mut()).await.is_pending());
    go_on.send(()).unwrap();
    busy.as_mut().await.unwrap();
    let answered = question.await.unwrap();
    for pending in submitted {
        pending.committed().await.unwrap();
    }
    answered
}

/// Keeps the thread from everything until it is told to go on.
async fn busy(
    runtime: &Runtime,
) -> (
    Pin<Box<impl Future<Output = Result<(), Stopped>>>>,
    mpsc::Sender<()>,
) {
    let (started, starts) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let mut busy = Box::pin(runtime.query(move |_| {
        started.send(()).unwrap();
        goes_on.recv().unwrap();
    }));
    assert!(poll_once(busy.as_mut()).await.is_pending());
    starts.recv().unwrap();
    (busy, go_on)
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

#[tokio::test]
async fn large_writes_wait_before_they_are_queued() {
    let options = RuntimeOptions {
        max_queued_bytes: 1 << 20,
        ..RuntimeOptions::default()
    };
    let (runtime, _thread) = start(Box::new(MemoryStore::new().unwrap()), options).unwrap();
    let (mut busy, go_on) = busy(&runtime).await;
    let large = |i: u32| by("", (0..200).map(|j| pod(&format!("rng-{i}-{j}"))));
    let mut handed_over = Vec::new();
    let waiting = loop {
        assert!(handed_over.len() < 50, "nothing bounds them");
        let number = u32::try_from(handed_over.len()).unwrap();
        let mut submitted = Box::pin(runtime.submit(large(number), "".into(), None));
        match poll_once(submitted.as_mut()).await {
            Poll::Ready(pending) => handed_over.push(pending.unwrap()),
            Poll::Pending => break submitted,
        }
    };
    assert!(handed_over.len() > 1, "hardly anything is let through");
    go_on.send(()).unwrap();
    busy.as_mut().await.unwrap();
    handed_over.push(waiting.await.unwrap());
    for (i, pending) in (1..).zip(handed_over) {
        assert_eq!(pending.committed().await.unwrap().revision, i);
    }
    // One that is larger than all the room there is goes by itself.
    let huge = by("", (0..9_000).map(|j| pod(&format!("huge-{j}"))));
    assert!(runtime.commit(huge, "".into()).await.is_ok());
}

#[tokio::test]
async fn a_sync_remembers_no_more_than_there_is() {
    let options = RuntimeOptions {
        max_syncs: 1,
        ..RuntimeOptions::default()
    };
    let (runtime, _thread) = start(Box::new(MemoryStore::new().unwrap()), options).unwrap();
    let there = (0..500).map(|i| pod(&format!("rng-{i}")));
    runtime.commit(by("k8s", there), "".into()).await.unwrap();
    let begin = || runtime.begin_sync("k8s".into(), [Kind::Pod].into(), Namespaces::all());
    let mut session = begin().await.unwrap();
    for i in 0..10_000 {
        let object = pod_ref(&format!("rng-{}", i + 100));
        runtime.mention(&mut session, object).await.unwrap();
    }
    assert!(session.remembered() < 700, "{}", session.remembered());
    assert_eq!(begin().await.unwrap_err(), SyncError::TooMany { limit: 1 });
    assert_eq!(runtime.end_sync(session).await.unwrap().deleted, 100);
    assert!(begin().await.is_ok());
}

#[tokio::test]
async fn a_query_waits_for_no_more_than_one_piece_of_catch_up() {
    let (runtime, _thread) = started();
    let (mut first, go_on) = busy(&runtime).await;
    let mut pieces = Vec::new();
    for _ in 0..50 {
        let walk = Walk::new(Scope::all(), None);
        let mut piece = Box::pin(runtime.catch_up(walk, MessageWriter::new(1 << 16, 0)));
        assert!(poll_once(piece.as_mut()).await.is_pending());
        pieces.push(piece);
    }
    let (answered, is_answered) = mpsc::channel();
    let (end, ends) = mpsc::channel::<()>();
    let mut query = pin!(runtime.query(move |_| {
        answered.send(()).unwrap();
        ends.recv().unwrap();
    }));
    assert!(poll_once(query.as_mut()).await.is_pending());
    go_on.send(()).unwrap();
    is_answered.recv().unwrap();
    let mut told = 0;
    for piece in &mut pieces {
        told += u32::from(poll_once(piece.as_mut()).await.is_ready());
    }
    assert!(told < 2, "the query waited for {told} pieces");
    end.send(()).unwrap();
    first.as_mut().await.unwrap();
    query.await.unwrap();
}
