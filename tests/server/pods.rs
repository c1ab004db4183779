//! Streams of pods.

use std::time::Duration;

use prost::Message as _;
use selectord::engine::PodEvent;
use selectord::runtime::RuntimeOptions;
use selectord::wire::{PodDelta, decode_pod_event, proto};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use crate::harness::{Server, Setup, patiently, pod, text_selector};
use crate::subscribers::wakes;

const RNG: &[(&str, &str)] = &[("app", "rng")];
const HASHER: &[(&str, &str)] = &[("app", "hasher")];

struct Follower(Streaming<proto::WatchPodsResponse>);

impl Follower {
    async fn of(server: &Server, selector: &str) -> Result<Follower, Status> {
        let request = proto::WatchPodsRequest {
            selector: text_selector(selector),
            ..Default::default()
        };
        let stream = patiently(server.watch().watch_pods(request)).await?;
        Ok(Follower(stream.into_inner()))
    }

    /// What comes up to the next checkpoint, and its revision.
    async fn next(&mut self) -> (u64, Vec<PodEvent>) {
        let mut told = Vec::new();
        loop {
            let message = patiently(self.0.message()).await.unwrap();
            for event in message.expect("an answer").events {
                match decode_pod_event(event).unwrap() {
                    PodDelta::Event(event) => told.push(event),
                    PodDelta::Checkpoint(checkpoint) => return (checkpoint.cursor.revision, told),
                }
            }
        }
    }
}

#[tokio::test]
async fn a_live_query_tells_who_enters_and_leaves() {
    let server = Setup::default().start().await;
    server
        .commit([pod("rng-1", 1, RNG), pod("other", 2, &[])])
        .await;
    let mut follower = Follower::of(&server, "app=rng").await.unwrap();
    let (revision, told) = follower.next().await;
    assert_eq!(revision, 1);
    assert!(
        matches!(told.as_slice(), [PodEvent::Reset, PodEvent::Pod { .. }]),
        "{told:?}"
    );

    server
        .commit([pod("rng-1", 1, &[]), pod("other", 2, RNG)])
        .await;
    let (revision, told) = follower.next().await;
    assert_eq!((revision, told.len()), (2, 2));
    assert!(
        told.iter()
            .any(|event| matches!(event, PodEvent::Removed(name) if name.name == "rng-1"))
    );
}

/// The pods of one query change a hundred times: who follows another is not even woken, and reads
/// nothing.
#[tokio::test]
async fn who_is_not_concerned_is_not_woken() {
    let server = Setup::limits(|limits| {
        limits.heartbeat = Duration::from_secs(3600);
        limits.watch_window = Duration::ZERO;
    })
    .start()
    .await;
    server
        .commit([pod("rng-1", 1, RNG), pod("hasher-1", 2, HASHER)])
        .await;
    let mut calm = Follower::of(&server, "app=rng").await.unwrap();
    calm.next().await;
    let mut busy = Follower::of(&server, "app=hasher").await.unwrap();
    busy.next().await;
    // What was published before is behind both.
    let last = server.commit([pod("hasher-1", 9, HASHER)]).await;
    assert_eq!(busy.next().await.0, last);
    let (before, pieces) = (wakes(&server).await, server.runtime.pieces());
    for round in 0..100 {
        let last = server.commit([pod("hasher-1", 10 + round, HASHER)]).await;
        let (revision, told) = busy.next().await;
        assert_eq!((revision, told.len()), (last, 1));
    }
    let after = wakes(&server).await;
    assert_eq!(after[0], before[0], "the calm one was woken");
    assert!(after[1] >= before[1] + 100, "{before:?} {after:?}");
    assert!(server.runtime.pieces() >= pieces + 100);

    let last = server.commit([pod("rng-1", 3, RNG)]).await;
    let (revision, told) = calm.next().await;
    assert_eq!((revision, told.len()), (last, 1), "{told:?}");
}

#[tokio::test]
async fn messages_stay_below_their_size() {
    let server = Setup::limits(|limits| limits.stream_message_bytes = 4 << 10)
        .start()
        .await;
    let long = "v".repeat(63);
    let labels: Vec<(String, &str)> = (0..20).map(|i| (format!("l{i}"), long.as_str())).collect();
    let labels: Vec<(&str, &str)> = labels.iter().map(|(k, v)| (k.as_str(), *v)).collect();
    let pods: Vec<_> = (0..300)
        .map(|i| pod(&format!("p{i}"), i, &labels))
        .collect();
    server.commit(pods).await;
    let mut follower = Follower::of(&server, "l0").await.unwrap();
    let mut told = 0;
    while told < 300 {
        let message = patiently(follower.0.message()).await.unwrap().unwrap();
        assert!(
            message.encoded_len() <= 4 << 10,
            "{}",
            message.encoded_len()
        );
        told += message
            .events
            .iter()
            .filter(|event| event.pod.is_some())
            .count();
    }
    // A piece ends with a full message, of which it holds no more than one: two pods fit into each.
    assert!(
        server.runtime.pieces() >= 100,
        "{}",
        server.runtime.pieces()
    );
}

#[tokio::test]
async fn live_queries_are_limited_by_their_pods() {
    let runtime = RuntimeOptions {
        max_live_query_members: 5,
        ..RuntimeOptions::default()
    };
    let setup = Setup {
        runtime,
        ..Setup::default()
    };
    let server = setup.start().await;
    let rng = (0..3).map(|i| pod(&format!("rng-{i}"), i, RNG));
    let hasher = (3..6).map(|i| pod(&format!("hasher-{i}"), i, HASHER));
    server.commit(rng.chain(hasher)).await;
    let mut first = Follower::of(&server, "app=rng").await.unwrap();
    first.next().await;
    let refusal = Follower::of(&server, "app=hasher").await.err().unwrap();
    assert_eq!(refusal.code(), Code::ResourceExhausted);
    let quota = refusal.get_details_quota_failure().unwrap();
    assert_eq!(quota.violations[0].subject, "max_live_query_members");
    assert!(refusal.message().contains("have 3"), "{refusal}");
    // The same one is shared, and a smaller one has room.
    for selector in ["app=rng", "app=neither"] {
        let mut another = Follower::of(&server, selector).await.unwrap();
        another.next().await;
    }
}
