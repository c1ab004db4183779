use prost::Message as _;
use selectord::model::{Object, Operation, Revision, Transaction};
use selectord::runtime::{CommitError, Committed};
use selectord::store::etcd::{
    EtcdOptions, EtcdStore, Proposal, Proposed, ProposedRequest, SubmitError, Submitted,
};
use selectord::wire::{WriteRequest, encode_transaction};
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64;

use crate::etcd::{Etcd, eventually, patiently};
use crate::replicas::{Replica, label, label_all, pod, pod_ref, transaction};

/// A replica that hears of nothing, and what others write meanwhile.
pub struct Held {
    pub etcd: Etcd,
    pub replica: Replica,
    others: EtcdStore,
}

impl Held {
    pub async fn start(options: impl FnOnce(&Etcd) -> EtcdOptions) -> Option<Held> {
        let etcd = Etcd::start().await?;
        let replica = Replica::start(options(&etcd)).await;
        let others = EtcdStore::connect(etcd.options()).await.unwrap();
        let held = Held {
            etcd,
            replica,
            others,
        };
        held.hold();
        Some(held)
    }

    /// Whatever stands behind what cannot be read is not applied.
    pub fn hold(&self) {
        self.etcd.ctl(&["put", "/test/what", "ever"]);
    }

    pub fn release(&self) {
        self.etcd.ctl(&["del", "/test/what"]);
    }

    /// Writes elsewhere, under the id of a transaction that comes to this, or under none.
    pub async fn write(&self, change: Proposed, of: Option<(&str, &Transaction)>) -> Revision {
        let request = of.map(|(request_id, transaction)| {
            let write = WriteRequest {
                transaction: transaction.clone(),
                request_id: request_id.into(),
            };
            ProposedRequest {
                request_id: request_id.into(),
                digest: xxh3_64(&encode_transaction(&write).encode_to_vec()),
                resolved_at: 0,
                expected: None,
            }
        });
        let proposal = Proposal {
            expected: Vec::new(),
            changes: vec![change],
            request,
        };
        match self.others.submit(&proposal).await {
            Ok(Submitted::Written(revision)) => revision,
            other => panic!("{other:?}"),
        }
    }

    async fn commit(&self, id: &str, transaction: &Transaction) -> Result<Committed, CommitError> {
        let committed = self.replica.runtime.commit(transaction.clone(), id.into());
        patiently(committed).await
    }
}

pub fn puts(name: &str, labels: &[(&str, &str)]) -> Proposed {
    let Operation::Put(object @ Object::Pod(_)) = pod(name, 1, labels) else {
        unreachable!()
    };
    Proposed::Put {
        object,
        source: "".into(),
    }
}

fn deletes(name: &str) -> Proposed {
    Proposed::Delete(pod_ref(name))
}

/// What came and went before a replica heard of it leaves nothing to be done, and still was done.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_finds_nothing_to_do_is_answered_as_the_first() {
    let Some(held) = Held::start(Etcd::options).await else {
        return;
    };
    let labelled = [("app", "web"), ("tier", "web")];
    for (id, asked) in [
        ("deletes", transaction([Operation::Delete(pod_ref("p"))])),
        ("labels", transaction([label("p", "tier", "web")])),
        (
            "selects",
            transaction([label_all("app=web", "tier", "web")]),
        ),
    ] {
        held.hold();
        held.write(puts("p", &[("app", "web")]), None).await;
        let under = Some((id, &asked));
        let first = if id == "deletes" {
            held.write(deletes("p"), under).await
        } else {
            let first = held.write(puts("p", &labelled), under).await;
            held.write(deletes("p"), None).await;
            first
        };
        let (retried, ()) = tokio::join!(held.commit(id, &asked), async { held.release() });
        assert_eq!(retried.expect(id).revision, first, "{id}");
        assert_eq!(held.commit(id, &asked).await.expect(id).revision, first);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_cannot_be_told_of_the_first_is_not_called_unwritten() {
    let Some(held) = Held::start(Etcd::hasty).await else {
        return;
    };
    let asked = transaction([pod("p", 1, &[])]);
    let first = held.write(puts("p", &[]), Some(("r1", &asked))).await;
    let retried = held.commit("r1", &asked).await;
    assert!(
        matches!(retried, Err(CommitError::Undecided)),
        "{retried:?}"
    );
    held.release();
    held.replica.reach(first).await;
    let retried = held.commit("r1", &asked).await;
    assert_eq!(retried.unwrap().revision, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_before_the_history_changed_is_not_called_unwritten() {
    let slow = |etcd: &Etcd| EtcdOptions {
        timeout: Duration::from_secs(30),
        ..etcd.options()
    };
    let Some(held) = Held::start(slow).await else {
        return;
    };
    let before = held.others.confirm().await.unwrap().ours;
    let asked = transaction([pod("p", 1, &[])]);
    let (told, written) = tokio::join!(held.commit("", &asked), async {
        let mut written = before;
        eventually("the write", async || {
            written = held.others.confirm().await.unwrap().ours;
            written > before
        })
        .await;
        held.others.renew_history().await.unwrap();
        held.release();
        written
    });
    match told {
        Err(CommitError::NotBack { revision }) => assert_eq!(revision, written),
        // The store had not answered yet.
        Err(CommitError::Undecided | CommitError::Shared(SubmitError::Unknown(_))) => {}
        other => panic!("{other:?}"),
    }
}
