use crate::labels::LabelSet;
use crate::model::{Protocol, ServiceSelector, TargetPort};
use crate::selector::Selector;

use super::*;

type Change = Box<dyn Fn(&mut Service)>;

fn labels(pairs: &[(&str, &str)]) -> LabelSet {
    LabelSet::try_from_pairs(pairs.iter().copied()).expect("legal labels")
}

/// Every form a field can take, each in a service of its own, and all of them in one.
fn services() -> Vec<Service> {
    let ip = |text: &str| -> IpAddr { text.parse().expect("an address") };
    let port = |target_port| ServicePort {
        name: "web".into(),
        protocol: Protocol::Udp,
        port: 80,
        target_port,
        node_port: 30_080,
        app_protocol: "h2c".into(),
    };
    let long = "a-name-that-is-longer-than-twenty-three-bytes";
    let changes: Vec<Change> = vec![
        Box::new(|_| {}),
        Box::new(|s| s.uid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301".into()),
        Box::new(|s| s.uid = "00000000-0000-0000-0000-000000000000".into()),
        Box::new(|s| s.creation_timestamp = "2024-01-31T12:30:45Z".into()),
        Box::new(|s| s.creation_timestamp = "2024-01-31T12:30:45.5+01:00".into()),
        Box::new(|s| s.deletion_timestamp = Some("2024-01-31T12:30:45Z".into())),
        Box::new(|s| s.labels = labels(&[("app", "rng"), ("example.com/a", "")])),
        Box::new(|s| s.selector = ServiceSelector::Map(labels(&[("app", "rng")]))),
        Box::new(move |s| {
            s.selector = ServiceSelector::Map(labels(&[("app", long), ("b.c/d", "")]))
        }),
        Box::new(|s| s.selector = ServiceSelector::Set(Selector::everything())),
        Box::new(|s| s.selector = ServiceSelector::Set(Selector::nothing())),
        Box::new(|s| s.cluster_ip = ClusterIp::Headless),
        Box::new(|s| s.cluster_ip = ClusterIp::Ips(SmallVec::new())),
        Box::new(move |s| s.cluster_ip = ClusterIp::Ips([ip("10.0.0.1")].into_iter().collect())),
        Box::new(move |s| {
            s.cluster_ip = ClusterIp::Ips([ip("fd00::1"), ip("10.0.0.1")].into_iter().collect())
        }),
        Box::new(|s| s.ip_families = [IpFamily::V6, IpFamily::V4].into_iter().collect()),
        Box::new(|s| s.service_type = ServiceType::ExternalName),
        Box::new(|s| s.external_name = "example.com".into()),
        Box::new(move |s| s.external_ips = vec![ip("192.0.2.1")]),
        Box::new(move |s| {
            s.load_balancer_ips = vec![LoadBalancerIp {
                ip: ip("192.0.2.2"),
                proxied: true,
            }]
        }),
        Box::new(|s| s.load_balancer_source_ranges = vec!["10.0.0.0/8".into()]),
        Box::new(|s| s.session_affinity_seconds = Some(10_800)),
        Box::new(|s| s.internal_traffic_policy = TrafficPolicy::Local),
        Box::new(|s| s.external_traffic_policy = TrafficPolicy::Local),
        Box::new(|s| s.health_check_node_port = 30_000),
        Box::new(|s| s.publish_not_ready_addresses = true),
        Box::new(|s| s.traffic_distribution = "PreferClose".into()),
        Box::new(|s| s.topology_mode = "Auto".into()),
        Box::new(move |s| s.ports.push(port(TargetPort::Number(8_080)))),
        Box::new(move |s| s.ports.push(port(TargetPort::Name("http".into())))),
    ];
    let plain = || Service {
        name: ObjectName::new("prod", "web"),
        ..Service::default()
    };
    let mut all = Service {
        name: ObjectName::new(long, long),
        ..Service::default()
    };
    let mut services = Vec::new();
    for change in &changes {
        let mut one = plain();
        change(&mut one);
        change(&mut all);
        services.extend([one, all.clone()]);
    }
    services
}

#[test]
fn comes_back_whole_and_says_the_same_of_itself() {
    let mut pools = ServicePools::default();
    let mut held = Vec::new();
    for service in services() {
        let stored = StoredService::new(service.clone(), &mut pools);
        assert_eq!(stored.whole(), service);
        assert_eq!(stored.facts(), ServiceFacts::of(&service), "{service:?}");
        assert_eq!(
            stored.has_cluster_ip(),
            service.has_cluster_ip(),
            "{service:?}"
        );
        let selector = service.selector.selector();
        let standing = selector.filter(|_| service.computes_endpoints());
        assert_eq!(
            stored.standing().map(StandingSelector::to_selector),
            standing
        );
        held.push(stored);
    }
    held.into_iter()
        .for_each(|stored| stored.release(&mut pools));
    assert_eq!(pools.bytes(), 0);
}

#[test]
fn takes_little() {
    assert!(
        size_of::<StoredService>() <= 136,
        "{}",
        size_of::<StoredService>()
    );
    assert!(size_of::<Service>() > 400, "{}", size_of::<Service>());
}
