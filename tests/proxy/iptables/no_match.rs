//! Where kernel or program lack the match `bpf`, each endpoint has a chain of its own.

use std::collections::BTreeSet;

use super::check::check_decisions;
use super::faults::{fresh_lines, some_world, sync};
use super::variant::{Node, VARIANTS, available, put};
use crate::lab::{FAMILIES, Lab, named, pod_yaml, pods, saw, service_yaml};
use crate::mode::{Mode, modes};
use crate::talk::connect;

/// In a program's place; `$real` is the program.
const LACKING: &str = "text=$(cat); case $text in
  *'-m bpf'*) echo \"Couldn't load match 'bpf'\" >&2; exit 2;;
esac
echo \"$text\" | $real \"$@\"";

const PROGRAMS: [&str; 2] = ["iptables-restore", "ip6tables-restore"];

fn has_bpf(node: &Node) -> [bool; 2] {
    ["iptables", "ip6tables"].map(|family| node.save(family).contains("-m bpf"))
}

#[test]
fn rules_do_the_same_without_the_match_and_change_when_it_comes() {
    if !available("rules_do_the_same_without_the_match_and_change_when_it_comes") {
        return;
    }
    for variant in VARIANTS {
        let mut world = some_world(21);
        let node = Node::new(variant);
        for program in PROGRAMS {
            node.replace(program, LACKING);
        }
        let (mut syncer, _) = node.sync_anew(&world.view);
        let mut seen = BTreeSet::new();
        for _ in 0..5 {
            assert_eq!(has_bpf(&node), [false, false], "{variant}");
            check_decisions(&node.namespace, variant, &world.view, &mut seen, variant);
            let events: Vec<_> = (0..5).flat_map(|_| world.step()).collect();
            syncer.note(&world.view, &events, &[]);
            sync(&node, &mut syncer, &world).unwrap();
        }
        assert!(
            seen.contains("masqueraded") && seen.contains("sent"),
            "{seen:?}"
        );
        let without = node.lines();
        // A process that starts finds out anew; one family that lacks it is enough.
        let (_, report) = node.sync_anew(&world.view);
        assert_eq!(report.lines, 0, "{variant}: {report:?}");
        node.replace(PROGRAMS[0], "exec $real \"$@\"");
        let (_, report) = node.sync_anew(&world.view);
        assert_eq!(report.lines, 0, "{variant}: {report:?}");
        node.replace(PROGRAMS[1], "exec $real \"$@\"");
        node.sync_anew(&world.view);
        assert_eq!(has_bpf(&node), [true, true], "{variant}");
        assert_eq!(node.lines(), fresh_lines(variant, &world), "{variant}");
        // What has the rule is not tried: even a program that would refuse it.
        for program in PROGRAMS {
            node.replace(program, LACKING);
        }
        let (_, report) = node.sync_anew(&world.view);
        assert_eq!(report.lines, 0, "{variant}: {report:?}");
        for family in ["iptables", "ip6tables"] {
            node.namespace.sh(&format!(
                "{family}-{variant} -t nat -F SELD-POSTROUTING; {family}-{variant} -F SELD-FORWARD"
            ));
        }
        node.sync_anew(&world.view);
        assert_eq!(node.lines(), without, "{variant}");
    }
}

#[test]
fn a_pod_reaches_itself_without_the_match() {
    for mode in modes("a_pod_reaches_itself_without_the_match") {
        let Mode::Iptables(variant) = mode else {
            continue;
        };
        let lab = Lab::new(mode);
        let folder = tempfile::tempdir().unwrap();
        for program in PROGRAMS {
            let (family, what) = program.split_once('-').unwrap();
            let named = format!("{family}-{variant}-{what}");
            for name in [program, &named] {
                put(folder.path(), name, &named, LACKING);
            }
        }
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", folder.path().display());
        lab.server
            .apply(&(pod_yaml("p1", "web") + &service_yaml(1, "web", "", "")));
        let _proxy = lab.proxy_with(&[], &[("PATH", &path)]);
        lab.settled();
        for family in &FAMILIES {
            let answers = connect(&lab.net.p1, &family.at(1), 3);
            assert_eq!(pods(&answers), named(&["p1"]));
            assert!(!saw(&answers).contains(&(family.pod)("p1")));
        }
        let rules = lab.net.n1.sh(&format!("iptables-{variant}-save"));
        assert!(
            rules.contains("-A SELD-SEP-") && !rules.contains("-m bpf"),
            "{rules}"
        );
    }
}
