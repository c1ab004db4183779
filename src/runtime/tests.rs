use std::io;

use prost::Message as _;
use smol_str::SmolStr;

use crate::engine::{Namespaces, Outcome, Progress, Scope, Walk};
use crate::labels::LabelSet;
use crate::model::{
    Expectation, Kind, Object, ObjectName, ObjectRef, Operation, Pod, Precondition,
    ResolvedTransaction, Revision, Service, ServicePort, TargetPort, Transaction,
};
use crate::selector::Selector;
use crate::store::{HistoryId, MemoryStore, Store, StoreError};
use crate::wire::proto::{EventType, WatchEndpointsResponse};
use crate::wire::{Checkpoint, EncodedMessage, MessageWriter};

use super::*;

pub(super) fn pod(name: &str) -> Operation {
    let labels = LabelSet::try_from_pairs([("app", "rng")]).unwrap();
    Operation::Put(Object::Pod(Box::new(Pod {
        name: ObjectName::new("default", name),
        labels,
        ..Pod::default()
    })))
}

fn service(name: &str) -> Operation {
    let port = ServicePort {
        name: SmolStr::default(),
        protocol: crate::model::Protocol::Tcp,
        port: 80,
        target_port: TargetPort::Number(80),
        node_port: 0,
        app_protocol: SmolStr::default(),
    };
    let name = ObjectName::new("default", name);
    Operation::Put(Object::Service(Box::new(Service {
        name,
        ports: vec![port],
        ..Service::default()
    })))
}

pub(super) fn by(source: &str, operations: impl IntoIterator<Item = Operation>) -> Transaction {
    Transaction {
        operations: operations.into_iter().collect(),
        source: source.into(),
        ..Transaction::default()
    }
}

pub(super) fn put(name: &str) -> Transaction {
    by("", [pod(name)])
}

pub(super) fn pod_ref(name: &str) -> ObjectRef {
    ObjectRef::new(Kind::Pod, ObjectName::new("default", name))
}

pub(super) fn started() -> (Runtime, RuntimeThread) {
    started_on(Box::new(MemoryStore::new().unwrap()))
}

fn started_on(store: Box<dyn Store>) -> (Runtime, RuntimeThread) {
    start(
        store,
        RuntimeOptions {
            max_live_queries: 1,
            ..RuntimeOptions::default()
        },
    )
    .unwrap()
}

async fn count(runtime: &Runtime) -> u64 {
    runtime
        .query(|engine| engine.count(&Selector::everything(), &Namespaces::all()))
        .await
        .unwrap()
}

/// Fails once when told to.
#[derive(Debug)]
struct Failing {
    store: MemoryStore,
    append: bool,
    undo: bool,
    sync: bool,
}

impl Failing {
    fn new() -> Self {
        Failing {
            store: MemoryStore::with_history(HistoryId::from_bytes([1; 16])),
            append: false,
            undo: false,
            sync: false,
        }
    }
}

impl Store for Failing {
    fn kind(&self) -> &'static str {
        "failing"
    }

    fn history(&self) -> HistoryId {
        self.store.history()
    }

    fn append(&mut self, group: &[ResolvedTransaction]) -> Result<Vec<Revision>, StoreError> {
        if std::mem::take(&mut self.append) {
            Err(StoreError::Full)
        } else if std::mem::take(&mut self.undo) {
            Err(StoreError::InDoubt(io::Error::other("the disk is gone")))
        } else {
            self.store.append(group)
        }
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        if std::mem::take(&mut self.sync) {
            Err(io::Error::other("the disk is gone").into())
        } else {
            Ok(())
        }
    }
}

#[tokio::test]
async fn an_acknowledged_write_is_seen_by_every_later_read() {
    let (runtime, thread) = started();
    for i in 1..=3u64 {
        let committed = runtime
            .commit(put(&format!("rng-{i}")), "".into())
            .await
            .unwrap();
        assert_eq!((committed.revision, runtime.head().revision), (i, i));
        assert_eq!(count(&runtime).await, i);
    }
    thread.shutdown().await.unwrap();
}

#[tokio::test]
async fn what_changes_nothing_gets_no_revision() {
    let (runtime, _thread) = started();
    runtime.commit(put("rng-1"), "".into()).await.unwrap();
    let again = runtime.commit(put("rng-1"), "".into()).await.unwrap();
    assert_eq!(again.revision, 1);
    assert_eq!(
        again.results.first().map(|result| result.outcome),
        Some(Outcome::Unchanged)
    );
}

#[tokio::test]
async fn revisions_never_fall_for_who_writes_what_changes_nothing_in_between() {
    let (runtime, _thread) = started();
    runtime.commit(put("rng"), "".into()).await.unwrap();
    let mut submitted = Vec::new();
    for number in 0..100 {
        for name in ["rng", &format!("rng-{number}")] {
            submitted.push(runtime.submit(put(name), "".into(), None).await.unwrap());
        }
    }
    let mut revisions = Vec::new();
    for pending in submitted {
        revisions.push(pending.committed().await.unwrap().revision);
    }
    let expected: Vec<Revision> = (1..=100).flat_map(|before| [before, before + 1]).collect();
    assert_eq!(revisions, expected);
}

#[tokio::test]
async fn a_retry_is_answered_as_the_first_was() {
    let (runtime, _thread) = started();
    let first = runtime
        .submit(put("rng-1"), "a".into(), None)
        .await
        .unwrap();
    let retry = runtime
        .submit(put("rng-1"), "a".into(), None)
        .await
        .unwrap();
    let (first, retry) = (
        first.committed().await.unwrap(),
        retry.committed().await.unwrap(),
    );
    runtime
        .commit(by("", [Operation::Delete(pod_ref("rng-1"))]), "".into())
        .await
        .unwrap();
    let late = runtime.commit(put("rng-1"), "a".into()).await.unwrap();
    for answer in [retry, late] {
        assert_eq!(
            (answer.revision, &answer.results),
            (first.revision, &first.results)
        );
    }
    assert_eq!(count(&runtime).await, 0);
}

#[tokio::test]
async fn another_transaction_under_the_same_id_is_refused() {
    let (runtime, _thread) = started();
    let first = runtime.submit(put("rng-1"), "a".into(), None).await;
    let other = runtime.submit(put("rng-2"), "a".into(), None).await;
    assert!(first.unwrap().committed().await.is_ok());
    let late = runtime.commit(put("rng-3"), "a".into()).await;
    for answer in [other.unwrap().committed().await, late] {
        assert!(matches!(answer, Err(CommitError::RequestIdReused { .. })));
    }
    assert_eq!(count(&runtime).await, 1);
}

#[tokio::test]
async fn a_refused_transaction_changes_nothing_and_holds_nobody_up() {
    let (runtime, _thread) = started();
    let mut refused = put("rng-1");
    refused.preconditions = vec![Precondition {
        object: pod_ref("rng-0"),
        expect: Expectation::Exists,
    }];
    let refused = runtime.submit(refused, "".into(), None).await.unwrap();
    let taken = runtime.submit(put("rng-2"), "".into(), None).await.unwrap();
    assert!(matches!(
        refused.committed().await,
        Err(CommitError::Refused(_))
    ));
    assert_eq!(taken.committed().await.unwrap().revision, 1);
    assert_eq!(count(&runtime).await, 1);
}

#[tokio::test]
async fn an_append_refused_for_want_of_room_is_undone() {
    let (runtime, _thread) = started_on(Box::new(Failing {
        append: true,
        ..Failing::new()
    }));
    let refused = runtime.commit(put("rng-1"), "a".into()).await;
    assert!(matches!(refused, Err(CommitError::Store(_))));
    assert_eq!(count(&runtime).await, 0);
    assert_eq!(
        runtime
            .commit(put("rng-1"), "a".into())
            .await
            .unwrap()
            .revision,
        1
    );
}

#[tokio::test]
async fn after_a_failed_sync_or_undoing_reads_go_on_and_writes_do_not() {
    for undo in [false, true] {
        let (runtime, _thread) = started_on(Box::new(Failing {
            undo,
            sync: !undo,
            ..Failing::new()
        }));
        let first = runtime.commit(put("rng-1"), "".into()).await;
        assert!(matches!(first, Err(CommitError::Unknown)));
        let second = runtime.commit(put("rng-1"), "".into()).await;
        assert!(matches!(second, Err(CommitError::ReadOnly)));
        let fault = runtime.store_fault();
        assert!(
            fault.is_some_and(|fault| fault.contains("writes are refused until a restart")),
            "{fault:?}"
        );
        assert_eq!((count(&runtime).await, runtime.head().revision), (0, 0));
    }
}

#[tokio::test]
async fn a_sync_deletes_what_its_source_did_not_mention() {
    let (runtime, _thread) = started();
    runtime
        .commit(
            by("k8s", [pod("kept"), pod("gone"), service("other-kind")]),
            "".into(),
        )
        .await
        .unwrap();
    runtime
        .commit(by("hand", [pod("not-its-own")]), "".into())
        .await
        .unwrap();
    let mut session = runtime
        .begin_sync("k8s".into(), [Kind::Pod].into(), Namespaces::all())
        .await
        .unwrap();
    runtime
        .commit(by("k8s", [pod("later")]), "".into())
        .await
        .unwrap();
    for name in ["kept", "never-there", "later"] {
        runtime.mention(&mut session, pod_ref(name)).await.unwrap();
    }
    let end = runtime.end_sync(session).await.unwrap();
    assert_eq!(
        end,
        SyncEnd {
            revision: 4,
            deleted: 1
        }
    );
    let left =
        |name: &'static str| runtime.query(move |engine| engine.get(&pod_ref(name)).is_some());
    assert!(!left("gone").await.unwrap());
    for name in ["kept", "not-its-own", "later"] {
        assert!(left(name).await.unwrap(), "{name}");
    }
}

#[tokio::test]
async fn a_second_sync_of_a_source_aborts_the_first() {
    let (runtime, _thread) = started();
    runtime
        .commit(by("k8s", [pod("rng-1")]), "".into())
        .await
        .unwrap();
    let begin = || runtime.begin_sync("k8s".into(), [Kind::Pod].into(), Namespaces::all());
    let first = begin().await.unwrap();
    let second = begin().await.unwrap();
    let late = runtime
        .submit(put("rng-2"), "".into(), Some(first.id().clone()))
        .await
        .unwrap();
    assert!(matches!(
        late.committed().await,
        Err(CommitError::SyncAborted { .. })
    ));
    assert!(matches!(
        runtime.end_sync(first).await,
        Err(CommitError::SyncAborted { .. })
    ));
    assert_eq!(count(&runtime).await, 1);
    assert_eq!(runtime.end_sync(second).await.unwrap().deleted, 1);
}

#[tokio::test]
async fn a_sync_that_is_broken_off_deletes_nothing() {
    let (runtime, _thread) = started();
    runtime
        .commit(by("k8s", [pod("rng-1")]), "".into())
        .await
        .unwrap();
    drop(
        runtime
            .begin_sync("k8s".into(), [Kind::Pod].into(), Namespaces::all())
            .await
            .unwrap(),
    );
    runtime.commit(put("rng-2"), "".into()).await.unwrap();
    assert_eq!(count(&runtime).await, 2);
}

#[tokio::test]
async fn catch_up_comes_to_the_head_in_pieces() {
    let (runtime, _thread) = started();
    let services = (0..600).map(|i| service(&format!("s{i}")));
    runtime.commit(by("", services), "".into()).await.unwrap();
    let (mut walk, mut out) = (
        Walk::new(Scope::all(), None),
        MessageWriter::new(8 << 10, 0),
    );
    let (mut pieces, mut told) = (0, 0);
    let mut count = |message: EncodedMessage| {
        let message = WatchEndpointsResponse::decode(message.body()).unwrap();
        let replaces = message.events.iter();
        told += replaces
            .filter(|event| event.r#type() == EventType::Replace)
            .count();
    };
    let head = loop {
        let piece = runtime.catch_up(walk, out).await.unwrap();
        (walk, out) = (piece.walk, piece.out);
        pieces += 1;
        out.take_full().map(&mut count);
        if let Progress::Head(revision) = piece.progress {
            assert_eq!(piece.head.revision, revision);
            break revision;
        }
    };
    count(out.checkpoint(&Checkpoint::default()));
    assert_eq!((head, told), (1, 600));
    assert!(pieces > 1);
}

#[tokio::test]
async fn live_queries_are_limited_and_closed_with_their_guards() {
    let (runtime, _thread) = started();
    let open = |text: &str| runtime.open_live_query(text.parse().unwrap(), Namespaces::all());
    let (first, same) = (
        open("app=rng").await.unwrap(),
        open("app=rng").await.unwrap(),
    );
    assert_eq!(first.id(), same.id());
    assert_eq!(
        open("app=hasher").await.unwrap_err(),
        LiveQueryError::TooMany { limit: 1 }
    );
    drop((first, same));
    assert!(open("app=hasher").await.is_ok());
}

#[tokio::test]
async fn shutdown_finishes_what_was_handed_over() {
    let (runtime, thread) = started();
    let pending = runtime.submit(put("rng-1"), "".into(), None).await.unwrap();
    thread.shutdown().await.unwrap();
    assert_eq!(pending.committed().await.unwrap().revision, 1);
    assert!(matches!(
        runtime.commit(put("rng-2"), "".into()).await,
        Err(CommitError::Stopped(Stopped))
    ));
    runtime.stopped().await;
}

#[tokio::test]
async fn a_panic_in_the_thread_answers_every_caller() {
    let (runtime, thread) = started();
    let panicked = runtime.query(|_| panic!("a defect, for this test")).await;
    assert_eq!(panicked, Err::<(), _>(Stopped));
    assert_eq!(runtime.query(|_| ()).await, Err(Stopped));
    assert_eq!(runtime.read_at(1).await, Err(Stopped));
    runtime.stopped().await;
    assert_eq!(thread.shutdown().await, Err(Stopped));
}
