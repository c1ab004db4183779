//! Etcd is restored from a backup: it keeps its name, and goes back in time. What was acknowledged since
//! is lost, which no cursor may hide.

use crate::crowd::Crowd;
use crate::patience::until;
use crate::support::random::seeds;
use crate::truth::{must_agree, must_hold, stored};
use crate::world::{WRITERS, World};

/// Writes after the backup, which are lost, and after the restore.
const LOST: u64 = 60;
const LATER: u64 = 40;

/// Backs up, goes on, and restores; answers when every replica is of the new history. The one
/// `left_behind` stands still meanwhile, until etcd's revision is beyond the one it saw last.
pub async fn rewind(world: &mut World, left_behind: Option<usize>) {
    world.pause().await;
    must_agree(world).await;
    let (epoch, last) = world.settled().await;
    let (accounts, held) = (world.accounts(), stored(world));
    let backup = world.members.back_up("backup");
    world.write();
    world.acknowledged(LOST).await;
    world.pause().await;
    let (_, lost) = world.settled().await;
    assert!(lost > last);

    if let Some(left) = left_behind {
        world.replicas[left].signal("STOP");
    }
    world.members.restore(&backup).await;
    let others = (0..world.replicas.len()).filter(|index| Some(*index) != left_behind);
    for index in others.collect::<Vec<_>>() {
        renewed(world, index, &epoch).await;
    }
    assert_eq!(stored(world), held, "what the backup has");
    world.go_back(&accounts);
    world.write();
    if let Some(left) = left_behind {
        until("etcd beyond what was lost", async || {
            match world.members.revision()? {
                revision if revision > lost => Ok(()),
                revision => Err(format!("it is at {revision} of {lost}")),
            }
        })
        .await;
        world.replicas[left].signal("CONT");
        renewed(world, left, &epoch).await;
    }
    world.acknowledged(LATER).await;
}

/// Waits until a replica is of another history, and answers.
async fn renewed(world: &mut World, index: usize, epoch: &[u8]) {
    let client = world.replicas[index].client().await;
    until("another history", async || {
        world.must_stand();
        let status = client.status().await.map_err(|error| error.to_string())?;
        if status.epoch == epoch {
            return Err(format!("replica {index} is still at {}", status.revision));
        }
        Ok(())
    })
    .await;
    world.replicas[index].ready().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_backup_is_another_history_and_subscribers_come_to_hold_it() {
    let seed = seeds(91_000, 1)[0];
    let Some(mut world) = World::start(seed).await else {
        return;
    };
    let crowd = Crowd::start(40, seed, WRITERS, &world.addresses());
    world.write();
    world.acknowledged(LATER).await;
    rewind(&mut world, None).await;
    rewind(&mut world, Some(1)).await;
    world.pause().await;
    let (epoch, last) = world.settled().await;
    let through = crowd.end_at(epoch, last).await;
    must_agree(&mut world).await;
    must_hold(&world, last, &through.held).await;
}
