use std::time::Duration;

use selectord::client::{Client, WatchOptions};
use selectord::engine::{Engine, Scope};
use selectord::runtime::{CommitError, Listed, RuntimeOptions, start_shared};
use selectord::server::ServerOptions;
use selectord::store::etcd::EtcdStore;

use tonic_health::pb::health_check_response::ServingStatus;

use crate::etcd::{Etcd, eventually, patiently};
use crate::replicas::{Replica, health, pod, service, transaction};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_applied_is_served_while_etcd_is_away_and_says_how_old_it_is() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let replica = Replica::start(etcd.hasty()).await;
    let lag = Duration::from_millis(1_500);
    let options = ServerOptions {
        max_lag: lag,
        ..ServerOptions::default()
    };
    let served = replica.serve(options).await;
    let client = Client::connect(&served.address).await.unwrap();
    replica
        .commit([
            service("rng", &[("app", "rng")]),
            pod("rng-1", 1, &[("app", "rng")]),
        ])
        .await;
    let mut watcher = client.watch(Scope::all(), WatchOptions::default());
    patiently(watcher.next()).await.unwrap();
    eventually("a young source", async || {
        replica.runtime.source_age() < Duration::from_millis(500)
    })
    .await;

    etcd.pause();
    eventually("an old source", async || replica.runtime.source_age() > lag).await;
    eventually("NOT_SERVING", async || {
        health(&served.address).await == ServingStatus::NotServing
    })
    .await;
    let counted = client.count(&Default::default()).await.unwrap();
    assert_eq!(counted.answer, 1);
    assert!(counted.source_age > lag);
    let status = client.status().await.unwrap();
    assert!(status.source_age > lag);
    assert!(status.unready.contains("--max-lag"), "{}", status.unready);
    let write = transaction([pod("rng-2", 2, &[("app", "rng")])]);
    let refused = patiently(replica.runtime.commit(write.clone(), "".into())).await;
    assert!(
        matches!(
            refused,
            Err(CommitError::Shared(_) | CommitError::Away { .. } | CommitError::TooLate { .. })
        ),
        "{refused:?}"
    );
    // Once it is long enough, nothing is tried any more.
    eventually("writes that are refused at once", async || {
        let refused = replica.runtime.commit(write.clone(), "".into()).await;
        matches!(refused, Err(CommitError::Away { .. }))
    })
    .await;
    // Who would begin to watch is sent elsewhere.
    let mut late = client.watch(Scope::all(), WatchOptions::default());
    let begun = tokio::time::timeout(Duration::from_millis(300), late.next()).await;
    assert!(begun.is_err(), "nobody begins to watch what is old");

    etcd.resume();
    eventually("a young source", async || {
        replica.runtime.source_age() < Duration::from_millis(500)
    })
    .await;
    eventually("SERVING", async || {
        health(&served.address).await == ServingStatus::Serving
    })
    .await;
    let committed = replica.commit([pod("rng-3", 3, &[("app", "rng")])]).await;
    // Who watched all the time goes on.
    while patiently(watcher.next()).await.unwrap().revision < committed.revision {}
    patiently(late.next()).await.unwrap();
    assert!(client.status().await.unwrap().unready.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_as_old_as_the_question_that_it_answers() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let store = EtcdStore::connect(etcd.options()).await.unwrap();
    let mut listing = store.list(&mut |_| ()).await.unwrap();
    let mut listed = Listed::of(&mut listing);
    listed.contact.at -= Duration::from_secs(100);
    etcd.pause();
    let (engine, options) = (Engine::default(), RuntimeOptions::default());
    let (runtime, _thread) = start_shared(store, engine, listed, options).unwrap();
    assert!(runtime.source_age() >= Duration::from_secs(100));
}
