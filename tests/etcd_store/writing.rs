//! What goes in: once, if nothing has changed, within what etcd takes.

use std::time::Duration;

use selectord::model::{ResolvedTransaction, Revision};
use selectord::store::etcd::{EtcdError, EtcdOptions, EtcdStore, Proposal, SubmitError, Submitted};

use crate::etcd::{Etcd, until};
use crate::replica::{Replica, deletes, pod_ref, puts};
use crate::wire::Wire;

/// That an object is not as expected.
fn conflict(at: Revision) -> Result<Submitted, SubmitError> {
    let place_taken = false;
    Ok(Submitted::Conflict { at, place_taken })
}

#[tokio::test]
async fn what_has_changed_is_a_conflict_and_nothing_is_written() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let store = etcd.connect().await;
    let mut replica = Replica::start(&store).await;
    replica.put(&["a", "b"]).await;
    let early = replica.proposal(puts(&["a", "c"]));
    let new = replica.proposal(puts(&["d"]));
    let delete = replica.proposal(deletes("b"));
    // One that only looks at what another changes.
    let mut looks = replica.proposal(puts(&["e"]));
    looks
        .expected
        .push((pod_ref("a"), replica.engine.revision_of(&pod_ref("a"))));
    let at = replica.put(&["a"]).await;
    for proposal in [&early, &looks] {
        assert_eq!(store.submit(proposal).await, conflict(at));
    }
    // What they did not name is untouched, and may be written.
    assert!(matches!(
        store.submit(&new).await,
        Ok(Submitted::Written(_))
    ));
    let Ok(Submitted::Written(deleted)) = store.submit(&delete).await else {
        panic!("it is as expected");
    };
    assert_eq!(store.submit(&delete).await, conflict(deleted));
    replica.until(deleted).await;
    assert_eq!(replica.pods(), ["a", "d"]);
}

#[tokio::test]
async fn nothing_to_write_is_a_question() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let store = etcd.connect().await;
    let mut replica = Replica::start(&store).await;
    let written = replica.put(&["a"]).await;
    let ask = |revision| Proposal {
        expected: vec![(pod_ref("a"), revision)],
        ..Proposal::default()
    };
    assert_eq!(
        store.submit(&ask(Some(written))).await,
        Ok(Submitted::Written(written))
    );
    let at = written;
    assert_eq!(store.submit(&ask(None)).await, conflict(at));
    assert_eq!(store.confirm().await.unwrap().ours, written);
}

#[tokio::test]
async fn limits_are_named_before_anything_is_sent() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let store = etcd.connect().await;
    let mut replica = Replica::start(&store).await;
    let names: Vec<String> = (0..128).map(|i| format!("p{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    replica.put(&names[..127]).await;
    let refused = store
        .submit(&replica.proposal(puts(&names)))
        .await
        .unwrap_err();
    let (limit, wanted) = (127, 128);
    assert_eq!(refused, SubmitError::TooManyOperations { limit, wanted });
    for word in ["--max-txn-ops", "--chunk", "127"] {
        assert!(refused.to_string().contains(word), "{refused}");
    }

    let small = EtcdOptions {
        max_request_bytes: 4_000,
        ..etcd.options()
    };
    let small = EtcdStore::connect(small).await.unwrap();
    let refused = small
        .submit(&replica.proposal(puts(&names[..100])))
        .await
        .unwrap_err();
    assert!(matches!(
        refused,
        SubmitError::TooLarge { limit: 4_000, .. }
    ));
    assert!(
        refused.to_string().contains("--max-request-bytes"),
        "{refused}"
    );

    // Here more is allowed than there.
    let large = EtcdOptions {
        max_txn_ops: 1_000,
        ..etcd.options()
    };
    let large = EtcdStore::connect(large).await.unwrap();
    let refused = large
        .submit(&replica.proposal(puts(&names)))
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, SubmitError::NotWritten(EtcdError::Limit { .. })),
        "{refused}"
    );
}

#[tokio::test]
async fn a_large_transaction_fits_where_etcd_takes_it() {
    let arguments = ["--max-txn-ops=3000", "--max-request-bytes=10485760"];
    let Some(etcd) = Etcd::with(1, &arguments).await else {
        return;
    };
    let options = EtcdOptions {
        max_txn_ops: 3_000,
        max_request_bytes: 10 << 20,
        ..etcd.options()
    };
    let store = EtcdStore::connect(options).await.unwrap();
    let mut writer = Replica::start(&store).await;
    let mut reader = Replica::start(&store).await;
    let names: Vec<String> = (0..2_999).map(|i| format!("p{i:05}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let revision = writer.put(&names).await;
    let before = reader.engine.head();
    while reader.engine.head() == before {
        reader.next().await.unwrap();
    }
    // All of it at once.
    assert_eq!(
        (reader.engine.head(), reader.pods().len()),
        (revision, 2_999)
    );
}

/// Submits a proposal whose first answer is lost once it is done; somebody else does `then` before it is
/// sent again. Answers what the writer is told, and the revision that it got.
async fn with_a_lost_answer(
    wire: &Wire,
    writer: &EtcdStore,
    other: &mut Replica,
    proposal: &Proposal,
    then: Option<ResolvedTransaction>,
) -> (Result<Submitted, SubmitError>, Revision) {
    let before = other.store.confirm().await.unwrap().ours;
    wire.lose_answers();
    tokio::join!(writer.submit(proposal), async {
        let done = until("the write", async || {
            let ours = other.store.confirm().await.unwrap().ours;
            if ours > before {
                Ok(ours)
            } else {
                Err(format!("still at {ours}"))
            }
        });
        let done = done.await;
        wire.cut().await;
        if let Some(then) = then {
            other.until(done).await;
            other.write(then).await;
        }
        wire.mend();
        done
    })
}

#[tokio::test]
async fn what_is_sent_again_is_done_once() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let wire = Wire::to(&etcd).await;
    let options = EtcdOptions {
        timeout: Duration::from_secs(40),
        ..wire.options(&etcd)
    };
    let writer = EtcdStore::connect(options).await.unwrap();
    let mut other = Replica::start(&etcd.connect().await).await;
    other.put(&["a"]).await;
    for (transaction, then) in [
        (puts(&["a", "b"]), None),
        (deletes("a"), None),
        (puts(&["b", "c"]), Some(puts(&["x"]))),
        (puts(&["e"]), None),
        (puts(&["f"]), Some(puts(&["f"]))),
        (puts(&["b", "d"]), Some(puts(&["b"]))),
    ] {
        let proposal = other.proposal(transaction);
        let (told, done) = with_a_lost_answer(&wire, &writer, &mut other, &proposal, then).await;
        assert_eq!(told, Ok(Submitted::Written(done)));
        other.until(done).await;
    }
    // What others do meanwhile may hide it: that it is gone, and that it was ever there.
    for (transaction, then) in [
        (deletes("d"), puts(&["y"])),
        (puts(&["g"]), deletes("g")),
        (puts(&["b"]), puts(&["b"])),
    ] {
        let proposal = other.proposal(transaction);
        let then = Some(then);
        let (told, done) = with_a_lost_answer(&wire, &writer, &mut other, &proposal, then).await;
        assert_eq!(told, Ok(Submitted::Written(done)));
    }
    let last = other.put(&["z"]).await;
    other.until(last).await;
    assert_eq!(other.pods(), ["b", "c", "e", "f", "x", "y", "z"]);
}

#[tokio::test]
async fn what_did_not_arrive_is_sent_again_though_others_write() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let wire = Wire::to(&etcd).await;
    let options = EtcdOptions {
        timeout: Duration::from_secs(40),
        ..wire.options(&etcd)
    };
    let writer = EtcdStore::connect(options).await.unwrap();
    let mut other = Replica::start(&etcd.connect().await).await;
    other.put(&["a"]).await;
    for (name, then) in [("b", &["x"][..]), ("c", &["c"])] {
        let proposal = other.proposal(puts(&[name]));
        wire.lose_requests();
        let (told, ()) = tokio::join!(writer.submit(&proposal), async {
            other.put(then).await;
            wire.cut().await;
            wire.mend();
        });
        let at = other.engine.head();
        if name == "b" {
            assert_eq!(told, Ok(Submitted::Written(at + 1)));
            other.until(at + 1).await;
        } else {
            assert_eq!(told, conflict(at));
        }
    }
    assert_eq!(other.pods(), ["a", "b", "c", "x"]);
}

#[tokio::test]
async fn an_outcome_that_is_not_known_is_said_to_be() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let options = EtcdOptions {
        timeout: Duration::from_secs(4),
        ..etcd.options()
    };
    let store = EtcdStore::connect(options).await.unwrap();
    let mut replica = Replica::start(&store).await;
    replica.put(&["a"]).await;
    etcd.signal(0, "STOP");
    let proposal = replica.proposal(puts(&["b"]));
    let unknown = store.submit(&proposal).await;
    assert!(
        matches!(&unknown, Err(SubmitError::Unknown(error)) if error.is_transient()),
        "{unknown:?}"
    );
    etcd.signal(0, "CONT");
    replica.until_contact().await;
    let again = store.submit(&proposal).await;
    assert!(again.is_ok(), "{again:?}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_written() {
    let Some(mut etcd) = Etcd::one().await else {
        return;
    };
    let options = EtcdOptions {
        timeout: Duration::from_secs(4),
        ..etcd.options()
    };
    let store = EtcdStore::connect(options).await.unwrap();
    let replica = Replica::start(&store).await;
    etcd.kill(0);
    // Whoever notices that the connection is gone asks for another one.
    while !matches!(store.confirm().await, Err(EtcdError::Unavailable { .. })) {}
    let proposal = replica.proposal(ResolvedTransaction::new(puts(&["b"]).into_parts().0, ""));
    let refused = store.submit(&proposal).await;
    assert!(
        matches!(&refused, Err(SubmitError::NotWritten(error)) if error.is_transient()),
        "{refused:?}"
    );
}
