//! What is written comes back to everybody, whole and in order.

use std::time::Instant;

use selectord::model::ResolvedTransaction;
use selectord::store::etcd::{EtcdError, EtcdStore, Followed};

use crate::etcd::{Etcd, patiently};
use crate::replica::{Replica, deletes, pod_ref};
use crate::support::generate::{Mix, World};
use crate::support::oracle::Oracle;
use crate::support::questions::ask_all;
use crate::support::random::{Random, seeds};
use crate::wire::Wire;

/// Random transactions by one writer; replicas that list at random follow it, and are asked everything.
async fn replicas_are_equal(etcd: &Etcd, seed: u64) {
    println!("seed {seed} (SELECTORD_TEST_SEED={seed})");
    let mut random = Random::new(seed);
    let mut options = etcd.options();
    options.address = format!("{}/{seed}", options.address).parse().unwrap();
    let store = EtcdStore::connect(options).await.unwrap();
    let mut writer = Replica::start(&store).await;
    let mut other = Replica::start(&store).await;
    let mut world = World::new(seed, Mix::ALL);
    let mut oracle = Oracle::new(Default::default());
    let mut last = ResolvedTransaction::default();
    for _ in 0..60 {
        let transaction = world.transaction();
        let revision = writer.write(transaction.clone()).await;
        oracle.apply(revision, &transaction);
        last = transaction;
        if random.chance(10) {
            other = Replica::start(&store).await;
        }
        if random.chance(30) {
            other.until(revision).await;
            assert_eq!(ask_all(&other.engine, &oracle, &last, seed), Ok(()));
        }
    }
    other.until(oracle.head()).await;
    for engine in [&writer.engine, &other.engine] {
        assert_eq!(ask_all(engine, &oracle, &last, seed), Ok(()));
        for (object, stored) in oracle.objects() {
            assert_eq!(engine.get(object).as_ref(), Some(stored));
        }
        assert_eq!(engine.verify(), vec![]);
    }
}

#[tokio::test]
async fn what_is_written_comes_back_the_same() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    for seed in seeds(80_000, 4) {
        replicas_are_equal(&etcd, seed).await;
    }
}

#[tokio::test]
async fn a_listing_of_many_pages_is_of_one_revision() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let store = etcd.connect().await;
    let mut writer = Replica::start(&store).await;
    let names: Vec<String> = (0..3_000).map(|i| format!("p{i:05}")).collect();
    for names in names.chunks(100) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        writer.put(&names).await;
    }
    let mut pages = Vec::new();
    let mut read = None;
    let listing = store
        .list(&mut |progress| {
            read.get_or_insert_with(Instant::now);
            pages.push(progress);
        })
        .await
        .unwrap();
    // It is as old as the first of it may be.
    assert!(listing.contact().at < read.unwrap());
    assert_eq!(listing.len(), 3_000);
    assert_eq!(listing.revision(), writer.engine.head());
    // Format, history and head are keys, too.
    assert!(
        pages.len() > 1 && pages.iter().all(|page| page.of == 3_003),
        "{pages:?}"
    );
    assert_eq!(pages.last().unwrap().keys, 3_003);
    let reader = Replica::start(&store).await;
    assert_eq!(reader.pods(), names);
}

#[tokio::test]
async fn others_in_the_same_etcd_are_not_seen() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let store = etcd.connect().await;
    etcd.ctl(&["put", "/testing", "not below the prefix"]);
    let mut replica = Replica::start(&store).await;
    let ours = replica.put(&["a"]).await;
    etcd.ctl(&["put", "/another", "one"]);
    etcd.ctl(&["put", "/test0", "the first behind the prefix"]);
    let contact = store.confirm().await.unwrap();
    assert_eq!((contact.ours, contact.revision), (ours, ours + 2));
    let late = Replica::start(&store).await;
    assert_eq!(
        (late.engine.head(), late.pods()),
        (ours, vec!["a".to_owned()])
    );
}

#[tokio::test]
async fn where_it_is_compacted_everything_is_listed() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let store = etcd.connect().await;
    let mut writer = Replica::start(&store).await;
    let first = writer.put(&["a", "b"]).await;
    let mut lagging = Replica::start(&store).await;
    writer.put(&["c"]).await;
    let last = writer.write(deletes("a")).await;
    etcd.ctl(&["compact", &last.to_string()]);
    lagging.follow = store.follow(first);
    lagging.until(last).await;
    assert_eq!(lagging.told, ["listed"]);
    assert_eq!(lagging.pods(), ["b", "c"]);
    let next = writer.put(&["d"]).await;
    lagging.until(next).await;
    assert_eq!(lagging.pods(), ["b", "c", "d"]);
    assert_eq!(lagging.told, ["listed"]);
}

#[tokio::test]
async fn where_only_others_write_nothing_is_listed_for_a_compaction() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let wire = Wire::to(&etcd).await;
    let store = EtcdStore::connect(wire.options(&etcd)).await.unwrap();
    let mut replica = Replica::start(&store).await;
    let ours = replica.put(&["a"]).await;
    for _ in 0..20 {
        etcd.ctl(&["put", "/elsewhere", "x"]);
    }
    let last = ours + 20;
    for _ in 0..3 {
        while replica.until_contact().await.revision < last {}
    }
    etcd.ctl(&["compact", &last.to_string()]);
    wire.cut().await;
    wire.mend();
    replica.until_told("lost").await;
    replica.put(&["b"]).await;
    assert!(!replica.told.contains(&"listed"), "{:?}", replica.told);
    assert_eq!(replica.pods(), ["a", "b"]);
}

/// Some hundred revisions that come in one answer, which is larger than etcd sends at once.
#[tokio::test]
async fn an_answer_in_fragments_is_told_in_whole_revisions() {
    let Some(etcd) = Etcd::with(1, &["--max-request-bytes=65536"]).await else {
        return;
    };
    let store = etcd.connect().await;
    let mut writer = Replica::start(&store).await;
    let first = writer.put(&["a"]).await;
    let mut lagging = Replica::start(&store).await;
    let names: Vec<String> = (0..100).map(|i| format!("p{i:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut last = first;
    for _ in 0..100 {
        last = writer.put(&names).await;
    }
    lagging.follow = store.follow(first);
    let mut told = first;
    while told < last {
        // Half a revision would be refused when the other half comes.
        lagging.next().await.unwrap();
        let head = lagging.engine.head();
        assert!(head == told || head == told + 1, "{head} behind {told}");
        told = head;
    }
    assert_eq!(lagging.pods().len(), 101);
    assert_eq!(lagging.engine.verify(), vec![]);
}

/// What stands before something wrong, in the same answer, is told.
#[tokio::test]
async fn what_precedes_what_is_not_ours_is_told() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let store = etcd.connect().await;
    let mut writer = Replica::start(&store).await;
    let first = writer.put(&["a"]).await;
    let mut lagging = Replica::start(&store).await;
    writer.put(&["b"]).await;
    let last = writer.put(&["c"]).await;
    etcd.ctl(&["put", "/test/what", "ever"]);
    lagging.follow = store.follow(first);
    lagging.until_told("lost").await;
    assert_eq!(lagging.engine.head(), last);
}

#[tokio::test]
async fn what_is_not_ours_is_named_and_waited_out() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let store = etcd.connect().await;
    let mut replica = Replica::start(&store).await;
    replica.put(&["a"]).await;
    let key = "/test/objects/pods/blue/b";
    etcd.ctl(&["put", key, "not an object"]);
    let lost = loop {
        match patiently("a word", replica.follow.next()).await {
            Some(Followed::Lost(error)) => break error,
            Some(Followed::Contact(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert!(
        matches!(&lost, EtcdError::Foreign { key: found, .. } if found == key),
        "{lost}"
    );
    // Whoever begins now reads it when it is applied.
    let listing = store.list(&mut |_| ()).await.unwrap();
    let refused = listing.apply_to(&mut selectord::engine::Engine::default());
    assert!(refused.unwrap_err().to_string().contains(key));
    etcd.ctl(&["del", key]);
    replica.until_told("listed").await;
    replica.put(&["c"]).await;
    assert_eq!(replica.pods(), ["a", "c"]);

    etcd.ctl(&["put", "/test/what", "ever"]);
    let refused = store.list(&mut |_| ()).await;
    assert!(matches!(refused, Err(EtcdError::Foreign { key, .. }) if key == "/test/what"));
    assert_eq!(replica.engine.revision_of(&pod_ref("b")), None);
}

#[tokio::test]
async fn a_format_that_is_gone_is_missed_and_waited_for() {
    let Some(etcd) = Etcd::one().await else {
        return;
    };
    let store = etcd.connect().await;
    let mut replica = Replica::start(&store).await;
    replica.put(&["a"]).await;
    etcd.ctl(&["del", "/test/format"]);
    replica.until_told("lost").await;
    let refused = EtcdStore::connect(etcd.options()).await.unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("etcdctl put /test/format 1"), "{text}");
    etcd.ctl(&["put", "/test/format", "1"]);
    replica.until_told("listed").await;
    replica.put(&["b"]).await;
    assert_eq!(replica.pods(), ["a", "b"]);
}
