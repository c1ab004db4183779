//! Streams that are not read cost their own progress and nobody else's.

use selectord::engine::Scope;

use crate::harness::{STREAM_WINDOW, Setup, delete_pod, pod, service};
use crate::subscriber::Subscriber;

const RNG: &[(&str, &str)] = &[("app", "rng")];
const STALLED: usize = 100;
const PODS: u32 = 200;
const ROUNDS: u32 = 40;

/// A hundred streams that are not read and one that is, all on one connection, under a storm of
/// changes each of which is larger than what a stream may hold unread. What was on its way to a stream
/// that is not read, and then the state once: that is all it is told.
#[tokio::test]
async fn a_hundred_stalled_streams_hold_up_nobody_and_return_to_one_merged_catch_up() {
    // So much behind, a stream is told by the log.
    let server = Setup::limits(|limits| limits.merged_bytes = STREAM_WINDOW as usize)
        .start()
        .await;
    server.commit([service("rng", RNG)]).await;
    let mut live = Subscriber::new(&server, &Scope::all(), None).await;
    let mut stalled = Vec::new();
    for _ in 0..STALLED {
        stalled.push(Subscriber::new(&server, &Scope::all(), None).await);
    }
    let mut last = 0;
    let (mut sent, mut told) = (0usize, 0usize);
    for round in 0..ROUNDS {
        let name = |i: u32| format!("rng-{}-{i:04}", round % 2);
        let storm = (0..PODS).flat_map(|i| {
            let before = format!("rng-{}-{i:04}", (round + 1) % 2);
            [
                pod(&name(i), (round % 2) * PODS + i, RNG),
                delete_pod(&before),
            ]
        });
        last = server.commit(storm).await;
        let (_, events) = live.until(last).await;
        assert!(events.len() >= PODS as usize);
        sent += live.sizes.iter().sum::<usize>();
        told += events.len();
        assert_eq!(live.pods_of("rng").len(), PODS as usize);
    }
    assert!(
        sent > 2 * STREAM_WINDOW as usize,
        "the storm did not stall anybody: {sent} bytes"
    );

    let expected = live.pods_of("rng");
    for subscriber in &mut stalled {
        let (checkpoint, events) = subscriber.until(last).await;
        assert_eq!(checkpoint.cursor.revision, last);
        assert_eq!(subscriber.pods_of("rng"), expected);
        assert!(
            events.len() < told / 3,
            "{} events, and {told} for the one that is read: nothing was merged",
            events.len()
        );
    }
    server.stop().await;
}
