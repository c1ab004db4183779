//! What a kernel or its tables do not give: a family, a permission, rules that can be read.

use std::time::Duration;

use selectord::proxy::iptables::Iptables;
use selectord::proxy::{ProxyOptions, Syncer};

use super::faults::{causes, fresh_lines, note_all, some_world, sync};
use super::variant::{Node, VARIANTS, available};
use crate::mode::options;
use crate::start::view_of;

fn v4(lines: Vec<String>) -> Vec<String> {
    let mut lines = lines;
    lines.retain(|line| line.starts_with("iptables "));
    lines
}

#[test]
fn a_family_without_programs_does_not_stop_the_other() {
    if !available("a_family_without_programs_does_not_stop_the_other") {
        return;
    }
    let mut world = some_world(14);
    for variant in VARIANTS {
        let node = Node::new(variant);
        node.remove("ip6tables-save");
        let (mut syncer, _) = node.sync_anew(&world.view);
        let events: Vec<_> = (0..3).flat_map(|_| world.step()).collect();
        syncer.note(&world.view, &events, &[]);
        sync(&node, &mut syncer, &world).unwrap();
        assert_eq!(
            v4(node.lines()),
            v4(fresh_lines(variant, &world)),
            "{variant}"
        );
        assert_eq!(node.save("ip6tables").matches("SELD-").count(), 0);
    }
    let node = Node::new("nft");
    node.remove("ip6tables-save");
    node.remove("iptables-save");
    let error = sync(&node, &mut node.syncer(), &world).unwrap_err();
    assert!(
        causes(&error).contains("is iptables 1.8 or newer installed?"),
        "{}",
        causes(&error)
    );
}

/// A chain of others that only nft can say.
const SPOIL: &str = "nft 'add table ip filter; add chain ip filter theirs; \
                     add rule ip filter theirs ct state vmap { invalid : drop }'";
const MEND: &str = "nft 'flush chain ip filter theirs; delete chain ip filter theirs'";

#[test]
fn a_table_that_cannot_be_read_holds_up_neither_itself_nor_the_others() {
    if !available("a_table_that_cannot_be_read_holds_up_neither_itself_nor_the_others") {
        return;
    }
    // It is spoilt while the process runs, or before it starts.
    for at_start in [false, true] {
        let mut world = some_world(16);
        let node = Node::new("nft");
        if at_start {
            node.namespace.sh(SPOIL);
        }
        let (mut syncer, report) = node.sync_anew(&world.view);
        assert_eq!(report.failures, usize::from(at_start), "{report:?}");
        if !at_start {
            node.namespace.sh(SPOIL);
            assert!(node.namespace.within(|| syncer.check()));
        }
        let unreadable = node
            .save("iptables")
            .contains("# Table `filter' is incompatible");
        assert!(unreadable, "{}", node.save("iptables"));
        for _ in 0..3 {
            let events: Vec<_> = (0..3).flat_map(|_| world.step()).collect();
            syncer.note(&world.view, &events, &[]);
            sync(&node, &mut syncer, &world).unwrap();
        }
        // What can be read is kept true.
        node.iptables("-t nat -F SELD-MARK-MASQ");
        assert!(node.namespace.within(|| syncer.check()));
        let report = sync(&node, &mut syncer, &world).unwrap();
        assert!(report.lines > 0 && report.failures == 1, "{report:?}");
        let error = node
            .namespace
            .within(|| Iptables::cleanup(&node.programs()).unwrap_err());
        assert!(
            error
                .to_string()
                .contains("take away what was put into it with nft")
        );
        assert!(!node.save("ip6tables").contains("SELD"));
        assert!(node.namespace.within(|| syncer.check()));
        sync(&node, &mut syncer, &world).unwrap();

        // It was written all the same.
        node.namespace.sh(MEND);
        assert_eq!(node.lines(), fresh_lines("nft", &world), "{at_start}");
        assert!(node.namespace.within(|| syncer.check()));
        let report = sync(&node, &mut syncer, &world).unwrap();
        assert_eq!((report.lines, report.failures), (0, 0), "{report:?}");
    }
}

#[test]
fn rules_that_cannot_be_read_may_be_there() {
    if !available("rules_that_cannot_be_read_may_be_there") {
        return;
    }
    let node = Node::new("nft");
    let finds = || node.namespace.within(|| node.syncer().finds_services());
    assert!(!finds());
    node.sync_anew(&view_of(&[(1, &[1, 2])]));
    assert!(finds());
    // All that there is stands in one table.
    node.namespace.sh(&SPOIL.replace("filter", "nat"));
    assert!(
        node.save("iptables")
            .contains("# Table `nat' is incompatible")
    );
    assert!(finds());
}

#[test]
fn a_write_that_is_refused_while_a_table_cannot_be_read_is_followed_by_a_whole_one() {
    if !available("a_write_that_is_refused_while_a_table_cannot_be_read_is_followed_by_a_whole_one")
    {
        return;
    }
    let mut world = some_world(17);
    let node = Node::new("nft");
    let (mut syncer, _) = node.sync_anew(&world.view);
    node.namespace.sh(SPOIL);
    // Memory says that there are rules in it.
    node.iptables("-F SELD-SERVICES; iptables-nft -F SELD-EXTERNAL-SERVICES");
    node.namespace.within(|| syncer.check());
    for _ in 0..12 {
        let events = world.step();
        syncer.note(&world.view, &events, &[]);
        sync(&node, &mut syncer, &world).unwrap();
    }
    node.namespace.sh(MEND);
    node.namespace.within(|| syncer.check());
    sync(&node, &mut syncer, &world).unwrap();
    assert_eq!(node.lines(), fresh_lines("nft", &world));
}

#[test]
fn a_legacy_kernel_without_tables_for_ipv6_has_rules_of_ipv4() {
    if !available("a_legacy_kernel_without_tables_for_ipv6_has_rules_of_ipv4") {
        return;
    }
    let lacks = |program: &str| {
        format!(
            "echo \"{program} v1.8.9 (legacy): {program}: unable to initialize table 'filter'\" >&2
             echo 'Error occurred at line: 1' >&2; exit 2"
        )
    };
    let mut world = some_world(18);
    let node = Node::new("legacy");
    let programs = ["iptables-restore", "ip6tables-restore"];
    for program in programs {
        node.replace(program, &lacks(program));
    }
    // Where both families lack them, something else may be wrong.
    let mut syncer = node.syncer();
    note_all(&mut syncer, &world);
    let error = sync(&node, &mut syncer, &world).unwrap_err();
    assert!(
        causes(&error).contains("or gives it no permission"),
        "{}",
        causes(&error)
    );

    node.replace("iptables-restore", "exec $real \"$@\"");
    for _ in 0..3 {
        let report = sync(&node, &mut syncer, &world).unwrap();
        assert_eq!(report.failures, 0, "{report:?}");
        assert_eq!(v4(node.lines()), v4(fresh_lines("legacy", &world)));
        let events: Vec<_> = (0..3).flat_map(|_| world.step()).collect();
        syncer.note(&world.view, &events, &[]);
    }
    assert_eq!(node.save("ip6tables").matches("SELD-").count(), 0);
}

#[test]
fn what_passes_is_no_lack_and_stops_one_family_alone() {
    if !available("what_passes_is_no_lack_and_stops_one_family_alone") {
        return;
    }
    const GENERATION: &str = "echo 'Could not fetch rule set generation id: WHY' >&2; exit 4";
    for variant in VARIANTS {
        let mut world = some_world(19);
        let node = Node::new(variant);
        let right = |program| node.replace(program, "exec $real \"$@\"");
        node.replace(
            "ip6tables-save",
            &format!(
                "[ \"$1\" != -V ] || exec $real -V; {}",
                GENERATION.replace("WHY", "Permission denied (you must be root)")
            ),
        );
        let mut syncer = node.syncer();
        note_all(&mut syncer, &world);
        let error = sync(&node, &mut syncer, &world).unwrap_err();
        assert!(
            causes(&error).contains("has no permission"),
            "{}",
            causes(&error)
        );
        right("ip6tables-save");
        sync(&node, &mut syncer, &world).unwrap();
        assert_eq!(node.lines(), fresh_lines(variant, &world), "{variant}");

        for program in ["ip6tables-restore", "ip6tables-save"] {
            // Even what would be a lack at the start.
            for why in ["No buffer space available", "Invalid argument"] {
                node.replace(program, &GENERATION.replace("WHY", why));
                node.namespace.sh(&format!(
                    "iptables-{variant} -t nat -F SELD-MARK-MASQ; ip6tables-{variant} -t nat -F SELD-MARK-MASQ"
                ));
                node.namespace.within(|| syncer.check());
                let events: Vec<_> = (0..3).flat_map(|_| world.step()).collect();
                syncer.note(&world.view, &events, &[]);
                let error = sync(&node, &mut syncer, &world).unwrap_err();
                assert!(causes(&error).contains(why), "{}", causes(&error));
                let fresh = fresh_lines(variant, &world);
                assert_eq!(v4(node.lines()), v4(fresh.clone()), "{variant}");
                right(program);
                sync(&node, &mut syncer, &world).unwrap();
                assert_eq!(node.lines(), fresh, "{variant}");
            }
        }
    }
}

#[test]
fn rules_that_cannot_be_removed_from_the_other_variant_are_left_alone_for_a_while() {
    let test = "rules_that_cannot_be_removed_from_the_other_variant_are_left_alone_for_a_while";
    if !available(test) {
        return;
    }
    let mut world = some_world(20);
    let node = Node::with_both("nft", "legacy");
    let wrong = Node::new("legacy");
    let mut syncer = wrong.syncer();
    note_all(&mut syncer, &world);
    sync(&node, &mut syncer, &world).unwrap();
    node.iptables("-t mangle -N KUBE-IPTABLES-HINT");
    let runs = format!("{}/runs", node.path());
    // The system's own choice is the other variant.
    node.replace(
        "iptables-restore",
        &format!("echo run >> {runs}; echo no luck >&2; exit 1"),
    );
    let tried = || std::fs::read_to_string(&runs).unwrap().lines().count();
    for (period, wanted) in [(Duration::from_secs(3_600), 1), (Duration::ZERO, 1 + 3)] {
        let options = ProxyOptions {
            sync_period: period,
            ..options()
        };
        let backend = Iptables::new(options.clone(), node.programs());
        let mut syncer = Syncer::new(&options, Box::new(backend));
        note_all(&mut syncer, &world);
        for _ in 0..3 {
            sync(&node, &mut syncer, &world).unwrap();
            let events: Vec<_> = (0..3).flat_map(|_| world.step()).collect();
            syncer.note(&world.view, &events, &[]);
        }
        assert_eq!(tried(), wanted);
    }
    let left = |family| node.namespace.sh(&format!("{family}-legacy-save"));
    assert!(left("iptables").contains("SELD-") && !left("ip6tables").contains("SELD-"));
}
