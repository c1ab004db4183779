use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use selectord::engine::{Namespaces, Outcome, ResolveError};
use selectord::model::{Expectation, Kind, Operation, Precondition, Transaction};
use selectord::runtime::CommitError;
use selectord::store::etcd::{EtcdOptions, EtcdStore, Proposal, Proposed};

use crate::etcd::{Etcd, patiently};
use crate::replicas::{Replica, label, label_all, pod, pod_ref, service, transaction};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_at_either_is_at_both() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let (a, b) = tokio::join!(
        Replica::start(etcd.options()),
        Replica::start(etcd.options())
    );
    assert_eq!(a.runtime.epoch(), b.runtime.epoch());
    let mut last = 0;
    for i in 0..20 {
        let (writer, other) = if i % 2 == 0 { (&a, &b) } else { (&b, &a) };
        let name = format!("rng-{i}");
        let committed = writer
            .commit([
                service("rng", &[("app", "rng")]),
                pod(&name, i, &[("app", "rng")]),
            ])
            .await;
        assert!(committed.revision > last, "revisions only grow");
        assert!(committed.resolved_at >= last && committed.resolved_at < committed.revision);
        last = committed.revision;
        assert_eq!(writer.count("app=rng").await, u64::from(i) + 1);
        other.reach(last).await;
        assert_eq!(other.count("app=rng").await, u64::from(i) + 1);
    }
    let patched = b.commit([label_all("app=rng", "tier", "web")]).await;
    assert_eq!(patched.results.len(), 20);
    let deleted = a.commit([Operation::Delete(pod_ref("rng-0"))]).await;
    b.reach(deleted.revision).await;
    assert_eq!(a.dump().await, b.dump().await);
    assert_eq!(a.count("tier=web").await, 19);

    // One that comes later holds the same, and knows who wrote what when.
    let late = Replica::start(etcd.options()).await;
    assert_eq!(late.runtime.head().revision, deleted.revision);
    assert_eq!(late.count("tier=web").await, 19);
    let again = late.commit([label("rng-1", "tier", "web")]).await;
    assert_eq!(
        (again.revision, again.results[0].outcome),
        (deleted.revision, Outcome::Unchanged)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_writers_lose_nothing() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let replicas = [
        Arc::new(Replica::start(etcd.options()).await),
        Arc::new(Replica::start(etcd.options()).await),
    ];
    let begun = replicas[0].commit([pod("one", 1, &[])]).await;
    replicas[1].reach(begun.revision).await;
    let mut writers = Vec::new();
    for writer in 0..8 {
        let replica = Arc::clone(&replicas[writer % 2]);
        writers.push(tokio::spawn(async move {
            let mut last = 0;
            for i in 0..10 {
                let key = format!("w{writer}-{i}");
                loop {
                    let write = transaction([label("one", &key, "yes")]);
                    match patiently(replica.runtime.commit(write, "".into())).await {
                        Ok(committed) => {
                            assert!(committed.revision > last);
                            last = committed.revision;
                            break;
                        }
                        Err(CommitError::Collided { attempts }) => assert_eq!(attempts, 5),
                        Err(other) => panic!("{other}"),
                    }
                }
            }
            last
        }));
    }
    let mut last = 0;
    for writer in writers {
        last = last.max(patiently(writer).await.unwrap());
    }
    for replica in &replicas {
        replica.reach(last).await;
        assert_eq!(replica.labels("one").await.len(), 80);
    }
    assert_eq!(replicas[0].dump().await, replicas[1].dump().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_always_overtaken_is_told_so() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let replica = Replica::start(etcd.options()).await;
    replica.commit([pod("one", 1, &[])]).await;
    // Writes whatever is there, as fast as it can.
    let stop = Arc::new(AtomicBool::new(false));
    let store = EtcdStore::connect(etcd.options()).await.unwrap();
    let rude: Vec<_> = (0..4u32)
        .map(|n| {
            let (store, stop) = (store.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut number = n;
                while !stop.load(Ordering::Relaxed) {
                    number += 4;
                    let Operation::Put(object) = pod("one", number, &[]) else {
                        unreachable!()
                    };
                    let proposal = Proposal {
                        expected: Vec::new(),
                        changes: vec![Proposed::Put {
                            object,
                            source: "".into(),
                        }],
                        ..Proposal::default()
                    };
                    store.submit(&proposal).await.unwrap();
                }
            })
        })
        .collect();
    let refused = loop {
        let write = transaction([label("one", "mine", "yes")]);
        if let Err(refused) = patiently(replica.runtime.commit(write, "".into())).await {
            break refused;
        }
    };
    assert!(
        matches!(refused, CommitError::Collided { attempts: 5 }),
        "{refused}"
    );
    stop.store(true, Ordering::Relaxed);
    for task in rude {
        task.await.unwrap();
    }
    replica.commit([label("one", "mine", "at-last")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_writes_to_an_object_keep_their_order() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let replica = Replica::start(etcd.options()).await;
    let mut pending = Vec::new();
    let submit = async |operation| {
        let submitted = replica
            .runtime
            .submit(transaction([operation]), "".into(), None);
        submitted.await.unwrap()
    };
    for i in 0..30 {
        let number = i.to_string();
        pending.push(submit(pod("hot", i, &[("n", &number)])).await);
        pending.push(submit(pod(&format!("cold-{i}"), i, &[("app", "cold")])).await);
    }
    // It sees all that came before it, and nothing that comes after it.
    pending.push(submit(label_all("app=cold", "seen", "yes")).await);
    pending.push(submit(pod("cold-late", 99, &[("app", "cold")])).await);
    let mut last = 0;
    let mut results = Vec::new();
    for (i, pending) in pending.into_iter().enumerate() {
        let committed = patiently(pending.committed()).await.unwrap();
        if i % 2 == 0 && i < 60 {
            assert!(committed.revision > last);
            last = committed.revision;
        }
        results.push(committed.results.len());
    }
    assert_eq!(results[60], 30);
    let hot = replica.labels("hot").await;
    assert_eq!(hot.get("n").map(ToString::to_string).as_deref(), Some("29"));
    assert_eq!(replica.count("seen=yes").await, 30);
    assert_eq!(replica.count("app=cold").await, 31);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_about_what_is_in_the_store() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let a = Replica::start(etcd.options()).await;
    let b = Replica::start(etcd.options()).await;
    for i in 0..20u32 {
        // Whoever was told of a write may go on at another replica at once.
        let name = format!("p{i}");
        let created = a.commit([pod(&name, i, &[])]).await;
        b.commit([label(&name, "seen", "yes")]).await;
        let guarded = Transaction {
            preconditions: vec![Precondition {
                object: pod_ref(&name),
                expect: Expectation::Revision(created.revision),
            }],
            operations: vec![label(&name, "late", "yes")],
            ..Transaction::default()
        };
        let refused = patiently(a.runtime.commit(guarded, "".into())).await;
        assert!(
            matches!(&refused, Err(CommitError::Refused(why)) if matches!(**why, ResolveError::PreconditionFailed { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(b.count("seen=yes").await, 20);
    assert_eq!(b.count("late").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_at_the_same_replica_is_answered_as_the_first() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let replica = Replica::start(etcd.options()).await;
    let write = || transaction([pod("one", 1, &[("app", "rng")])]);
    let (first, meanwhile) = tokio::join!(
        replica.runtime.commit(write(), "r1".into()),
        replica.runtime.commit(write(), "r1".into())
    );
    let (first, meanwhile) = (first.unwrap(), meanwhile.unwrap());
    let later = replica.runtime.commit(write(), "r1".into()).await.unwrap();
    assert_eq!(first.revision, meanwhile.revision);
    assert_eq!(first.revision, later.revision);
    assert_eq!(later.results[0].outcome, Outcome::Created);
    let other = transaction([pod("two", 1, &[])]);
    let refused = replica.runtime.commit(other, "r1".into()).await;
    assert!(matches!(refused, Err(CommitError::RequestIdReused { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_at_another_replica_is_answered_as_the_first() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let a = Replica::start(etcd.options()).await;
    let b = Replica::start(etcd.options()).await;
    for i in 0..20u32 {
        let (name, id) = (format!("p{i}"), format!("r{i}"));
        // It refuses itself, if it is looked at again.
        let write = || Transaction {
            preconditions: vec![Precondition {
                object: pod_ref(&name),
                expect: Expectation::Absent,
            }],
            ..transaction([pod(&name, i, &[])])
        };
        let at = async |replica: &Replica| {
            let committed = replica.runtime.commit(write(), id.as_str().into());
            patiently(committed).await
        };
        // At both at once, or at the other before it has heard of it.
        let (first, second) = if i % 2 == 0 {
            tokio::join!(at(&a), at(&b))
        } else {
            (at(&a).await, at(&b).await)
        };
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first.revision, second.revision);
        assert_eq!(first.resolved_at, second.resolved_at);
        // Nor is it done again when others have gone on.
        let deleted = b.commit([Operation::Delete(pod_ref(&name))]).await;
        a.reach(deleted.revision).await;
        for replica in [&a, &b] {
            assert_eq!(at(replica).await.unwrap().revision, first.revision);
        }
    }
    // Nor by one that comes later, which knows as well what was asked.
    let late = Replica::start(etcd.options()).await;
    let other = transaction([pod("two", 1, &[])]);
    let refused = late.runtime.commit(other, "r3".into()).await;
    assert!(matches!(refused, Err(CommitError::RequestIdReused { .. })));
    assert_eq!(late.count("").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_has_not_come_back_is_not_written_again() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let replica = Replica::start(etcd.hasty()).await;
    // Whatever stands behind what cannot be read is not applied.
    etcd.ctl(&["put", "/test/what", "ever"]);
    let write = || {
        let write = transaction([pod("one", 1, &[("app", "rng")])]);
        patiently(replica.runtime.commit(write, "r1".into()))
    };
    let mut revisions = Vec::new();
    for _ in 0..2 {
        match write().await {
            Err(CommitError::NotBack { revision }) => revisions.push(revision),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(revisions[0], revisions[1]);
    etcd.ctl(&["del", "/test/what"]);
    replica.reach(revisions[0]).await;
    let committed = write().await.unwrap();
    assert_eq!(committed.revision, revisions[0]);
    assert_eq!(committed.results[0].outcome, Outcome::Created);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_ends_in_as_many_transactions_as_it_takes() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let options = EtcdOptions {
        max_txn_ops: 4,
        ..etcd.options()
    };
    let a = Replica::start(options).await;
    let b = Replica::start(etcd.options()).await;
    for i in 0..20u32 {
        let by_source = Transaction {
            source: "cluster".into(),
            ..transaction([pod(&format!("p{i}"), i, &[])])
        };
        patiently(a.runtime.commit(by_source, "".into()))
            .await
            .unwrap();
    }
    let kinds = BTreeSet::from([Kind::Pod]);
    let session = a
        .runtime
        .begin_sync("cluster".into(), kinds, Namespaces::all());
    let mut session = session.await.unwrap();
    a.runtime
        .mention(&mut session, pod_ref("p0"))
        .await
        .unwrap();
    a.runtime
        .mention(&mut session, pod_ref("p1"))
        .await
        .unwrap();
    let end = patiently(a.runtime.end_sync(session)).await.unwrap();
    assert_eq!(end.deleted, 18);
    b.reach(end.revision).await;
    assert_eq!(b.count("").await, 2);
    assert_eq!(a.dump().await, b.dump().await);
    let refused = transaction((0..5).map(|i| pod(&format!("q{i}"), i, &[])));
    let refused = patiently(a.runtime.commit(refused, "".into())).await;
    let said = refused.unwrap_err().to_string();
    assert!(
        said.contains("--max-txn-ops") && said.contains("--chunk"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_its_way_is_answered_before_the_end() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let replica = Replica::start(etcd.options()).await;
    let mut pending = Vec::new();
    for i in 0..300u32 {
        let write = transaction([pod(&format!("p{}", i % 7), i, &[])]);
        pending.push(
            replica
                .runtime
                .submit(write, "".into(), None)
                .await
                .unwrap(),
        );
    }
    patiently(replica.thread.shutdown()).await.unwrap();
    for pending in pending {
        patiently(pending.committed()).await.unwrap();
    }
}
