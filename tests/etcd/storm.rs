//! Everything at once, at random: members and replicas are killed, stopped and cut off, etcd forgets and
//! is restored, and all the while writers write everywhere and subscribers move between replicas.

use crate::crowd::{Crowd, Through};
use crate::faults::Fault;
use crate::restore::rewind;
use crate::subscriber::Return;
use crate::support::random::{Random, seeds};
use crate::truth::{must_agree, must_hold};
use crate::world::{REPLICAS, WRITERS, World};

/// Subscribers, and what befalls, unless SELECTORD_TEST_SUBSCRIBERS and SELECTORD_TEST_FAULTS say how many.
const SUBSCRIBERS: usize = 120;
const FAULTS: usize = 8;
/// Writes that have to succeed while something is wrong, and after it.
const MEANWHILE: u64 = 40;
/// Writes that have to be refused while there is no quorum.
const REFUSED: u64 = 4;
/// Of 100 subscribers so many move when something befalls.
const MOVING: usize = 12;
/// What a subscriber that comes back may be sent: so many times the bytes that what changed meanwhile has
/// in a first snapshot, and so many bytes for each coming back.
const TIMES: usize = 2;
const GREETING: usize = 256;

fn asked(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |number| number.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_befalls_all_hold_what_etcd_holds_and_nothing_acknowledged_is_lost() {
    for seed in seeds(90_000, 1) {
        let Some(mut world) = World::start(seed).await else {
            return;
        };
        storm(&mut world, seed).await;
    }
}

async fn storm(world: &mut World, seed: u64) {
    let mut random = Random::new(seed);
    let subscribers = asked("SELECTORD_TEST_SUBSCRIBERS", SUBSCRIBERS);
    let faults = asked("SELECTORD_TEST_FAULTS", FAULTS);
    let mut crowd = Crowd::start(subscribers, seed, WRITERS, &world.addresses());
    world.write();
    world.acknowledged(MEANWHILE).await;
    for number in 0..faults {
        if number == faults / 2 {
            let left_behind = random.chance(50).then(|| random.below(REPLICAS));
            println!("etcd is restored from a backup; {left_behind:?} does not see it");
            rewind(world, left_behind).await;
        }
        befall(world, &mut crowd, &mut random, number).await;
    }
    world.pause().await;
    let (epoch, last) = world.settled().await;
    let Through { held, returns } = crowd.end_at(epoch, last).await;
    let right = must_agree(world).await;
    must_hold(world, last, &held).await;
    must_be_proportional(&returns);
    let progress = *world.progress.borrow();
    println!(
        "{} subscribers, {} pods, revision {last}; {progress:?}",
        held.len(),
        right.pods.len()
    );
}

async fn befall(world: &mut World, crowd: &mut Crowd, random: &mut Random, number: usize) {
    let fault = Fault::any(random, world);
    let second = (fault.leaves_quorum() && random.chance(25)).then(|| Fault::of_replica(random));
    println!("{number}: {fault:?} {second:?}");
    fault.befall(world);
    if let Some(second) = second {
        second.befall(world);
    }
    crowd.stir(MOVING);
    if fault.leaves_quorum() {
        world.acknowledged(MEANWHILE).await;
    } else {
        world.refused(REFUSED).await;
    }
    crowd.stir(MOVING);
    if let Some(second) = second {
        second.mend(world).await;
    }
    fault.mend(world).await;
    world.acknowledged(MEANWHILE).await;
    crowd.must_live();
}

/// What those were sent who came back to the history that they had left.
fn must_be_proportional(returns: &[(Return, Vec<Return>)]) {
    let first = || returns.iter().map(|(first, _)| first);
    let snapshot: usize = first().map(|it| it.bytes).sum();
    let records: usize = first().map(|it| it.changed).sum();
    let each = snapshot / records.max(1);
    let (mut resumed, mut bytes, mut events, mut changed) = (0, 0, 0, 0);
    let (mut reset, mut reset_bytes, mut whole) = (0, 0, 0);
    for (first, later) in returns {
        for back in later.iter().filter(|back| back.same_epoch) {
            whole += first.bytes;
            if back.reset {
                // To a replica that has listed since, and does not know what was before.
                reset += 1;
                reset_bytes += back.bytes;
            } else {
                resumed += 1;
                bytes += back.bytes;
                events += back.events;
                changed += back.changed;
            }
        }
    }
    println!(
        "{resumed} came back to {bytes} bytes: {events} events for {changed} changed records, of {each} \
         bytes each in a first snapshot; {reset} came to a replica that had listed since: {reset_bytes} bytes; \
         first snapshots for all of them: {whole} bytes"
    );
    assert!(resumed > 0, "nobody moved");
    assert!(
        bytes <= TIMES * changed * each + GREETING * resumed,
        "{bytes} bytes for {changed} changed records of {each} bytes, {resumed} times"
    );
}
