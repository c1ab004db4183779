//! What other programs do to the rules, and what iptables refuses.

use std::error::Error;
use std::fs::File;

use selectord::engine::{Event, View};
use selectord::model::{ClusterIp, Endpoint, ObjectName};
use selectord::proxy::iptables::Iptables;
use selectord::proxy::{Report, SyncError, Syncer};

use super::variant::{Node, VARIANTS, available};
use crate::start::view_of;
use crate::world::{NODE, World};

pub fn some_world(seed: u64) -> World {
    let mut world = World::new(seed, 12);
    for _ in 0..40 {
        world.step();
    }
    world
}

/// A service with a virtual IPv4 address.
fn some_service(world: &World) -> (ObjectName, String) {
    let mut services = world.view.services().iter();
    let found = services.find_map(|(name, held)| match &held.entry.service.cluster_ip {
        ClusterIp::Ips(ips) => Some((
            name.clone(),
            ips.iter().find(|ip| ip.is_ipv4())?.to_string(),
        )),
        _ => None,
    });
    found.unwrap()
}

pub fn sync(node: &Node, syncer: &mut Syncer, world: &World) -> Result<Report, SyncError> {
    node.namespace.within(|| syncer.sync(&world.view))
}

pub fn note_all(syncer: &mut Syncer, world: &World) {
    let names: Vec<ObjectName> = world.view.services().keys().cloned().collect();
    syncer.note(&world.view, &[], &names);
}

pub fn fresh_lines(variant: &'static str, world: &World) -> Vec<String> {
    let fresh = Node::new(variant);
    fresh.sync_anew(&world.view);
    fresh.lines()
}

pub fn causes(error: &SyncError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// Scripts that change our rules, each in another way.
pub fn damages(variant: &str) -> Vec<String> {
    let portals = "-m comment --comment 'kubernetes service portals' -j SELD-SERVICES";
    let mut damages = vec![
        "iptables -t nat -F".to_owned(),
        "iptables -t nat -F; iptables -t nat -X; ip6tables -F; ip6tables -X".to_owned(),
        "iptables -t nat -F PREROUTING".to_owned(),
        "iptables -t nat -D OUTPUT 1".to_owned(),
        "iptables -D FORWARD 3".to_owned(),
        "ip6tables -D INPUT 2".to_owned(),
        "iptables -t nat -F SELD-MARK-MASQ".to_owned(),
        "ip6tables -t nat -D SELD-POSTROUTING 1".to_owned(),
        "iptables -t nat -D SELD-SERVICES 1".to_owned(),
        "iptables -t nat -I SELD-SERVICES -j ACCEPT".to_owned(),
        "iptables -t nat -A SELD-SERVICES -p udp -j ACCEPT".to_owned(),
        "iptables -A SELD-FORWARD -j DROP".to_owned(),
        // Chains of services that are gone, and rules that lead to them.
        "iptables -t nat -N SELD-SVC-A; iptables -t nat -A SELD-SERVICES -j SELD-SVC-A".to_owned(),
        "iptables -t nat -N SELD-SEP-B; iptables -t nat -A OUTPUT -j SELD-SEP-B".to_owned(),
        // Ours in another order, and twice.
        "rule=$(iptables -S FORWARD | sed -n '2s/^-A//p'); eval iptables -D $rule; eval iptables -A $rule"
            .to_owned(),
        format!("iptables -t nat -A OUTPUT {portals}"),
        "rule=$(iptables -t nat -S SELD-SERVICES | sed -n '2s/^-A/-I/p'); eval iptables -t nat $rule"
            .to_owned(),
    ];
    for damage in &mut damages {
        // A proxy that runs may write just then.
        *damage = damage.replace("tables ", &format!("tables-{variant} -w "));
    }
    if variant == "nft" {
        damages.push("nft flush ruleset".to_owned());
    }
    damages
}

#[test]
fn what_is_none_of_ours_is_left_alone() {
    if !available("what_is_none_of_ours_is_left_alone") {
        return;
    }
    let world = some_world(12);
    for variant in VARIANTS {
        let node = Node::new(variant);
        let theirs = "iptables -t nat -N THEIRS; iptables -t nat -A THEIRS -p udp -j RETURN; \
                      iptables -t nat -I PREROUTING -j THEIRS; iptables -A INPUT -p icmp -j ACCEPT; \
                      iptables -t nat -N KUBE-SERVICES; iptables -t mangle -N SELD-MANGLE; \
                      iptables -t nat -A OUTPUT -m comment --comment 'kubernetes service portals' -j KUBE-SERVICES";
        node.namespace
            .sh(&theirs.replace("iptables ", &format!("iptables-{variant} ")));
        let before = node.lines();
        let (mut syncer, _) = node.sync_anew(&world.view);
        let good = node.lines();
        // A rule of theirs that uses a chain of ours.
        node.iptables("-t nat -A THEIRS -j SELD-MARK-MASQ");
        let used = node.lines();
        node.namespace.within(|| syncer.check());
        let report = sync(&node, &mut syncer, &world).unwrap();
        assert_eq!(report.lines, 0, "{variant}");
        assert_eq!(node.lines(), used);
        node.iptables("-t nat -D THEIRS -j SELD-MARK-MASQ");
        assert_eq!(node.lines(), good);
        let cleanup = || Iptables::cleanup(&node.programs()).unwrap();
        assert_eq!(node.namespace.within(cleanup), 2, "{variant}");
        assert_eq!(node.namespace.within(cleanup), 0, "{variant}");
        let empty = |line: &&String| !line.contains(": ") && !before.contains(line);
        let after = node.lines();
        let added: Vec<_> = after.iter().filter(empty).collect();
        assert!(
            added.iter().all(|line| !line.contains("SELD-")),
            "{added:?}"
        );
        let rules = |lines: &[String]| -> Vec<String> {
            lines
                .iter()
                .filter(|line| line.contains(": ") || line.contains("THEIRS"))
                .cloned()
                .collect()
        };
        assert_eq!(rules(&after), rules(&before), "{variant}");
    }
}

#[test]
fn whom_affinity_remembers_it_remembers_through_rewrites() {
    if !available("whom_affinity_remembers_it_remembers_through_rewrites") {
        return;
    }
    let is_sticky = |world: &World| {
        let mut services = world.view.services().values();
        services.any(|held| {
            let service = &held.entry.service;
            let both = matches!(&service.cluster_ip, ClusterIp::Ips(ips) if ips.len() == 2);
            let is_ready = |endpoint: &Endpoint| endpoint.conditions.ready && endpoint.node == NODE;
            both && service.session_affinity_seconds.is_some()
                && held.endpoints.values().any(is_ready)
        })
    };
    let mut world = (13..).map(some_world).find(is_sticky).unwrap();
    for variant in VARIANTS {
        let node = Node::new(variant);
        let (mut syncer, _) = node.sync_anew(&world.view);
        let list = node.namespace.sh("ls /proc/net/xt_recent | head -n 1");
        let list = list.trim();
        assert!(list.starts_with("SELD-SEP-"), "{list:?}");
        let at = format!("/proc/net/xt_recent/{list}");
        let client = match node.save("iptables").contains(list) {
            true => "192.0.2.77",
            false => "2001:0db8:0000:0000:0000:0000:0000:0077",
        };
        node.namespace.sh(&format!("echo +{client} > {at}"));
        let used = |node: &Node| {
            node.save("iptables").contains(list) || node.save("ip6tables").contains(list)
        };
        let remembered = |node: &Node| node.namespace.sh(&format!("cat {at}")).contains(client);
        assert!(remembered(&node));
        node.iptables("-t nat -F SELD-SERVICES");
        let (_, report) = node.sync_anew(&world.view);
        assert!(report.lines > 0 && remembered(&node), "{variant}");
        for _ in 0..4 {
            let events = world.step();
            syncer.note(&world.view, &events, &[]);
            sync(&node, &mut syncer, &world).unwrap();
            if !used(&node) {
                break;
            }
            assert!(remembered(&node), "{variant}");
        }
    }
}

#[test]
fn one_service_that_is_refused_does_not_stop_the_others() {
    if !available("one_service_that_is_refused_does_not_stop_the_others") {
        return;
    }
    for variant in VARIANTS {
        let mut world = some_world(9);
        let (bad, ip) = some_service(&world);
        let node = Node::new(variant);
        // The program itself refuses, with its own words, after other tables were written.
        let spoil = format!(
            "sed 's|^\\(-[AI] SELD-SERVICES .*{ip}/32.*\\)$|\\1 --no-such-option|' | $real \"$@\""
        );
        node.replace("iptables-restore", &spoil);
        let mut syncer = node.syncer();
        note_all(&mut syncer, &world);
        let report = sync(&node, &mut syncer, &world).unwrap();
        assert_eq!(report.refused.len(), 1, "{variant}: {report:?}");
        assert_eq!(report.refused[0].0, bad);
        assert!(report.refused[0].1.contains("no-such-option"), "{report:?}");
        assert!(syncer.refused().contains_key(&bad));

        // The others are as if it were not there.
        let mut others = World::new(0, 0);
        others.view = world.view.clone();
        others.view.apply(Event::Remove(bad.clone()));
        assert_eq!(node.lines(), fresh_lines(variant, &others), "{variant}");

        // They go on changing.
        let events: Vec<_> = (0..3).flat_map(|_| world.step()).collect();
        syncer.note(&world.view, &events, &[]);
        let report = sync(&node, &mut syncer, &world).unwrap();
        assert!(
            report.refused.iter().all(|(name, _)| *name == bad),
            "{report:?}"
        );

        // And it comes when it is let in.
        node.replace("iptables-restore", "exec $real \"$@\"");
        syncer.retry_refused();
        sync(&node, &mut syncer, &world).unwrap();
        assert_eq!(node.lines(), fresh_lines(variant, &world), "{variant}");
    }
}

#[test]
fn what_cannot_be_written_is_kept_for_the_next_time() {
    if !available("what_cannot_be_written_is_kept_for_the_next_time") {
        return;
    }
    for variant in VARIANTS {
        let mut world = some_world(10);
        let node = Node::new(variant);
        let mut syncer = node.syncer();
        note_all(&mut syncer, &world);
        node.replace("iptables-restore", "echo no luck >&2; exit 1");
        let error = sync(&node, &mut syncer, &world).unwrap_err();
        assert!(causes(&error).contains("no luck"), "{}", causes(&error));
        node.replace("iptables-restore", "exec $real \"$@\"");
        let events = world.step();
        syncer.note(&world.view, &events, &[]);
        sync(&node, &mut syncer, &world).unwrap();
        assert_eq!(node.lines(), fresh_lines(variant, &world), "{variant}");

        // The first table is written, the second is not.
        for program in ["iptables-restore", "ip6tables-restore"] {
            node.replace(program, "sed 's/^\\*nat/*no-such-table/' | $real \"$@\"");
        }
        let events: Vec<_> = (0..6).flat_map(|_| world.step()).collect();
        syncer.note(&world.view, &events, &[]);
        let done = sync(&node, &mut syncer, &world);
        assert!(done.is_err(), "{done:?}");
        for program in ["iptables-restore", "ip6tables-restore"] {
            node.replace(program, "exec $real \"$@\"");
        }
        sync(&node, &mut syncer, &world).unwrap();
        assert_eq!(node.lines(), fresh_lines(variant, &world), "{variant}");
    }
}

#[test]
fn a_lock_that_another_holds_is_waited_for_and_named() {
    if !available("a_lock_that_another_holds_is_waited_for_and_named") {
        return;
    }
    let world = some_world(11);
    let node = Node::new("legacy");
    let path = format!("{}/lock", node.path());
    // Less patient than the product is.
    let script = format!("XTABLES_LOCKFILE={path} exec $real --noflush -w 1");
    node.replace("iptables-restore", &script);
    let lock = File::create(&path).unwrap();
    lock.lock().unwrap();
    let mut syncer = node.syncer();
    note_all(&mut syncer, &world);
    let error = sync(&node, &mut syncer, &world).unwrap_err();
    assert!(
        causes(&error).contains("another program has held the lock of iptables' rules"),
        "{}",
        causes(&error)
    );
    lock.unlock().unwrap();
    sync(&node, &mut syncer, &world).unwrap();
    assert_eq!(node.lines(), fresh_lines("legacy", &world));
}

/// The kubelet's chains tell where rules go, and none of ours stay in the other variant.
#[test]
fn rules_are_in_the_variant_that_the_node_uses_and_in_no_other() {
    if !available("rules_are_in_the_variant_that_the_node_uses_and_in_no_other") {
        return;
    }
    let world = some_world(15);
    for (used, other) in [("nft", "legacy"), ("legacy", "nft")] {
        // The system's own choice is the other.
        let node = Node::with_both(used, other);
        let wrong = Node::new(other);
        let mut syncer = wrong.syncer();
        note_all(&mut syncer, &world);
        sync(&node, &mut syncer, &world).unwrap();
        node.iptables("-t mangle -N KUBE-IPTABLES-HINT");
        let (_, report) = node.sync_anew(&world.view);
        assert!(report.lines > 0, "{report:?}");
        let hint = |line: &String| !line.contains(" mangle ");
        let lines: Vec<_> = node.lines().into_iter().filter(hint).collect();
        let fresh: Vec<_> = fresh_lines(used, &world).into_iter().filter(hint).collect();
        assert_eq!(lines, fresh, "{used}");
        let left = node
            .namespace
            .sh(&format!("iptables-{other}-save; ip6tables-{other}-save"));
        assert!(!left.contains("SELD-"), "{left}");
        // The next one finds it so.
        let (_, again) = node.sync_anew(&world.view);
        assert_eq!(again.lines, 0);
        node.namespace
            .within(|| Iptables::cleanup(&node.programs()).unwrap());
        assert!(!node.save("iptables").contains("SELD-"));
    }
}

/// A node's rules are taken over by a process that starts amid changes it has not seen.
#[test]
fn rules_that_are_found_are_changed_only_where_they_differ() {
    if !available("rules_that_are_found_are_changed_only_where_they_differ") {
        return;
    }
    for variant in VARIANTS {
        let node = Node::new(variant);
        let mut world = World::new(21, 12);
        for _ in 0..40 {
            world.step();
        }
        let (_, whole) = node.sync_anew(&world.view);
        for _ in 0..2 {
            world.step();
        }
        let (_, report) = node.sync_anew(&world.view);
        assert!(
            report.lines > 0 && report.lines * 3 < whole.lines,
            "{report:?} {whole:?}"
        );
        let fresh = Node::new(variant);
        fresh.sync_anew(&world.view);
        assert_eq!(node.lines(), fresh.lines());
    }
}

#[test]
fn a_service_that_is_refused_at_the_start_keeps_the_rules_it_is_found_with() {
    if !available("a_service_that_is_refused_at_the_start_keeps_the_rules_it_is_found_with") {
        return;
    }
    for variant in VARIANTS {
        let lines_of = |view: &View| {
            let fresh = Node::new(variant);
            fresh.sync_anew(view);
            fresh.lines()
        };
        let node = Node::new(variant);
        node.sync_anew(&view_of(&[(0, &[1, 2, 3]), (1, &[1, 2])]));
        let spoil = "sed 's|^\\(-[AI] .*\"ns/svc0[ \"].*\\)$|\\1 --no-such-option|' | $real \"$@\"";
        node.replace("iptables-restore", spoil);
        let after = view_of(&[(0, &[9]), (1, &[1, 4])]);
        let (mut syncer, report) = node.sync_anew(&after);
        assert_eq!(report.refused.len(), 1, "{variant}: {report:?}");
        let half = view_of(&[(0, &[1, 2, 3]), (1, &[1, 4])]);
        assert_eq!(node.lines(), lines_of(&half), "{variant}");
        // Refused again, and after somebody else wrote, it keeps them too.
        for spoil in ["true", "iptables-VARIANT -t nat -F SELD-MARK-MASQ"] {
            node.namespace.sh(&spoil.replace("VARIANT", variant));
            node.namespace.within(|| syncer.check());
            assert!(syncer.retry_refused());
            let report = node.namespace.within(|| syncer.sync(&after).unwrap());
            assert_eq!(report.refused.len(), 1, "{variant}: {report:?}");
            assert_eq!(node.lines(), lines_of(&half), "{variant}");
        }

        node.replace("iptables-restore", "exec $real \"$@\"");
        syncer.retry_refused();
        node.namespace.within(|| syncer.sync(&after).unwrap());
        assert_eq!(node.lines(), lines_of(&after), "{variant}");
    }
}
