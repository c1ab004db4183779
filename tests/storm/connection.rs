//! Watchers of one client that nobody reads, and one that somebody does.

use std::time::Duration;

use selectord::client::{Client, Listing, WatchOptions, Watcher};
use selectord::engine::Scope;

use crate::flood::{Flood, PODS, ROUNDS, rng};
use crate::state::{State, patiently};

const UNREAD: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_that_are_not_read_hold_up_nothing_on_their_connection() {
    let flood = Flood::start().await;
    let client = Client::connect(&flood.server.address).await.unwrap();
    // None is given up, however long a busy machine lets it wait.
    let options = WatchOptions {
        heartbeat: Duration::from_secs(60),
        ..WatchOptions::default()
    };
    let watch = || client.watch(Scope::all(), options.clone());
    let mut unread = Vec::new();
    for _ in 0..UNREAD {
        let mut watcher = watch();
        patiently(watcher.next()).await.unwrap();
        unread.push(watcher);
    }
    let mut live = watch();
    until(&mut live, flood.populate().await).await;
    for round in 0..ROUNDS {
        let revision = flood.round(round).await;
        until(&mut live, revision).await;
        let count = patiently(client.count(&Listing::default())).await.unwrap();
        assert_eq!(count.answer, u64::from(PODS));
    }
    let cursor = live.cursor().cloned().unwrap();
    let right = State::asked(&client, &Scope::all(), cursor.revision).await;
    State::of(live.view()).must_be(&right, "the one that is read");

    for watcher in unread.iter_mut().take(3) {
        until(watcher, cursor.revision).await;
        State::of(watcher.view()).must_be(&right, "one that is read again");
        assert_eq!(watcher.reconnects(), 0);
    }
    assert_eq!(
        live.view().services()[&rng()].endpoints.len(),
        PODS as usize
    );
}

async fn until(watcher: &mut Watcher, revision: u64) {
    while patiently(watcher.next()).await.unwrap().revision < revision {}
}
