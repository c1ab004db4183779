//! Random services.

use selectord::labels::LabelSet;
use selectord::model::{
    ClusterIp, IpFamily, ObjectName, Protocol, Service, ServicePort, ServiceSelector, ServiceType,
    TargetPort, parse_ip,
};
use smallvec::{SmallVec, smallvec};
use smol_str::SmolStr;

use super::super::build;
use super::super::random::Random;
use super::labels::{change_a_label, label_set, selector};

pub fn service(random: &mut Random, name: ObjectName, uid: u64) -> Service {
    let mut service = Service {
        name,
        uid: SmolStr::new(format!("uid-{uid}")),
        labels: label_set(random),
        ports: ports(random),
        ..Service::default()
    };
    service.selector = selects(random);
    if random.chance(60) {
        service.cluster_ip = cluster_ip(random);
    }
    if random.chance(40) {
        service.traffic_distribution = distribution(random);
    }
    service.publish_not_ready_addresses = random.chance(20);
    for _ in 0..random.below(3) {
        change(random, &mut service);
    }
    service
}

/// One field of the service changes, or nothing at all.
pub fn change(random: &mut Random, service: &mut Service) {
    match random.below(18) {
        0..4 => change_a_label(random, &mut service.labels),
        4..7 => service.selector = selects(random),
        7 => service.ports = ports(random),
        8 => service.cluster_ip = cluster_ip(random),
        9 => service.ip_families = families(random),
        10 => {
            let (service_type, external_name) = random.weighted(&[
                (3, (ServiceType::ClusterIp, "")),
                (1, (ServiceType::NodePort, "")),
                (1, (ServiceType::LoadBalancer, "")),
                (2, (ServiceType::ExternalName, "example.com")),
            ]);
            service.service_type = service_type;
            service.external_name = external_name.into();
        }
        11 => service.publish_not_ready_addresses = random.chance(50),
        12 => service.traffic_distribution = distribution(random),
        13 => service.topology_mode = random.pick(&["", "", "Auto", "auto", "Disabled"]).into(),
        14 => service.session_affinity_seconds = random.pick(&[None, Some(10_800), Some(60)]),
        15 => {
            service.deletion_timestamp = random
                .chance(50)
                .then(|| SmolStr::new("2026-11-20T10:00:00Z"))
        }
        16 => service.uid = SmolStr::new(format!("{}x", service.uid.get(..8).unwrap_or("uid"))),
        _ => {}
    }
}

fn distribution(random: &mut Random) -> SmolStr {
    let words = [
        "",
        "PreferClose",
        "PreferSameZone",
        "PreferSameNode",
        "preferclose",
    ];
    random.pick(&words).into()
}

/// No selector, the map form or the set form.
fn selects(random: &mut Random) -> ServiceSelector {
    match random.below(10) {
        0 => ServiceSelector::None,
        1..7 => {
            let mut pairs = LabelSet::new();
            pairs.insert(
                build::key("app"),
                build::value(random.pick(&["web", "api"])),
            );
            if random.chance(25) {
                change_a_label(random, &mut pairs);
            }
            if pairs.is_empty() {
                ServiceSelector::None
            } else {
                ServiceSelector::Map(pairs)
            }
        }
        _ => ServiceSelector::Set(selector(random)),
    }
}

fn cluster_ip(random: &mut Random) -> ClusterIp {
    let ip = |text: &str| parse_ip(text).expect("it is an address");
    match random.below(5) {
        0 => ClusterIp::Unset,
        1 => ClusterIp::Headless,
        2 => ClusterIp::Ips(smallvec![ip("fd00::ffff")]),
        3 => ClusterIp::Ips(smallvec![ip("10.96.0.1"), ip("fd00::ffff")]),
        _ => ClusterIp::Ips(smallvec![ip("10.96.0.1")]),
    }
}

fn families(random: &mut Random) -> SmallVec<[IpFamily; 2]> {
    use IpFamily::{V4, V6};
    let families: &[IpFamily] = match random.below(5) {
        0 => &[],
        1 => &[V4],
        2 => &[V6],
        3 => &[V4, V6],
        _ => &[V6, V4],
    };
    families.iter().copied().collect()
}

fn ports(random: &mut Random) -> Vec<ServicePort> {
    let names: &[&str] = random.weighted(&[(2, &["web"][..]), (1, &["web", "dns"][..])]);
    names
        .iter()
        .zip([80, 53])
        .map(|(name, port)| ServicePort {
            name: (*name).into(),
            protocol: random.weighted(&[(3, Protocol::Tcp), (1, Protocol::Udp)]),
            port,
            target_port: match random.below(5) {
                0..3 => TargetPort::Number(random.pick(&[80, 8080])),
                3 => TargetPort::Name("http".into()),
                _ => TargetPort::Name("dns".into()),
            },
            node_port: 0,
            app_protocol: random.pick(&["", "", "h2c"]).into(),
        })
        .collect()
}
