//! Service ports of every kind, and their rules' texts in files.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::{PodTraffic, PortName, PortRules, ProxyOptions, Target};
use crate::model::{IpFamily, ObjectName, Protocol, TrafficPolicy};

pub(super) fn options() -> ProxyOptions {
    ProxyOptions {
        pod_traffic: PodTraffic::Cidrs(vec![
            "10.244.0.0/16".parse().unwrap(),
            "fd00:10:244::/56".parse().unwrap(),
        ]),
        ..ProxyOptions::of_node("node1")
    }
}

pub(super) fn targets(texts: &[&str]) -> BTreeSet<Target> {
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
pub(super) fn port(service: &str, protocol: Protocol, ip: &str, endpoints: &[&str]) -> PortRules {
    let cluster = targets(endpoints);
    let ip: std::net::IpAddr = ip.parse().unwrap();
    PortRules {
        name: Arc::new(PortName {
            family: IpFamily::of(&ip),
            service: ObjectName::new("default", service),
            port: "main".into(),
            protocol,
        }),
        cluster_ips: vec![ip],
        port: 80,
        node_port: 0,
        health_check_port: 0,
        external_ips: Vec::new(),
        balancer_ips: Vec::new(),
        source_ranges: Vec::new(),
        affinity_seconds: None,
        internal_policy: TrafficPolicy::Cluster,
        external_policy: TrafficPolicy::Cluster,
        has_endpoints: !cluster.is_empty(),
        serving: cluster.clone(),
        cluster,
        local: BTreeSet::new(),
    }
}

/// One of each kind, by file name.
pub(super) fn kinds() -> Vec<(&'static str, PortRules)> {
    let web = port(
        "web",
        Protocol::Tcp,
        "10.96.0.1",
        &["10.244.1.2:8080", "10.244.2.2:8080"],
    );
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
    ranges.balancer_ips = ranges.external_ips.clone();
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

/// Compares a text with a file below `src/proxy`, or writes it.
pub(super) fn compare(file: &str, text: &str) {
    let file = format!("src/proxy/{file}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
    if std::env::var_os("SELECTORD_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{file}");
}
