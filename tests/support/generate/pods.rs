//! Random pods.

use std::sync::Arc;

use selectord::model::{ContainerPort, ObjectName, Phase, Pod, Protocol, ReadyCondition, parse_ip};
use smol_str::SmolStr;

use super::super::random::Random;
use super::labels::{change_a_label, label_set};
use super::{ADDRESSES, SERVICES, node_name};

pub fn pod(random: &mut Random, name: ObjectName, uid: u64) -> Pod {
    let mut pod = Pod {
        name,
        uid: SmolStr::new(format!("uid-{uid}")),
        labels: label_set(random),
        phase: Phase::Running,
        ready: readiness(random),
        ..Pod::default()
    };
    if random.chance(85) {
        pod.node_name = node_name(random);
    }
    if random.chance(20) {
        name_it(random, &mut pod);
    }
    readdress(random, &mut pod);
    if random.chance(50) {
        pod.ports = ports(random);
    }
    pod
}

/// One thing about the pod changes, or nothing at all.
pub fn change(random: &mut Random, pod: &mut Pod) {
    match random.below(20) {
        0..6 => pod.ready = readiness(random),
        6..11 => change_a_label(random, &mut pod.labels),
        11 => pod.labels = label_set(random),
        12 => readdress(random, pod),
        13 => pod.phase = phase(random),
        14 => {
            pod.deletion_timestamp = random
                .chance(60)
                .then(|| SmolStr::new("2026-11-20T10:00:00Z"));
        }
        15 => name_it(random, pod),
        16 => {
            pod.node_name = if random.chance(20) {
                SmolStr::default()
            } else {
                node_name(random)
            }
        }
        17 => pod.ports = ports(random),
        18 => pod.uid = SmolStr::new(format!("{}x", pod.uid.get(..8).unwrap_or("uid"))),
        _ => {}
    }
}

/// A readiness flip, the commonest change of all.
pub fn flip(pod: &mut Pod) {
    pod.ready = match pod.ready {
        ReadyCondition::True => ReadyCondition::False,
        _ => ReadyCondition::True,
    };
}

fn readiness(random: &mut Random) -> ReadyCondition {
    use ReadyCondition::{Absent, False, True, Unknown};
    random.weighted(&[(6, True), (3, False), (1, Unknown), (1, Absent)])
}

fn phase(random: &mut Random) -> Phase {
    use Phase::{Failed, Pending, Running, Succeeded, Unknown, Unset};
    random.weighted(&[
        (4, Running),
        (1, Pending),
        (1, Unknown),
        (1, Unset),
        (1, Succeeded),
        (1, Failed),
    ])
}

/// One address of each family, of one, or none: nearly always shared with other pods.
fn readdress(random: &mut Random, pod: &mut Pod) {
    let address = |random: &mut Random, v4: bool| {
        let of_family: Vec<&str> = ADDRESSES
            .into_iter()
            .filter(|text| text.contains('.') == v4)
            .collect();
        parse_ip(random.pick(&of_family)).expect("they are addresses")
    };
    pod.pod_ips.clear();
    let first = random.chance(75);
    if random.chance(90) {
        pod.pod_ips.push(address(random, first));
        if random.chance(35) {
            pod.pod_ips.push(address(random, !first));
        }
    }
}

/// A hostname, a subdomain, both or neither.
fn name_it(random: &mut Random, pod: &mut Pod) {
    pod.hostname = random.pick(&["", "h0", "h1"]).into();
    let service = random.below(SERVICES);
    pod.subdomain = if random.chance(70) {
        SmolStr::new(format!("s{service}"))
    } else {
        SmolStr::default()
    };
}

/// Ports of ordinary containers, then those of sidecars; names come more than once.
fn ports(random: &mut Random) -> Arc<[ContainerPort]> {
    let mut ports: Vec<ContainerPort> = (0..random.below(4))
        .map(|_| ContainerPort {
            name: random.pick(&["", "http", "http", "dns"]).into(),
            number: random.pick(&[80, 81, 8080]),
            protocol: random.weighted(&[(3, Protocol::Tcp), (1, Protocol::Udp)]),
            sidecar: random.chance(35),
        })
        .collect();
    ports.sort_by_key(|port| port.sidecar);
    ports.into()
}
