//! What other programs do to the rules, and what the kernel refuses.

use std::path::Path;

use selectord::model::{ClusterIp, ObjectName};
use selectord::proxy::linux::Nft;
use selectord::proxy::{Nftables, Syncer};

use super::mode::{Mode, in_each_mode, options};
use super::namespace::{Namespace, available};
use super::program;
use super::random::{sweep, sync_anew};
use super::start::{names, view_of};
use super::world::World;

fn some_world(seed: u64) -> World {
    let mut world = World::new(seed, 12);
    for _ in 0..40 {
        world.step();
    }
    world
}

#[test]
fn what_somebody_else_changed_is_found_and_repaired() {
    in_each_mode(
        "what_somebody_else_changed_is_found_and_repaired",
        find_and_repair,
    );
}

fn find_and_repair(mode: Mode) {
    let world = some_world(7);
    let namespace = Namespace::new("faults");
    let (mut syncer, _) = namespace.within(|| sync_anew(mode, &world.view));
    let good = mode.lines(&namespace);
    assert!(!namespace.within(|| syncer.check()), "nobody wrote");

    let ip = some_ipv4(&world);
    for damage in mode.damages(&ip) {
        namespace.sh(&damage);
        let report = namespace.within(|| {
            assert!(syncer.check(), "{damage}: not found");
            syncer.sync(&world.view).unwrap()
        });
        assert!(report.read && report.lines > 0, "{damage}: {report:?}");
        namespace.within(|| sweep(&mut syncer));
        assert_eq!(mode.lines(&namespace), good, "{damage}");
        assert!(
            !namespace.within(|| syncer.check()),
            "{damage}: found twice"
        );
    }

    // What is none of ours is left alone, and costs one reading.
    let [add, list] = mode.theirs();
    let nothing = Namespace::new("nothing");
    nothing.sh(add);
    namespace.sh(add);
    // Where the kernel does not count changes, it was read before it was known to be none of ours.
    let costs = mode != Mode::Iptables("legacy");
    let report = namespace.within(|| {
        assert_eq!(syncer.check(), costs);
        syncer.sync(&world.view).unwrap()
    });
    assert_eq!((report.lines, report.read), (0, costs));
    assert!(!namespace.within(|| syncer.check()));
    namespace.within(|| mode.cleanup());
    namespace.within(|| mode.cleanup());
    assert_eq!(namespace.sh(list), nothing.sh(list));
}

#[test]
fn a_write_that_meets_somebody_elses_edit_reads_and_goes_on() {
    in_each_mode(
        "a_write_that_meets_somebody_elses_edit_reads_and_goes_on",
        meet_an_edit,
    );
}

fn meet_an_edit(mode: Mode) {
    let mut world = some_world(8);
    let namespace = Namespace::new("meets");
    let (mut syncer, _) = namespace.within(|| sync_anew(mode, &world.view));
    namespace.sh(mode.flush());
    let events: Vec<_> = (0..6).flat_map(|_| world.step()).collect();
    let report = namespace.within(|| {
        syncer.note(&world.view, &events, &[]);
        syncer.sync(&world.view).unwrap()
    });
    assert!(report.read && report.refused.is_empty(), "{report:?}");
    let fresh = Namespace::new("fresh");
    fresh.within(|| sync_anew(mode, &world.view));
    namespace.within(|| sweep(&mut syncer));
    assert_eq!(mode.lines(&namespace), mode.lines(&fresh));
}

#[test]
fn source_ranges_follow_the_nodes_addresses() {
    in_each_mode("source_ranges_follow_the_nodes_addresses", move_address);
}

fn move_address(mode: Mode) {
    // Whoever has source ranges, has 192.0.2.0/24.
    let guarded = |world: &World| {
        let mut services = world
            .view
            .services()
            .values()
            .map(|held| &held.entry.service);
        services.any(|service| {
            let v4 = matches!(&service.cluster_ip, ClusterIp::Ips(ips) if ips.iter().any(|ip| ip.is_ipv4()));
            v4 && !service.load_balancer_source_ranges.is_empty()
        })
    };
    let world = (11..).map(some_world).find(guarded).unwrap();
    let namespace = Namespace::new("address");
    namespace.sh("ip link set lo up");
    let (mut syncer, _) = namespace.within(|| sync_anew(mode, &world.view));
    let before = mode.lines(&namespace);
    let mut after = |change: &str| {
        namespace.sh(change);
        namespace.within(|| {
            let moved = syncer.see_addresses();
            syncer.sync(&world.view).unwrap();
            sweep(&mut syncer);
            let (_, fresh) = sync_anew(mode, &world.view);
            assert_eq!(fresh.lines, 0, "{change}: {fresh:?}");
            moved
        })
    };
    // No range has this one.
    assert!(after("ip addr add 198.51.100.1/32 dev lo"));
    assert_eq!(mode.lines(&namespace), before);
    assert!(after("ip addr add 192.0.2.1/32 dev lo"));
    assert_ne!(mode.lines(&namespace), before);
    assert!(after("ip addr del 192.0.2.1/32 dev lo"));
    assert_eq!(mode.lines(&namespace), before);
    assert!(!after("true"));
}

/// A virtual IP of a service that has one of IPv4.
fn some_ipv4(world: &World) -> String {
    let ips =
        world
            .view
            .services()
            .values()
            .flat_map(|held| match &held.entry.service.cluster_ip {
                ClusterIp::Ips(ips) => ips.to_vec(),
                other => panic!("{other:?}"),
            });
    ips.into_iter().find(|ip| ip.is_ipv4()).unwrap().to_string()
}

/// nft, but that it refuses every text with a line about `word`, and names the line; and any text, as
/// long as there is a file `nft.all` beside it.
pub fn refusing(folder: &Path, word: &str) -> Nft {
    let path = folder.join("nft");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" != -f ]; then exec nft \"$@\"; fi\ntext=$(mktemp)\ncat > $text\n\
         line=$(grep -n -F -m 1 -e '{word}' $text | cut -d: -f1)\n\
         if [ -n \"$line\" ]; then echo \"/dev/stdin:$line:1-9: Error: not that one\" >&2; rm $text; exit 1; fi\n\
         if [ -e \"$0.all\" ]; then echo 'Error: nothing today' >&2; rm $text; exit 1; fi\n\
         nft -f $text; status=$?; rm $text; exit $status\n"
    );
    program::put(&path, &script);
    Nft::at(path)
}

pub fn syncer_with(nft: Nft) -> Syncer {
    Syncer::new(&options(), Box::new(Nftables::new(options(), nft)))
}

#[test]
fn one_service_that_is_refused_does_not_stop_the_others() {
    if !available("one_service_that_is_refused_does_not_stop_the_others") {
        return;
    }
    let mode = Mode::Nftables;
    let mut world = some_world(9);
    let bad = world.view.services().keys().next().unwrap().clone();
    let ips = match &world.view.services()[&bad].entry.service.cluster_ip {
        ClusterIp::Ips(ips) => ips.clone(),
        other => panic!("{other:?}"),
    };
    let folder = tempfile::tempdir().unwrap();
    let namespace = Namespace::new("refused");
    let mut syncer = syncer_with(refusing(folder.path(), &ips[0].to_string()));
    let names: Vec<ObjectName> = world.view.services().keys().cloned().collect();
    let report = namespace.within(|| {
        syncer.note(&world.view, &[], &names);
        syncer.sync(&world.view).unwrap()
    });
    assert_eq!(report.refused.len(), 1, "{report:?}");
    assert_eq!(report.refused[0].0, bad);
    assert!(report.refused[0].1.contains("not that one"));
    assert!(syncer.refused().contains_key(&bad));

    // The others are as if it were not there.
    let mut others = world.view.clone();
    others.apply(selectord::engine::Event::Remove(bad.clone()));
    let fresh = Namespace::new("fresh");
    fresh.within(|| sync_anew(mode, &others));
    assert_eq!(mode.lines(&namespace), mode.lines(&fresh));

    // They go on changing.
    let events: Vec<_> = (0..3).flat_map(|_| world.step()).collect();
    let report = namespace.within(|| {
        syncer.note(&world.view, &events, &[]);
        syncer.sync(&world.view).unwrap()
    });
    assert!(
        report.refused.iter().all(|(name, _)| *name == bad),
        "{report:?}"
    );
}

#[test]
fn what_cannot_be_written_is_kept_for_the_next_time() {
    if !available("what_cannot_be_written_is_kept_for_the_next_time") {
        return;
    }
    let mode = Mode::Nftables;
    let mut world = some_world(10);
    let namespace = Namespace::new("later");
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("nft");
    let mut syncer = syncer_with(Nft::at(&program));
    let names: Vec<ObjectName> = world.view.services().keys().cloned().collect();
    let error = namespace.within(|| {
        syncer.note(&world.view, &[], &names);
        syncer.sync(&world.view).unwrap_err()
    });
    assert_eq!(error.to_string(), "cannot read the rules");
    refusing(folder.path(), "no text has this");
    let events = world.step();
    namespace.within(|| {
        syncer.note(&world.view, &events, &[]);
        syncer.sync(&world.view).unwrap();
    });
    let fresh = Namespace::new("fresh");
    fresh.within(|| sync_anew(mode, &world.view));
    assert_eq!(mode.lines(&namespace), mode.lines(&fresh));

    // Refused without a line to blame: nothing is written, and nothing lost.
    refusing(folder.path(), "table");
    let events: Vec<_> = (0..3).flat_map(|_| world.step()).collect();
    let before = mode.lines(&namespace);
    namespace.within(|| {
        syncer.note(&world.view, &events, &[]);
        syncer.sync(&world.view).unwrap_err();
    });
    assert_eq!(mode.lines(&namespace), before);
    refusing(folder.path(), "no text has this");
    namespace.within(|| syncer.sync(&world.view).unwrap());
    namespace.within(|| sweep(&mut syncer));
    let fresh = Namespace::new("fresh");
    fresh.within(|| sync_anew(mode, &world.view));
    assert_eq!(mode.lines(&namespace), mode.lines(&fresh));
}

#[test]
fn who_was_refused_is_tried_again_whatever_became_of_the_others() {
    if !available("who_was_refused_is_tried_again_whatever_became_of_the_others") {
        return;
    }
    let view = view_of(&[(0, &[1]), (1, &[1, 2])]);
    let folder = tempfile::tempdir().unwrap();
    let namespace = Namespace::new("both");
    let mut syncer = syncer_with(refusing(folder.path(), "10.96.0.0 "));
    let all = folder.path().join("nft.all");
    std::fs::write(&all, "").unwrap();
    namespace.within(|| {
        syncer.note(&view, &[], &names(&view));
        syncer.sync(&view).unwrap_err();
    });
    let bad = ObjectName::new("ns", "svc0");
    assert_eq!(syncer.refused().keys().collect::<Vec<_>>(), [&bad]);

    std::fs::remove_file(&all).unwrap();
    refusing(folder.path(), "no text has this");
    namespace.within(|| {
        assert!(syncer.retry_refused());
        syncer.sync(&view).unwrap();
    });
    let fresh = Namespace::new("fresh");
    fresh.within(|| sync_anew(Mode::Nftables, &view));
    assert_eq!(
        Mode::Nftables.lines(&namespace),
        Mode::Nftables.lines(&fresh)
    );
}

#[test]
fn what_is_emptied_is_taken_away_though_more_is_emptied_all_the_time() {
    if !available("what_is_emptied_is_taken_away_though_more_is_emptied_all_the_time") {
        return;
    }
    let namespace = Namespace::new("empty");
    let mut syncer = Mode::Nftables.syncer();
    let mut sync = |ends: &[usize]| {
        let view = view_of(&[(0, ends)]);
        namespace.within(|| {
            syncer.note(&view, &[], &names(&view));
            syncer.sync(&view).unwrap();
        });
        syncer.backend().sweep_at()
    };
    assert_eq!(sync(&[1, 2, 3]), None);
    let first = sync(&[1, 2]);
    assert!(first.is_some());
    assert_eq!(sync(&[1]), first);
    assert_eq!(sync(&[]), first);
    namespace.within(|| sweep(&mut syncer));
    assert_eq!(syncer.backend().sweep_at(), None);
    assert!(!namespace.sh("nft list ruleset").contains("pick-tcp"));
}
