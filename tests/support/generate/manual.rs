//! Random hand-made endpoints.

use std::net::IpAddr;

use selectord::model::{
    Conditions, EndpointIdentity, EndpointPort, Hints, ManualEndpoint, ManualEndpoints, ManualKind,
    ManualSubset, ObjectName, Pod, Protocol, parse_ip,
};
use smallvec::smallvec;
use smol_str::SmolStr;

use super::super::random::Random;
use super::labels::label_set;
use super::{ADDRESSES, SERVICES, SLICES, namespace, node_name};

/// An Endpoints object or a slice for one of the services; `neighbours` are pods whose identity
/// it may claim.
pub fn manual(random: &mut Random, neighbours: &[&Pod]) -> ManualEndpoints {
    let (kind, name) = name(random);
    let service = match kind {
        ManualKind::Endpoints => name.name.clone(),
        ManualKind::EndpointSlice => SmolStr::new(format!("s{}", random.below(SERVICES))),
    };
    let own: Vec<&&Pod> = neighbours
        .iter()
        .filter(|pod| pod.name.namespace == name.namespace)
        .collect();
    let subsets = match kind {
        ManualKind::Endpoints => random.below(3),
        ManualKind::EndpointSlice => 1,
    };
    ManualEndpoints {
        kind,
        uid: SmolStr::default(),
        labels: label_set(random),
        service: service.clone(),
        subsets: (0..subsets)
            .map(|_| subset(random, &own, &service))
            .collect(),
        name,
    }
}

/// What a hand-made object may be called.
pub fn name(random: &mut Random) -> (ManualKind, ObjectName) {
    let namespace = namespace(random);
    if random.chance(50) {
        let name = format!("s{}", random.below(SERVICES));
        (ManualKind::Endpoints, ObjectName::new(namespace, name))
    } else {
        let name = format!("m{}", random.below(SLICES));
        (ManualKind::EndpointSlice, ObjectName::new(namespace, name))
    }
}

fn subset(random: &mut Random, pods: &[&&Pod], service: &str) -> ManualSubset {
    let number = random.pick(&[None, Some(80), Some(9000)]);
    ManualSubset {
        ports: [EndpointPort {
            name: "web".into(),
            number,
            protocol: Protocol::Tcp,
            app_protocol: SmolStr::default(),
        }]
        .into(),
        endpoints: (0..random.below(4))
            .map(|_| endpoint(random, pods, service))
            .collect(),
    }
}

fn endpoint(random: &mut Random, pods: &[&&Pod], service: &str) -> ManualEndpoint {
    ManualEndpoint {
        identity: identity(random, pods, service),
        uid: random.pick(&["", "by-hand"]).into(),
        conditions: Conditions {
            ready: random.chance(70),
            serving: random.chance(70),
            terminating: random.chance(20),
        },
        node: if random.chance(50) {
            node_name(random)
        } else {
            SmolStr::default()
        },
        zone: random.pick(&["", "za", "zz"]).into(),
        hints: if random.chance(20) {
            Hints {
                zones: smallvec!["za".into()],
                nodes: smallvec![],
            }
        } else {
            Hints::default()
        },
    }
}

/// That of a pod there is, half of the time.
fn identity(random: &mut Random, pods: &[&&Pod], service: &str) -> EndpointIdentity {
    if !pods.is_empty() && random.chance(60) {
        let pod = random.pick(pods);
        if let Some(ip) = pod.pod_ips.first() {
            let hostname = if pod.subdomain == service {
                pod.hostname.clone()
            } else {
                SmolStr::default()
            };
            let pod = Some(pod.name.clone());
            return EndpointIdentity {
                addresses: smallvec![*ip],
                hostname,
                pod,
            };
        }
    }
    let v4 = random.chance(70);
    let of_family = ADDRESSES.iter().filter(|text| text.contains('.') == v4);
    let of_family: Vec<IpAddr> = of_family
        .map(|text| parse_ip(text).expect("it is one"))
        .collect();
    let mut addresses = smallvec![random.pick(&of_family)];
    if random.chance(15) {
        addresses.push(random.pick(&of_family));
        addresses.sort_unstable();
        addresses.dedup();
    }
    EndpointIdentity {
        addresses,
        hostname: random.pick(&["", "", "h0"]).into(),
        pod: None,
    }
}
