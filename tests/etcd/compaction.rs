//! Etcd forgets what a replica has not read: it lists anew, and nobody sees part of that.

use selectord::client::WatchOptions;
use selectord::engine::{Event, Scope};

use crate::faults::Fault;
use crate::patience::patiently;
use crate::support::random::seeds;
use crate::truth::{must_agree, view, views_must_equal};
use crate::workload::must_be_whole;
use crate::world::World;

/// Writes that the replica misses.
const MISSED: u64 = 150;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_behind_a_compaction_tells_the_difference_in_one_step() {
    let seed = seeds(92_000, 1)[0];
    let Some(mut world) = World::start(seed).await else {
        return;
    };
    let (_, before) = world.settled().await;
    let behind = 2;
    let clients = world.clients().await;
    let mut watcher = clients[behind].watch(Scope::all(), WatchOptions::default());
    let mut elsewhere = clients[0].watch(Scope::all(), WatchOptions::default());
    for watcher in [&mut watcher, &mut elsewhere] {
        while patiently("a cut", watcher.next()).await.unwrap().revision < before {}
    }
    let saved = (
        elsewhere.cursor().cloned().unwrap(),
        elsewhere.view().clone(),
    );
    drop(elsewhere);

    let fault = Fault::CompactBeyond(behind);
    fault.befall(&mut world);
    world.write();
    world.acknowledged(MISSED).await;
    world.pause().await;
    fault.mend(&mut world).await;
    let (_, last) = world.settled().await;

    // Who stayed on its stream, and who comes to this replica with a cursor from before: neither is
    // reset, and what was deleted meanwhile is gone.
    let options = WatchOptions {
        resume: saved.into(),
        ..WatchOptions::default()
    };
    let moved = clients[behind].watch(Scope::all(), options);
    let right = view(&clients[0], Scope::all(), last).await;
    for (mut watcher, whose) in [(watcher, "who stayed"), (moved, "who came")] {
        while watcher.cursor().is_none_or(|at| at.revision < last) {
            let cut = patiently("a cut", watcher.next()).await.unwrap();
            assert!(!cut.events.contains(&Event::Reset), "{whose} was reset");
            must_be_whole(watcher.view(), whose);
        }
        views_must_equal(watcher.view(), &right, whose);
    }
    must_agree(&mut world).await;
}
