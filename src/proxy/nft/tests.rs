//! The whole text for a few services, and the text for each change, as files beside this one. Run
//! with `SELECTORD_WRITE_GOLDEN=1` to write them anew, and read what changed.

use super::*;
use crate::model::{IpFamily, Protocol};
use crate::proxy::fixture::{self, kinds, options, port};
use crate::proxy::{Ledger, PortRules, ProxyOptions};

fn fresh(rules: &PortRules) -> Slots {
    Slots {
        cluster: place(&[], &rules.cluster),
        local: place(&[], &rules.local),
    }
}

/// The text that makes an empty ledger's service be this.
fn added(rules: &PortRules) -> String {
    let options = options();
    let family = rules.name.family;
    let mut ledger = Ledger::new(fixed(family, &options));
    ledger.settle();
    let owner = rules.name.clone();
    ledger.replace(&owner, Vec::new(), render(rules, &fresh(rules), &options));
    let mut script = Script::default();
    script.change(family, &ledger.changes());
    script.text().to_owned()
}

fn compare(name: &str, text: &str) {
    fixture::compare(&format!("nft/golden/{name}.nft"), text);
}

#[test]
fn the_layout_alone() {
    for (name, family) in [("layout", IpFamily::V4), ("layout-ipv6", IpFamily::V6)] {
        let ledger = Ledger::new(fixed(family, &options()));
        let mut script = Script::default();
        script.change(family, &ledger.whole());
        compare(name, script.text());
    }
    let bare = ProxyOptions {
        node_port_addresses: vec![
            "192.0.2.0/24".parse().unwrap(),
            "198.51.100.9/32".parse().unwrap(),
        ],
        service_cidrs: vec!["10.96.0.0/12".parse().unwrap()],
        masquerade_bit: 20,
        ..ProxyOptions::of_node("node1")
    };
    let mut script = Script::default();
    script.change(
        IpFamily::V4,
        &Ledger::new(fixed(IpFamily::V4, &bare)).whole(),
    );
    compare("layout-no-pods-known", script.text());
}

#[test]
fn each_kind_of_service_alone() {
    for (name, rules) in kinds() {
        compare(name, &added(&rules));
    }
}

#[test]
fn what_one_endpoint_changes() {
    let options = options();
    let before = port(
        "web",
        Protocol::Tcp,
        "10.96.0.1",
        &["10.244.1.2:8080", "10.244.2.2:8080", "10.244.3.2:8080"],
    );
    let cases: [(&str, &[&str]); 4] = [
        (
            "change-replaced",
            &["10.244.1.2:8080", "10.244.2.9:8080", "10.244.3.2:8080"],
        ),
        (
            "change-added",
            &[
                "10.244.1.2:8080",
                "10.244.2.2:8080",
                "10.244.3.2:8080",
                "10.244.4.2:8080",
            ],
        ),
        ("change-removed", &["10.244.2.2:8080", "10.244.3.2:8080"]),
        ("change-none-left", &[]),
    ];
    for (name, endpoints) in cases {
        let mut ledger = Ledger::new(fixed(IpFamily::V4, &options));
        let owner = before.name.clone();
        let old = render(&before, &fresh(&before), &options);
        ledger.replace(&owner, Vec::new(), old.clone());
        ledger.settle();
        let after = port("web", Protocol::Tcp, "10.96.0.1", endpoints);
        let slots = Slots {
            cluster: place(&fresh(&before).cluster, &after.cluster),
            local: Vec::new(),
        };
        ledger.replace(&owner, old, render(&after, &slots, &options));
        let mut script = Script::default();
        script.change(IpFamily::V4, &ledger.changes());
        compare(name, script.text());
    }
}

#[test]
fn a_change_taken_back_before_it_is_written_is_none() {
    let options = options();
    let mut ledger = Ledger::new(fixed(IpFamily::V4, &options));
    ledger.settle();
    for (_, rules) in kinds()
        .into_iter()
        .filter(|(_, r)| r.name.family == IpFamily::V4)
    {
        let owner = rules.name.clone();
        let items = render(&rules, &fresh(&rules), &options);
        ledger.replace(&owner, Vec::new(), items.clone());
        assert!(!ledger.changes().is_empty());
        ledger.replace(&owner, items, Vec::new());
        assert!(ledger.changes().is_empty());
    }
}

#[test]
fn a_prefix_as_long_as_a_name_is_that_name() {
    let rules = |prefix: &str| {
        let options = ProxyOptions {
            pod_traffic: crate::proxy::PodTraffic::InterfacePrefix(prefix.into()),
            ..ProxyOptions::of_node("node1")
        };
        let mut script = Script::default();
        let ledger = Ledger::new(fixed(IpFamily::V4, &options));
        script.change(IpFamily::V4, &ledger.whole());
        script.text().to_owned()
    };
    // nft takes 16 letters at most, with the asterisk.
    assert!(rules("abcdefghijklmn").contains("iifname != \"abcdefghijklmn*\""));
    assert!(rules("abcdefghijklmno").contains("iifname != \"abcdefghijklmno\""));
}
