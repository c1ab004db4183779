//! What the server knows of its subscribers, and whom it wakes.

use std::time::Duration;

use selectord::engine::Scope;
use selectord::wire::proto;

use crate::harness::{Server, Setup, patiently, pod, service};
use crate::subscriber::Subscriber;
use crate::watch::{RNG, named};

/// Sets of endpoints change a thousand times: others are told of each, whom none of it concerns is not
/// even woken, and nobody asks the engine's thread.
#[tokio::test]
async fn who_is_not_concerned_is_not_woken() {
    let server = Setup::limits(|limits| {
        limits.heartbeat = Duration::from_secs(3600);
        limits.watch_window = Duration::ZERO;
    })
    .start()
    .await;
    let first = server
        .commit([service("rng", RNG), service("hasher", &[("app", "hasher")])])
        .await;
    let mut calm = Subscriber::new(&server, &named("rng"), None).await;
    let mut busy = Subscriber::new(&server, &Scope::all(), None).await;
    calm.until(first).await;
    busy.until(first).await;
    // What was published before is behind both.
    let settled = server
        .commit([pod("hasher-1", 1_000, &[("app", "hasher")])])
        .await;
    busy.until(settled).await;
    let (before, pieces) = (wakes(&server).await, server.runtime.pieces());
    for round in 0..100 {
        let operations = (0..10).map(|i| pod("hasher-1", 10 * round + i, &[("app", "hasher")]));
        let last = server.commit(operations).await;
        let (_, events) = busy.until(last).await;
        assert!(!events.is_empty());
    }
    let after = wakes(&server).await;
    assert_eq!(after[0], before[0], "the calm one was woken");
    assert!(after[1] >= before[1] + 100, "{before:?} {after:?}");
    assert_eq!(server.runtime.pieces(), pieces, "the log was read");

    let last = server.commit([pod("rng-1", 1, RNG)]).await;
    let (_, events) = calm.until(last).await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(wakes(&server).await[0], before[0] + 1);
    assert_eq!(server.runtime.pieces(), pieces, "the log was read");
}

/// How often each subscriber was woken, the first one first.
pub async fn wakes(server: &Server) -> Vec<u64> {
    let listed = wait_for_subscribers(server, |_| true).await;
    listed.iter().map(|subscriber| subscriber.wakes).collect()
}

#[tokio::test]
async fn the_server_knows_who_lags() {
    let server = Setup::default().start().await;
    let last = server.commit([service("rng", RNG)]).await;
    let mut subscriber = Subscriber::new(&server, &named("rng"), None).await;
    subscriber.until(last).await;
    subscriber.report_applied(last).await;
    let listed = wait_for_subscribers(&server, |listed| {
        listed.iter().all(|s| s.applied_revision == last)
    })
    .await;
    let [only] = listed.as_slice() else {
        panic!("{listed:?}")
    };
    assert_eq!((only.name.as_str(), only.sent_revision), ("a test", last));
    assert_eq!(only.scope, "services named default/rng");
    assert!(only.peer.starts_with("127.0.0.1:"), "{}", only.peer);

    drop(subscriber);
    wait_for_subscribers(&server, |listed| listed.is_empty()).await;
}

/// Asks until what is listed is as wanted.
pub async fn wait_for_subscribers(
    server: &Server,
    wanted: impl Fn(&[proto::list_subscribers_response::Subscriber]) -> bool,
) -> Vec<proto::list_subscribers_response::Subscriber> {
    patiently(async {
        loop {
            let answer = server
                .admin()
                .list_subscribers(proto::ListSubscribersRequest { after_id: 0 })
                .await
                .unwrap();
            let listed = answer.into_inner().subscribers;
            if wanted(&listed) {
                return listed;
            }
        }
    })
    .await
}
