//! What other programs do to the rules, and what the kernel refuses.

use std::os::unix::fs::PermissionsExt as _;

use selectord::model::ObjectName;
use selectord::proxy::Nftables;
use selectord::proxy::linux::Nft;

use super::namespace::{Namespace, available};
use super::random::{lines, sync_anew, syncer_with};
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
    if !available("what_somebody_else_changed_is_found_and_repaired") {
        return;
    }
    let world = some_world(7);
    let namespace = Namespace::new("faults");
    let (mut syncer, _) = namespace.within(|| sync_anew(&world.view));
    let good = lines(&namespace);
    assert!(!namespace.within(|| syncer.check()), "nobody wrote");

    let an_element = namespace.sh("nft list set ip selectord cluster-ips");
    let (_, rest) = an_element.split_once("elements = { ").expect(&an_element);
    let ip = rest.split([',', ' ']).next().unwrap();
    for damage in [
        "nft flush ruleset".to_owned(),
        "nft delete table ip6 selectord".to_owned(),
        "nft flush table ip selectord".to_owned(),
        "nft flush chain ip selectord services".to_owned(),
        "nft insert rule ip selectord services accept".to_owned(),
        "nft add chain ip selectord theirs".to_owned(),
        format!("nft delete element ip selectord cluster-ips {{ {ip} }}"),
        "nft add element ip selectord cluster-ips { 192.0.2.99 }".to_owned(),
        "nft 'add element ip selectord service-ips { 192.0.2.99 . tcp . 1 : drop }'".to_owned(),
        // A table of another layout, as an older version may have left it.
        "nft 'delete table ip selectord; add table ip selectord; add chain ip selectord services; \
         add set ip selectord service-ips { type ipv4_addr; }'"
            .to_owned(),
    ] {
        namespace.sh(&damage);
        let report = namespace.within(|| {
            assert!(syncer.check(), "{damage}: not found");
            syncer.sync(&world.view).unwrap()
        });
        assert!(report.read && report.lines > 0, "{damage}: {report:?}");
        namespace.within(|| syncer.backend().sweep().unwrap());
        assert_eq!(lines(&namespace), good, "{damage}");
        assert!(
            !namespace.within(|| syncer.check()),
            "{damage}: found twice"
        );
    }

    // What is none of ours is left alone, and costs one reading.
    namespace.sh("nft add table ip theirs; nft add chain ip theirs c");
    let report = namespace.within(|| {
        assert!(syncer.check());
        syncer.sync(&world.view).unwrap()
    });
    assert_eq!((report.lines, report.read), (0, true));
    assert!(!namespace.within(|| syncer.check()));
    namespace.within(|| Nftables::cleanup(&Nft::default()).unwrap());
    namespace.within(|| Nftables::cleanup(&Nft::default()).unwrap());
    assert_eq!(namespace.sh("nft list tables").trim(), "table ip theirs");
}

#[test]
fn a_write_that_meets_somebody_elses_edit_reads_and_goes_on() {
    if !available("a_write_that_meets_somebody_elses_edit_reads_and_goes_on") {
        return;
    }
    let mut world = some_world(8);
    let namespace = Namespace::new("meets");
    let (mut syncer, _) = namespace.within(|| sync_anew(&world.view));
    namespace.sh("nft flush ruleset");
    let events: Vec<_> = (0..6).flat_map(|_| world.step()).collect();
    let report = namespace.within(|| {
        syncer.note(&world.view, &events, &[]);
        syncer.sync(&world.view).unwrap()
    });
    assert!(report.read && report.refused.is_empty(), "{report:?}");
    let fresh = Namespace::new("fresh");
    fresh.within(|| sync_anew(&world.view));
    namespace.within(|| syncer.backend().sweep().unwrap());
    assert_eq!(lines(&namespace), lines(&fresh));
}

/// An nft that refuses every text with a line about `word`, and names the line.
fn refusing(folder: &std::path::Path, word: &str) -> Nft {
    let path = folder.join("nft");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" != -f ]; then exec nft \"$@\"; fi\ntext=$(mktemp)\ncat > $text\n\
         line=$(grep -n -F -m 1 -e '{word}' $text | cut -d: -f1)\n\
         if [ -n \"$line\" ]; then echo \"/dev/stdin:$line:1-9: Error: not that one\" >&2; rm $text; exit 1; fi\n\
         nft -f $text; status=$?; rm $text; exit $status\n"
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    Nft::at(path)
}

#[test]
fn one_service_that_is_refused_does_not_stop_the_others() {
    if !available("one_service_that_is_refused_does_not_stop_the_others") {
        return;
    }
    let mut world = some_world(9);
    let bad = world.view.services().keys().next().unwrap().clone();
    let ips = match &world.view.services()[&bad].entry.service.cluster_ip {
        selectord::model::ClusterIp::Ips(ips) => ips.clone(),
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
    fresh.within(|| sync_anew(&others));
    assert_eq!(lines(&namespace), lines(&fresh));

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
    fresh.within(|| sync_anew(&world.view));
    assert_eq!(lines(&namespace), lines(&fresh));

    // Refused without a line to blame: nothing is written, and nothing lost.
    refusing(folder.path(), "table");
    let events: Vec<_> = (0..3).flat_map(|_| world.step()).collect();
    let before = lines(&namespace);
    namespace.within(|| {
        syncer.note(&world.view, &events, &[]);
        syncer.sync(&world.view).unwrap_err();
    });
    assert_eq!(lines(&namespace), before);
    refusing(folder.path(), "no text has this");
    namespace.within(|| syncer.sync(&world.view).unwrap());
    namespace.within(|| syncer.backend().sweep().unwrap());
    let fresh = Namespace::new("fresh");
    fresh.within(|| sync_anew(&world.view));
    assert_eq!(lines(&namespace), lines(&fresh));
}
