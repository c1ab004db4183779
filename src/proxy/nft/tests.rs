//! The whole text for a few services, and the text for each change, as files beside this one. Run
//! with `SELECTORD_WRITE_GOLDEN=1` to write them anew, and read what changed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::model::{IpFamily, ObjectName, Protocol, TrafficPolicy};
use crate::proxy::{PodTraffic, PortName, PortRules, ProxyOptions, Target};

fn options() -> ProxyOptions {
    ProxyOptions {
        pod_traffic: PodTraffic::Cidrs(vec![
            "10.244.0.0/16".parse().unwrap(),
            "fd00:10:244::/56".parse().unwrap(),
        ]),
        ..ProxyOptions::of_node("node1")
    }
}

fn targets(texts: &[&str]) -> BTreeSet<Target> {
    let target = |text: &&str| {
        let address: std::net::SocketAddr = text.parse().unwrap();
        Target {
            ip: address.ip(),
            port: address.port(),
        }
    };
    texts.iter().map(target).collect()
}

/// A port whose endpoints are all elsewhere.
fn port(service: &str, protocol: Protocol, ip: &str, endpoints: &[&str]) -> PortRules {
    let cluster = targets(endpoints);
    let ip: std::net::IpAddr = ip.parse().unwrap();
    PortRules {
        name: PortName {
            family: IpFamily::of(&ip),
            service: ObjectName::new("default", service),
            port: "main".into(),
            protocol,
        },
        cluster_ips: vec![ip],
        port: 80,
        node_port: 0,
        external_ips: Vec::new(),
        guarded_ips: Vec::new(),
        source_ranges: Vec::new(),
        affinity_seconds: None,
        internal_policy: TrafficPolicy::Cluster,
        external_policy: TrafficPolicy::Cluster,
        has_endpoints: !cluster.is_empty(),
        serving: cluster.clone(),
        cluster,
        local: BTreeSet::new(),
        hairpin: BTreeSet::new(),
    }
}

/// One of each kind, by file name.
fn kinds() -> Vec<(&'static str, PortRules)> {
    let web = port(
        "web",
        Protocol::Tcp,
        "10.96.0.1",
        &["10.244.1.2:8080", "10.244.2.2:8080"],
    );
    let mut hairpin = web.clone();
    hairpin.hairpin = [web.cluster.first().unwrap().ip].into();
    let mut node_port = web.clone();
    node_port.node_port = 30080;
    node_port.external_ips = vec!["203.0.113.5".parse().unwrap()];
    let mut local = node_port.clone();
    local.external_policy = TrafficPolicy::Local;
    local.local = targets(&["10.244.1.2:8080"]);
    let mut none_local = local.clone();
    none_local.local.clear();
    let mut inside_local = web.clone();
    inside_local.internal_policy = TrafficPolicy::Local;
    let mut ranges = node_port.clone();
    ranges.guarded_ips = ranges.external_ips.clone();
    ranges.source_ranges = vec![
        "198.51.100.0/24".parse().unwrap(),
        "192.0.2.7/32".parse().unwrap(),
    ];
    let mut sticky = local.clone();
    sticky.affinity_seconds = Some(10_800);
    let mut sticky6 = port("web", Protocol::Udp, "fd00::1", &["[fd00:1::2]:53"]);
    sticky6.affinity_seconds = Some(90);
    vec![
        ("cluster-ip", web),
        ("hairpin", hairpin),
        ("node-port", node_port),
        ("external-local", local),
        ("external-local-none-here", none_local),
        ("internal-local-none-here", inside_local),
        ("source-ranges", ranges),
        ("affinity", sticky),
        ("affinity-ipv6-udp", sticky6),
        (
            "no-endpoints",
            port("web", Protocol::Sctp, "10.96.0.1", &[]),
        ),
        (
            "ipv6",
            port(
                "web",
                Protocol::Sctp,
                "fd00::1",
                &["[fd00:1::2]:132", "[fd00:1::3]:132"],
            ),
        ),
    ]
}

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
    let owner = Arc::new(rules.name.clone());
    ledger.replace(&owner, Vec::new(), render(rules, &fresh(rules), &options));
    let mut script = Script::default();
    script.change(family, &ledger.changes());
    script.text().to_owned()
}

fn compare(name: &str, text: &str) {
    let file = format!("src/proxy/nft/golden/{name}.nft");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
    if std::env::var_os("SELECTORD_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{file}");
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
        let owner = Arc::new(before.name.clone());
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
fn of_two_services_with_one_address_the_first_by_name_has_it() {
    let options = options();
    let a = port("a", Protocol::Tcp, "10.96.0.1", &["10.244.1.2:8080"]);
    let b = port(
        "b",
        Protocol::Tcp,
        "10.96.0.1",
        &["10.244.2.2:8080", "10.244.2.3:8080"],
    );
    let items = |rules: &PortRules| render(rules, &fresh(rules), &options);
    let (first, second) = (Arc::new(a.name.clone()), Arc::new(b.name.clone()));
    let wanted = Item::Element(Shared::Service(Key::Ip), "10.96.0.1 . tcp . 80".to_owned());
    let value = |ledger: &Ledger| {
        let whole = ledger.whole();
        let change = whole.into_iter().find(|change| change.item == wanted);
        change.and_then(|change| change.after)
    };

    let mut ledger = Ledger::new(fixed(IpFamily::V4, &options));
    assert!(ledger.replace(&second, Vec::new(), items(&b)).is_empty());
    let conflicts = ledger.replace(&first, Vec::new(), items(&a));
    assert!(
        conflicts
            .iter()
            .any(|c| c.item == wanted && c.has == first && c.wants == second)
    );
    assert_eq!(value(&ledger).as_deref(), Some("goto pick-tcp-1"));
    ledger.replace(&first, items(&a), Vec::new());
    assert_eq!(value(&ledger).as_deref(), Some("goto pick-tcp-2"));
    ledger.replace(&second, items(&b), Vec::new());
    let layout = Ledger::new(fixed(IpFamily::V4, &options));
    assert_eq!(ledger.whole(), layout.whole());
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
        let owner = Arc::new(rules.name.clone());
        let items = render(&rules, &fresh(&rules), &options);
        ledger.replace(&owner, Vec::new(), items.clone());
        assert!(!ledger.changes().is_empty());
        ledger.replace(&owner, items, Vec::new());
        assert!(ledger.changes().is_empty());
    }
}
