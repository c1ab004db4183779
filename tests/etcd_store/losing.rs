//! What happens when a member, the quorum or the history is lost.

use std::time::Duration;

use selectord::store::etcd::{EtcdError, EtcdOptions, EtcdStore, SubmitError, Submitted};
use tokio::task::JoinSet;

use crate::etcd::{Etcd, until};
use crate::replica::{Replica, deletes, puts};
use crate::wire::Wire;

/// Options under which it is soon noticed that a member does not answer.
fn hasty(etcd: &Etcd) -> EtcdOptions {
    EtcdOptions {
        timeout: Duration::from_secs(4),
        ..etcd.options()
    }
}

/// Writes as soon as a quorum is there.
async fn write_when_possible(replica: &mut Replica, name: &str) {
    let store = replica.store.clone();
    let proposal = replica.proposal(puts(&[name]));
    until("a write", async || match store.submit(&proposal).await {
        Err(error @ (SubmitError::NotWritten(_) | SubmitError::Unknown(_))) => {
            Err(error.to_string())
        }
        // A conflict: what was not known before was written.
        _ => Ok(()),
    })
    .await;
    while !replica.pods().iter().any(|pod| pod == name) {
        replica.next().await.unwrap();
    }
}

#[tokio::test]
async fn members_come_and_go_and_nothing_is_missed() {
    let Some(mut etcd) = Etcd::with(3, &[]).await else {
        return;
    };
    let store = EtcdStore::connect(hasty(&etcd)).await.unwrap();
    let mut writer = Replica::start(&store).await;
    let mut readers = Vec::new();
    for _ in 0..3 {
        let store = EtcdStore::connect(hasty(&etcd)).await.unwrap();
        readers.push(Replica::start(&store).await);
    }
    for (round, name) in ["a", "b", "c", "d", "e", "f"].into_iter().enumerate() {
        let member = if round % 2 == 0 {
            etcd.leader().await
        } else {
            round % 3
        };
        if round < 3 {
            etcd.kill(member);
        } else {
            etcd.signal(member, "STOP");
        }
        write_when_possible(&mut writer, name).await;
        if round < 3 {
            etcd.begin(member);
        } else {
            etcd.signal(member, "CONT");
        }
        etcd.ready().await;
    }
    write_when_possible(&mut writer, "z").await;
    let last = writer.engine.head();
    for reader in &mut readers {
        reader.until(last).await;
        assert_eq!(reader.pods(), ["a", "b", "c", "d", "e", "f", "z"]);
        assert!(!reader.told.contains(&"listed"));
    }
}

#[tokio::test]
async fn without_a_quorum_nothing_is_confirmed_and_what_follows_waits() {
    let Some(mut etcd) = Etcd::with(3, &[]).await else {
        return;
    };
    let store = EtcdStore::connect(hasty(&etcd)).await.unwrap();
    let mut replica = Replica::start(&store).await;
    replica.put(&["a"]).await;
    let proposal = replica.proposal(puts(&["b"]));
    etcd.kill(0);
    etcd.kill(1);
    let lost = store.confirm().await;
    assert!(
        matches!(&lost, Err(error) if error.is_transient()),
        "{lost:?}"
    );
    let refused = store.submit(&proposal).await;
    assert!(
        matches!(
            &refused,
            Err(SubmitError::NotWritten(_) | SubmitError::Unknown(_))
        ),
        "{refused:?}"
    );
    replica.until_told("lost").await;
    assert_eq!(replica.pods(), ["a"]);
    etcd.begin(0);
    etcd.begin(1);
    let contact = replica.until_contact().await;
    replica.until(contact.ours).await;
    write_when_possible(&mut replica, "c").await;
}

#[tokio::test]
async fn a_restored_backup_is_another_history() {
    let Some(mut etcd) = Etcd::one().await else {
        return;
    };
    let store = EtcdStore::connect(hasty(&etcd)).await.unwrap();
    let mut replica = Replica::start(&store).await;
    replica.put(&["a"]).await;
    let backup = etcd.file("backup");
    etcd.ctl(&["snapshot", "save", backup.to_str().unwrap()]);
    replica.put(&["b"]).await;
    replica.put(&["c"]).await;
    let proposal = replica.proposal(deletes("a"));
    etcd.restore(&backup).await;
    let ended = loop {
        if let Err(error) = replica.next().await {
            break error;
        }
    };
    assert!(matches!(ended, EtcdError::HistoryChanged { .. }), "{ended}");
    assert!(replica.follow.next().await.is_none());
    // What was resolved in the old history is not written into the new one.
    let refused = store.submit(&proposal).await;
    assert!(
        matches!(
            &refused,
            Err(SubmitError::NotWritten(EtcdError::HistoryChanged { .. }))
        ),
        "{refused:?}"
    );
    let anew = EtcdStore::connect(hasty(&etcd)).await.unwrap();
    assert_ne!(anew.history(), store.history());
    let mut replica = Replica::start(&anew).await;
    assert_eq!(replica.pods(), ["a"]);
    replica.put(&["d"]).await;
}

/// What was on its way while the store was put back arrives at what it was put back to, in which all that it
/// names may be as expected.
async fn late(is_renewed: bool) {
    let Some(mut etcd) = Etcd::one().await else {
        return;
    };
    let wire = Wire::to(&etcd).await;
    let options = EtcdOptions {
        timeout: Duration::from_secs(120),
        ..wire.options(&etcd)
    };
    let store = EtcdStore::connect(options).await.unwrap();
    let mut replica = Replica::start(&etcd.connect().await).await;
    replica.put(&["a"]).await;
    let backup = etcd.file("backup");
    etcd.ctl(&["snapshot", "save", backup.to_str().unwrap()]);
    replica.put(&["b"]).await;
    replica.put(&["c"]).await;
    store.confirm().await.unwrap();
    let proposal = replica.proposal(puts(&["late"]));
    drop(replica);
    // Who connects is not refused, and may send; it arrives when the wire is mended.
    wire.cut().await;
    let (told, ()) = tokio::join!(store.submit(&proposal), async {
        etcd.restore(&backup).await;
        if is_renewed {
            etcd.connect().await.renew_history().await.unwrap();
        }
        wire.mend();
    });
    // Nothing tells what it was put back to from what was there before, unless somebody has renewed it.
    let there: &[&str] = if is_renewed { &["a"] } else { &["a", "late"] };
    let pods = Replica::start(&etcd.connect().await).await.pods();
    assert_eq!(pods, there, "{told:?}");
    match &told {
        Err(SubmitError::Unknown(EtcdError::HistoryChanged { .. })) => {}
        Err(SubmitError::NotWritten(EtcdError::HistoryChanged { .. })) if is_renewed => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_arrives_after_a_restore_is_not_called_written() {
    late(false).await;
}

#[tokio::test]
async fn what_arrives_after_a_restored_history_was_renewed_is_refused() {
    late(true).await;
}

/// Restores what there was before the last writes, without anybody of ours there, and lets others write
/// until the revision is beyond what was seen; then compacts that, or not.
async fn rewound_and_beyond(compacts: bool) {
    let Some(mut etcd) = Etcd::one().await else {
        return;
    };
    let store = EtcdStore::connect(hasty(&etcd)).await.unwrap();
    let mut replica = Replica::start(&store).await;
    replica.put(&["a"]).await;
    let backup = etcd.file("backup");
    etcd.ctl(&["snapshot", "save", backup.to_str().unwrap()]);
    replica.put(&["b"]).await;
    replica.until_contact().await;
    let seen = store.confirm().await.unwrap().revision;
    drop(replica.follow);
    etcd.restore(&backup).await;
    let revision = loop {
        let put = etcd.ctl(&["put", "/elsewhere", "x", "-w", "json"]);
        let put: serde_json::Value = serde_json::from_str(&put).unwrap();
        match put["header"]["revision"].as_u64() {
            Some(revision) if revision > seen + 3 => break revision,
            _ => {}
        }
    };
    if compacts {
        etcd.ctl(&["compact", &revision.to_string()]);
    }
    let changed = store.confirm().await;
    assert!(
        matches!(&changed, Err(EtcdError::HistoryChanged { .. })),
        "{changed:?}"
    );
}

#[tokio::test]
async fn a_backup_that_others_wrote_on_is_noticed_too() {
    rewound_and_beyond(false).await;
}

#[tokio::test]
async fn a_backup_whose_revisions_were_raised_and_compacted_is_noticed_too() {
    rewound_and_beyond(true).await;
}

#[tokio::test]
async fn a_history_that_is_renewed_or_gone_ends_what_follows() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let store = etcd.connect().await;
    let mut replica = Replica::start(&store).await;
    replica.put(&["a"]).await;
    let renewed = store.renew_history().await.unwrap();
    assert_ne!(renewed, store.history());
    assert_eq!(store.renew_history().await.unwrap(), renewed);
    let ended = async |replica: &mut Replica| loop {
        if let Err(error) = replica.next().await {
            return error;
        }
    };
    assert!(matches!(
        ended(&mut replica).await,
        EtcdError::HistoryChanged { .. }
    ));

    let store = etcd.connect().await;
    assert_eq!(store.history(), renewed);
    let mut replica = Replica::start(&store).await;
    etcd.ctl(&["del", "--prefix", "/test"]);
    assert!(matches!(
        ended(&mut replica).await,
        EtcdError::HistoryChanged { .. }
    ));
    let store = etcd.connect().await;
    assert_ne!(store.history(), renewed);
    assert_eq!(Replica::start(&store).await.pods(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_said_of_a_write_is_so_where_room_runs_out() {
    let Some(etcd) = Etcd::with(1, &["--quota-backend-bytes=2000000"]).await else {
        return;
    };
    let store = etcd.connect().await;
    let replica = Replica::start(&store).await;
    // A member applies what it then refuses for want of room, if there was some when it came.
    let (mut written, mut refused) = (Vec::new(), Vec::new());
    let mut writers = JoinSet::new();
    for writer in 0..64 {
        let store = store.clone();
        let of = |round: usize| (0..20).map(move |i| format!("p{writer}-{round}-{i}"));
        let proposals: Vec<_> = (0..40)
            .map(|round| {
                let names: Vec<String> = of(round).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                (names[0].to_owned(), replica.proposal(puts(&names)))
            })
            .collect();
        writers.spawn(async move {
            let mut told = Vec::new();
            for (first, proposal) in proposals {
                let outcome = store.submit(&proposal).await;
                let is_over = outcome.is_err();
                told.push((first, outcome));
                if is_over {
                    break;
                }
            }
            told
        });
    }
    while let Some(told) = writers.join_next().await {
        for (name, outcome) in told.unwrap() {
            match outcome {
                Ok(Submitted::Written(_)) => written.push(name),
                Err(SubmitError::NotWritten(EtcdError::Full { .. })) => refused.push(name),
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(!refused.is_empty(), "there was room for all of them");
    let pods = Replica::start(&store).await.pods();
    let is_there = |name: &&String| pods.contains(name);
    assert_eq!(refused.iter().find(is_there), None, "refused, and there");
    assert_eq!(written.iter().find(|it| !is_there(it)), None);
}
