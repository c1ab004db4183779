//! What a subscriber is sent that moves to another replica: what changed, and in proportion to it.

use selectord::engine::Scope;

use crate::subscriber::{Doors, Subscriber};
use crate::support::random::seeds;
use crate::truth::{view, views_must_equal};
use crate::workload::Group;
use crate::world::{REPLICAS, World};

/// Groups that change while the subscriber is away.
const CHANGED: [usize; 6] = [0, 1, 3, 10, 30, 90];
/// A record may cost so many times what it costs in a first snapshot.
const TIMES: f64 = 2.0;
/// What is said to whoever has missed nothing.
const GREETING: usize = 256;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_moves_to_another_replica_is_sent_what_changed() {
    let seed = seeds(94_000, 1)[0];
    let Some(mut world) = World::start(seed).await else {
        return;
    };
    let (_, mut last) = world.settled().await;
    let doors = Doors::to(&world.addresses());
    let mut subscriber = Subscriber::new(0, seed, Scope::all());
    let first = subscriber.visit(&doors, 0, last).await;
    let each = first.bytes as f64 / first.changed as f64;
    println!(
        "first snapshot: {} bytes, {} records, {each:.0} bytes each",
        first.bytes, first.changed
    );
    for (at, count) in CHANGED.into_iter().enumerate() {
        let groups: Vec<Group> = (0..6).flat_map(Group::of).step_by(2).take(count).collect();
        for group in groups {
            last = world.writer(group.writer).write(group).await.unwrap();
        }
        let back = subscriber.visit(&doors, at % REPLICAS + 1, last).await;
        let of_each = back.bytes as f64 / back.changed.max(1) as f64 / each;
        println!(
            "{count} groups changed: {} bytes, {} events, {} records differ, {of_each:.2} × a record of \
             the snapshot each; {:.4} of the snapshot",
            back.bytes,
            back.events,
            back.changed,
            back.bytes as f64 / first.bytes as f64
        );
        assert!(back.same_epoch && !back.reset, "{back:?}");
        assert!(back.events <= 2 * back.changed, "{back:?}");
        let most = TIMES * each * back.changed as f64;
        assert!(back.bytes <= most as usize + GREETING, "{back:?}");
    }
    let client = world.replicas[0].client().await;
    let right = view(&client, Scope::all(), last).await;
    views_must_equal(&subscriber.view, &right, "who moved");
}
