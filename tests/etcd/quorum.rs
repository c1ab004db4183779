//! Etcd has lost its quorum: nothing can be written, everything can be read, and says how old it is.

use std::time::Duration;

use selectord::client::{Listing, WatchOptions, Watcher};
use selectord::engine::Scope;
use tonic::Code;

use crate::faults::Fault;
use crate::patience::{Patience, patiently, until};
use crate::replica::Replica;
use crate::support::random::seeds;
use crate::truth::must_agree;
use crate::workload::mark;
use crate::world::World;

/// Older than the strict one takes subscribers at.
const OLD: Duration = Duration::from_secs(4);

/// Reads a stream until it is as it should be. Signs of life alone are no cuts.
async fn heard(watcher: &mut Watcher, is_there: impl Fn(&Watcher) -> bool) {
    let patience = Patience::begin();
    while !is_there(watcher) {
        tokio::select! {
            cut = watcher.next() => drop(cut.unwrap()),
            () = patience.bear("a sign of life", "it does not come") => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_quorum_reads_go_on_and_say_how_old_they_are() {
    let seed = seeds(93_000, 1)[0];
    let Some(mut world) = World::start(seed).await else {
        return;
    };
    // One that takes subscribers only while it knows itself to be current.
    let mut strict = Replica::start(&world.members, world.folder.path(), "strict").await;
    strict.kill();
    strict.arguments = vec!["--max-lag".to_owned(), "3".to_owned()];
    strict.begin();
    strict.ready().await;
    let clients = [world.clients().await, vec![strict.client().await]].concat();
    let pods = patiently("a count", clients[0].count(&Listing::default())).await;
    let pods = pods.unwrap().answer;
    let mut watchers = Vec::new();
    for client in &clients {
        let mut watcher = client.watch(Scope::all(), WatchOptions::default());
        patiently("a first snapshot", watcher.next()).await.unwrap();
        // Until then it may have been sent away by one that was not current yet.
        let before = watcher.reconnects();
        watchers.push((watcher, before));
    }

    Fault::LoseQuorum.befall(&mut world);
    for (client, (watcher, before)) in clients.iter().zip(&mut watchers) {
        let refused = patiently("a refusal", client.commit(mark("never"), "")).await;
        let refused = refused.expect_err("nobody can have taken it");
        assert_eq!(refused.code(), Code::Unavailable, "{refused}");
        until("an age", async || {
            let status = client.status().await.map_err(|error| error.to_string())?;
            let old = status.source_age > OLD;
            old.then_some(())
                .ok_or_else(|| format!("it is {:?} old", status.source_age))
        })
        .await;
        let counted = patiently("a count", client.count(&Listing::default())).await;
        assert_eq!(counted.unwrap().answer, pods, "reads go on");
        // The stream goes on, too, and says how old it is.
        heard(watcher, |watcher| watcher.source_age() > OLD).await;
        assert_eq!(watcher.reconnects(), *before);
    }
    // Whoever comes now is not taken by the one that is not sure of itself.
    let mut refused = clients[3].watch(Scope::all(), WatchOptions::default());
    let mut taken = clients[0].watch(Scope::all(), WatchOptions::default());
    tokio::select! {
        cut = refused.next() => panic!("it was taken: {:?}", cut.map(|cut| cut.revision)),
        cut = patiently("a snapshot elsewhere", taken.next()) => drop(cut.unwrap()),
    }

    Fault::LoseQuorum.mend(&mut world).await;
    patiently("a snapshot after all", refused.next())
        .await
        .unwrap();
    let (_, last) = world.settled().await;
    for (mut watcher, before) in watchers {
        heard(&mut watcher, |watcher| {
            let is_there = watcher.cursor().is_some_and(|at| at.revision >= last);
            is_there && watcher.source_age() < OLD
        })
        .await;
        assert_eq!(watcher.reconnects(), before);
    }
    must_agree(&mut world).await;
}
