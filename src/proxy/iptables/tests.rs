//! The whole text for a few services, and the text for each change, as files beside this one. Run
//! with `SELECTORD_WRITE_GOLDEN=1` to write them anew, and read what changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::model::{IpFamily, Protocol, TrafficPolicy};
use crate::proxy::fixture::{self, kinds, options, port};
use crate::proxy::{Claims, PodTraffic, PortRules, ProxyOptions};

fn compare(name: &str, script: &Script) {
    fixture::compare(&format!("iptables/golden/{name}.rules"), script.text());
}

const KERNEL: Kernel = Kernel {
    is_liberal: false,
    compares: true,
};

/// Rules that have been written, of these ports.
fn written(options: ProxyOptions, ports: &[&PortRules]) -> Rules {
    written_on(KERNEL, options, ports)
}

fn written_on(kernel: Kernel, options: ProxyOptions, ports: &[&PortRules]) -> Rules {
    let mut rules = Rules::new(options, kernel);
    for port in ports {
        set(&mut rules, port);
    }
    rules.settle();
    rules
}

fn set(rules: &mut Rules, port: &PortRules) {
    rules.set(&port.name.service, vec![Arc::new(port.clone())]);
}

fn whole(rules: &Rules, family: IpFamily) -> Script {
    rules.script(family, Some(&Listing::default()), false)
}

/// What is read back of rules that were written on an empty machine.
fn saved(script: &Script) -> Listing {
    // Jumps are put in last first.
    let text = script.text().lines();
    let (inserted, others): (Vec<_>, Vec<_>) = text.partition(|line| line.starts_with("-I"));
    let mut saved = String::new();
    for line in others {
        let table = line.strip_prefix('*');
        saved.push_str(line);
        saved.push('\n');
        let of_table = |rule: &&&str| {
            // Both tables have a chain OUTPUT.
            let nat = rule.ends_with("portals\" -j SELD-SERVICES") && !rule.contains("ctstate");
            let nat = nat || rule.contains("POSTROUTING");
            table.is_some_and(|table| (table == "nat") == nat)
        };
        for rule in inserted.iter().rev().filter(of_table) {
            saved.push_str(&rule.replacen("-I", "-A", 1));
            saved.push('\n');
        }
    }
    parse(&saved)
}

#[test]
fn the_layout_alone() {
    let rules = written(options(), &[]);
    compare("layout", &whole(&rules, IpFamily::V4));
    compare("layout-ipv6", &whole(&rules, IpFamily::V6));
    let other = ProxyOptions {
        node_port_addresses: vec![
            "192.0.2.0/24".parse().unwrap(),
            "198.51.100.9/32".parse().unwrap(),
        ],
        service_cidrs: vec!["10.96.0.0/12".parse().unwrap()],
        masquerade_bit: 20,
        pod_traffic: PodTraffic::Cidrs(vec![
            "10.244.0.0/16".parse().unwrap(),
            "10.250.0.0/16".parse().unwrap(),
        ]),
        ..ProxyOptions::of_node("node1")
    };
    let liberal = Kernel {
        is_liberal: true,
        ..KERNEL
    };
    let rules = Rules::new(other, liberal);
    compare("layout-other-options", &whole(&rules, IpFamily::V4));
}

#[test]
fn each_kind_of_service_alone() {
    for (name, port) in kinds() {
        let mut rules = written(options(), &[]);
        set(&mut rules, &port);
        compare(name, &rules.script(port.name.family, None, false));
    }
    let mut local = port("web", Protocol::Udp, "10.96.0.1", &["10.244.1.2:53"]);
    local.local = local.cluster.clone();
    local.internal_policy = TrafficPolicy::Local;
    local.external_policy = TrafficPolicy::Local;
    local.node_port = 30053;
    local.health_check_port = 31000;
    let mut rules = written(options(), &[]);
    set(&mut rules, &local);
    compare("health-check", &rules.script(IpFamily::V4, None, false));
    let mut none = local;
    none.cluster.clear();
    none.local.clear();
    none.has_endpoints = false;
    none.external_ips = vec!["203.0.113.5".parse().unwrap()];
    none.balancer_ips = none.external_ips.clone();
    none.source_ranges = vec!["198.51.100.0/24".parse().unwrap()];
    set(&mut rules, &none);
    compare(
        "no-endpoints-outside",
        &rules.script(IpFamily::V4, None, false),
    );
}

#[test]
fn where_the_kernel_cannot_compare_addresses_each_endpoint_has_a_chain() {
    let bare = Kernel {
        compares: false,
        ..KERNEL
    };
    let mut rules = written_on(bare, options(), &[]);
    compare("layout-no-bpf", &whole(&rules, IpFamily::V4));
    for (kind, name) in [
        ("cluster-ip", "cluster-ip-no-bpf"),
        ("affinity", "affinity-no-bpf"),
        ("ipv6", "ipv6-no-bpf"),
    ] {
        let (_, port) = kinds().into_iter().find(|(of, _)| *of == kind).unwrap();
        set(&mut rules, &port);
        compare(name, &rules.script(port.name.family, None, false));
        rules.set(&port.name.service, Vec::new());
        rules.settle();
    }
}

#[test]
fn pods_are_told_in_other_ways() {
    let mut local = port("web", Protocol::Tcp, "10.96.0.1", &["10.244.1.2:80"]);
    local.external_policy = TrafficPolicy::Local;
    local.external_ips = vec!["203.0.113.5".parse().unwrap()];
    let ranges = |texts: &[&str]| {
        PodTraffic::Cidrs(texts.iter().map(|text| text.parse().unwrap()).collect())
    };
    for (name, pod_traffic, masquerade_all) in [
        ("pods-unknown", PodTraffic::Unknown, false),
        ("pods-unknown-masquerade-all", PodTraffic::Unknown, true),
        ("pods-bridge", PodTraffic::Interface("cni0".into()), false),
        (
            "pods-prefix",
            PodTraffic::InterfacePrefix("veth".into()),
            false,
        ),
        (
            "pods-longest-prefix",
            PodTraffic::InterfacePrefix("veth-of-the-pod".into()),
            false,
        ),
        (
            "pods-ranges",
            ranges(&["10.244.0.0/16", "10.250.0.0/16"]),
            false,
        ),
        ("pods-everything", ranges(&["0.0.0.0/0"]), false),
    ] {
        let options = ProxyOptions {
            pod_traffic,
            masquerade_all,
            ..ProxyOptions::of_node("node1")
        };
        let mut rules = written(options, &[]);
        set(&mut rules, &local);
        compare(name, &rules.script(IpFamily::V4, None, false));
    }
}

#[test]
fn what_one_endpoint_changes() {
    let before = port(
        "web",
        Protocol::Tcp,
        "10.96.0.1",
        &["10.244.1.2:8080", "10.244.2.2:8080", "10.244.3.2:8080"],
    );
    let cases: [(&str, &[&str]); 3] = [
        (
            "change-replaced",
            &["10.244.1.2:8080", "10.244.2.9:8080", "10.244.3.2:8080"],
        ),
        ("change-removed", &["10.244.2.2:8080", "10.244.3.2:8080"]),
        ("change-none-left", &[]),
    ];
    for (name, endpoints) in cases {
        let mut rules = written(options(), &[&before]);
        set(
            &mut rules,
            &port("web", Protocol::Tcp, "10.96.0.1", endpoints),
        );
        compare(name, &rules.script(IpFamily::V4, None, false));
    }
    let mut rules = written(options(), &[&before]);
    rules.set(&before.name.service, Vec::new());
    compare("change-gone", &rules.script(IpFamily::V4, None, false));
}

#[test]
fn a_shared_chain_that_loses_much_is_written_once() {
    let service = |number: usize| {
        let mut port = port(
            &format!("s{number:03}"),
            Protocol::Tcp,
            &format!("10.96.1.{number}"),
            &["10.244.1.2:8080"],
        );
        port.external_ips = vec![format!("203.0.113.{number}").parse().unwrap()];
        port.balancer_ips = port.external_ips.clone();
        port.source_ranges = vec!["198.51.100.0/24".parse().unwrap()];
        port
    };
    let all: Vec<PortRules> = (0..200).map(service).collect();
    let lines = |script: &Script, start: &str| {
        let lines = script.text().lines();
        lines.filter(|line| line.starts_with(start)).count()
    };
    for (gone, deletions) in [(1, [1, 2]), (100, [0, 0])] {
        let mut rules = written(options(), &all.iter().collect::<Vec<_>>());
        for port in &all[..gone] {
            rules.set(&port.name.service, Vec::new());
        }
        let script = rules.script(IpFamily::V4, None, false);
        let taken_out = ["-D SELD-PROXY-FIREWALL", "-D SELD-SERVICES"];
        assert_eq!(taken_out.map(|start| lines(&script, start)), deletions);
        let is_whole = gone == 100;
        for (chain, each, last) in [("SELD-SERVICES", 2, 1), ("SELD-PROXY-FIREWALL", 1, 0)] {
            let declared = usize::from(is_whole);
            assert_eq!(lines(&script, &format!(":{chain} ")), declared);
            let put_in = if is_whole { 100 * each + last } else { 0 };
            assert_eq!(lines(&script, &format!("-A {chain} ")), put_in);
        }
        // What has to stand last does.
        let end = script
            .text()
            .lines()
            .rfind(|l| l.starts_with("-A SELD-SERVICES"));
        assert!(
            end.is_none_or(|line| line.contains("must be the last")),
            "{end:?}"
        );
        // What is dropped is dropped until nat has changed, and then no more.
        let at = |word: &str| script.text().find(word);
        assert!(at("*nat") < at("*filter"));
    }

    // They change what becomes of who may not, and others go: both before and after nat.
    let mut rules = written(options(), &all.iter().collect::<Vec<_>>());
    for port in &all[..100] {
        rules.set(&port.name.service, Vec::new());
    }
    for port in &all[100..] {
        let mut none = port.clone();
        none.cluster.clear();
        none.has_endpoints = false;
        set(&mut rules, &none);
    }
    let text = rules.script(IpFamily::V4, None, false).text().to_owned();
    let parts: Vec<&str> = text.split("COMMIT\n").collect();
    let [before, nat, after, ""] = parts[..] else {
        panic!("{text}")
    };
    let dropped = |part: &str, word: &str| part.matches(word).count();
    assert_eq!(dropped(before, "-A SELD-PROXY-FIREWALL"), 0);
    assert_eq!(dropped(before, "-I SELD-SERVICES"), 100);
    assert_eq!(dropped(nat, "-A SELD-SERVICES"), 1);
    assert_eq!(dropped(after, "-A SELD-PROXY-FIREWALL"), 100);
}

#[test]
fn a_table_that_cannot_be_read_is_written_from_memory_or_whole() {
    let web = port("web", Protocol::Tcp, "10.96.0.1", &["10.244.1.2:8080"]);
    let mut blind = Listing::default();
    blind.unreadable.push(Table::Filter);
    let mut rules = Rules::new(options(), KERNEL);
    set(&mut rules, &web);
    let fresh = whole(&rules, IpFamily::V4);
    assert_eq!(
        rules.script(IpFamily::V4, Some(&blind), false).text(),
        fresh.text()
    );
    rules.written(IpFamily::V4);
    let script = rules.script(IpFamily::V4, Some(&blind), false);
    assert!(!script.text().contains("*filter") && script.text().contains("*nat"));
    let script = rules.script(IpFamily::V4, Some(&blind), true);
    assert_eq!(script.text(), fresh.text());
    assert!(!script.text().contains("-D"));
}

#[test]
fn what_is_read_back_is_what_was_written() {
    for (_, port) in kinds() {
        let family = port.name.family;
        let rules = written(options(), &[&port]);
        let listing = saved(&whole(&rules, family));
        let left = rules.script(family, Some(&listing), false);
        assert!(left.is_empty(), "{}", left.text());
        assert!(rules.agrees(family, &listing));
        assert!(!rules.agrees(family, &Listing::default()));
    }
}

#[test]
fn what_somebody_else_changed_is_put_right() {
    let web = port("web", Protocol::Tcp, "10.96.0.1", &["10.244.1.2:8080"]);
    let rules = written(options(), &[&web]);
    let fresh = whole(&rules, IpFamily::V4);
    let mut listing = saved(&fresh);
    let nat = &mut listing.items.nat;
    let jumps = Item::Jumps("PREROUTING".to_owned());
    assert!(nat.remove(&jumps).is_some());
    nat.insert(
        Item::Jumps("THEIRS".to_owned()),
        "-j SELD-SVC-OLD".to_owned(),
    );
    nat.insert(
        Item::Chain("SELD-SVC-OLD".to_owned()),
        "-j SELD-SEP-OLD".to_owned(),
    );
    nat.insert(
        Item::Rule("SELD-SERVICES", "-s 1.1.1.1/32".to_owned()),
        "-s 1.1.1.1/32 -j ACCEPT".to_owned(),
    );
    nat.insert(Item::Chain("SELD-MARK-MASQ".to_owned()), String::new());
    let script = rules.script(IpFamily::V4, Some(&listing), false);
    compare("repair", &script);
    // Anew, all chains are written, and what is not ours to keep goes.
    let script = rules.script(IpFamily::V4, Some(&listing), true);
    compare("anew", &script);
    compare("removal", &Script::removal(&listing));
}

#[test]
fn what_is_given_up_is_as_it_was_written() {
    let before = port("web", Protocol::Tcp, "10.96.0.1", &["10.244.1.2:8080"]);
    let mut rules = written(options(), &[&before]);
    set(
        &mut rules,
        &port("web", Protocol::Tcp, "10.96.0.1", &["10.244.2.2:8080"]),
    );
    let service = &before.name.service;
    let mut claims = Claims::default();
    claims.put(service, vec![before.clone().into()]);
    claims.settle();
    claims.written();
    let mut give_up =
        |rules: &mut Rules| rules.give_up(service, &BTreeMap::new(), &mut claims, false);
    assert!(!rules.script(IpFamily::V4, None, false).is_empty());
    assert!(give_up(&mut rules));
    assert!(rules.script(IpFamily::V4, None, false).is_empty());
    assert!(give_up(&mut rules));
    rules.settle();
    let bare = written(options(), &[]);
    assert_eq!(
        whole(&rules, IpFamily::V4).text(),
        whole(&bare, IpFamily::V4).text()
    );
    assert!(!give_up(&mut rules));
}

#[test]
fn the_line_of_a_service_is_known_to_be_its() {
    let web = port("web", Protocol::Tcp, "10.96.0.1", &["10.244.1.2:8080"]);
    let script = whole(&written(options(), &[&web]), IpFamily::V4);
    for (number, line) in (1..).zip(script.text().lines()) {
        let its = line.contains("default/web")
            || line.starts_with(":SELD-SVC")
            || line.ends_with("-j DNAT --to-destination 10.244.1.2:8080");
        assert_eq!(script.owner(number).is_some(), its, "{line}");
    }
}
