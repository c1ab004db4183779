use std::time::{Duration, Instant};

use selectord::client::{Client, WatchOptions};
use selectord::engine::{Event, Scope};
use selectord::server::ServerOptions;
use selectord::wire::proto::watch_client::WatchClient;
use selectord::wire::{PodDelta, decode_pod_event, proto};
use tonic::transport::Endpoint;

use crate::etcd::{Etcd, patiently};
use crate::replicas::{Replica, pod, service};
use crate::retries::{Held, puts};

const PODS: u32 = 200;

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_goes_from_one_replica_to_another() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let a = Replica::start(etcd.options()).await;
    let b = Replica::start(etcd.options()).await;
    a.commit([service("rng", &[("app", "rng")])]).await;
    let mut last = 0;
    for first in (0..PODS).step_by(100) {
        let pods = (first..first + 100).map(|i| pod(&format!("rng-{i}"), i, &[("app", "rng")]));
        last = a.commit(pods).await.revision;
    }
    let at_a = a.serve(ServerOptions::default()).await;
    let at_b = b.serve(ServerOptions::default()).await;
    let client = Client::connect(&at_a.address).await.unwrap();
    let mut watcher = client.watch(Scope::all(), WatchOptions::default());
    while patiently(watcher.next()).await.unwrap().revision < last {}
    let held = (watcher.cursor().unwrap().clone(), watcher.view().clone());
    drop(watcher);

    // Written at either, while nobody watches.
    a.commit([pod("rng-0", 7_000, &[("app", "rng")])]).await;
    b.reach(a.runtime.head().revision).await;
    let changed = b.commit([pod("rng-1", 7_001, &[("app", "other")])]).await;
    let client = Client::connect(&at_b.address).await.unwrap();
    let options = WatchOptions {
        resume: held.into(),
        ..WatchOptions::default()
    };
    let mut watcher = client.watch(Scope::all(), options);
    let cut = patiently(watcher.next()).await.unwrap();
    assert_eq!(cut.revision, changed.revision);
    let is_change = |event: &Event| matches!(event, Event::Endpoint { .. } | Event::Removed { .. });
    assert!(cut.events.iter().all(is_change), "{:?}", cut.events);
    let told = cut.events.len();
    // One address became another: the endpoint is gone and another is there.
    assert_eq!(told, 3, "{:?}", cut.events);
    let endpoints: usize = (watcher.view().services().values())
        .map(|service| service.endpoints.len())
        .sum();
    assert_eq!(endpoints, PODS as usize - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_ahead_of_the_store_is_of_another_history() {
    let Some(etcd) = Etcd::start().await else {
        return;
    };
    let replica = Replica::start(etcd.options()).await;
    let committed = replica.commit([service("rng", &[("app", "rng")])]).await;
    assert!(replica.runtime.has_been_at(committed.revision).await);
    // Others in the same etcd do not bring it there.
    for _ in 0..10 {
        etcd.ctl(&["put", "/elsewhere", "x"]);
    }
    replica.reach(committed.revision + 10).await;
    for ahead in [committed.revision + 5, committed.revision + 1_000] {
        assert!(!replica.runtime.has_been_at(ahead).await);
    }
}

/// The cursor of the next checkpoint of a stream of pods.
async fn next_cursor(stream: &mut tonic::Streaming<proto::WatchPodsResponse>) -> proto::Cursor {
    for _ in 0..100 {
        let message = patiently(stream.message()).await.unwrap().unwrap();
        for event in message.events {
            if let PodDelta::Checkpoint(checkpoint) = decode_pod_event(event).unwrap() {
                return selectord::wire::encode_cursor(&checkpoint.cursor);
            }
        }
    }
    panic!("a hundred signs of life, and no checkpoint");
}

/// A replica that has not heard of what a cursor knows waits for it, and never goes back.
#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_ahead_of_their_replica_wait_for_it() {
    let Some(held) = Held::start(Etcd::options).await else {
        return;
    };
    held.release();
    let replica = &held.replica;
    replica.commit([pod("rng-1", 0, &[])]).await;
    let mut options = ServerOptions::default();
    options.limits.heartbeat = Duration::from_millis(20);
    let served = replica.serve(options).await;
    let channel = Endpoint::from_shared(format!("http://{}", served.address));
    let channel = channel.unwrap().connect().await.unwrap();
    let watch = async |cursor| {
        let request = proto::WatchPodsRequest {
            cursor,
            ..Default::default()
        };
        let mut client = WatchClient::new(channel.clone());
        let stream = patiently(client.watch_pods(request)).await;
        stream.unwrap().into_inner()
    };
    let mut of_pods = next_cursor(&mut watch(None).await).await;
    let client = Client::connect(&served.address).await.unwrap();
    let mut watcher = client.watch(Scope::all(), WatchOptions::default());
    patiently(watcher.next()).await.unwrap();
    let mut cursor = watcher.cursor().unwrap().clone();
    let view = watcher.view().clone();
    drop(watcher);

    held.hold();
    let ahead = held.write(puts("rng-2", &[]), None).await;
    of_pods.revision = ahead;
    cursor.revision = ahead;
    let (before, began) = (replica.runtime.pieces(), Instant::now());
    let mut stream = watch(Some(of_pods)).await;
    for _ in 0..5 {
        assert_eq!(next_cursor(&mut stream).await.revision, ahead);
    }
    let pieces = u128::from(replica.runtime.pieces() - before);
    // It asks at each sign of life, of which more come while a busy machine reads them late.
    let most = 20 + began.elapsed().as_millis() / 10;
    assert!(pieces <= most, "asked {pieces} times for what is not there");
    assert!(replica.runtime.head().revision < ahead);

    // The client fails where a checkpoint is below what it holds.
    let options = WatchOptions {
        resume: (cursor, view).into(),
        ..WatchOptions::default()
    };
    let mut watcher = client.watch(Scope::all(), options);
    held.release();
    replica.reach(ahead).await;
    let last = replica.commit([service("rng", &[("app", "rng")])]).await;
    while next_cursor(&mut stream).await.revision < last.revision {}
    while patiently(watcher.next()).await.unwrap().revision < last.revision {}
}
