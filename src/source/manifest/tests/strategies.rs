//! Objects at random.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use smol_str::SmolStr;

use crate::labels::LabelSet;
use crate::model::{
    ClusterIp, Conditions, ContainerPort, EndpointIdentity, EndpointPort, Hints, IpFamily,
    LoadBalancerIp, ManualEndpoint, ManualEndpoints, ManualKind, ManualSubset, Node, Object,
    ObjectName, Phase, Pod, Protocol, ReadyCondition, Service, ServicePort, ServiceSelector,
    ServiceType, TargetPort, TrafficPolicy,
};
use crate::selector::Selector;

fn text(pattern: &'static str) -> impl Strategy<Value = SmolStr> {
    pattern.prop_map(SmolStr::from)
}

/// Values that YAML would misread come up often.
pub fn label_value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9]{0,8}",
        prop::sample::select(vec![
            "yes",
            "null",
            "1.0",
            "0x1f",
            "2024-01-01",
            "1_000",
            "on",
            "1e5",
            ""
        ])
        .prop_map(String::from)
    ]
}

/// Nothing, or a DNS label, perhaps one that YAML would misread.
fn dns_label() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9]{0,8}",
        prop::sample::select(vec!["yes", "null", "0x1f", "2024-01-01", "on", "1e5"])
            .prop_map(String::from)
    ]
}

fn labels() -> impl Strategy<Value = LabelSet> {
    vec(("([a-z]{1,5}\\.io/)?[a-z0-9]{1,4}", label_value()), 0..5)
        .prop_map(|pairs| LabelSet::try_from_pairs(pairs).expect("legal"))
}

fn name() -> impl Strategy<Value = ObjectName> {
    (text("[a-z]{1,6}"), text("[a-z0-9]{1,8}"))
        .prop_map(|(namespace, name)| ObjectName { namespace, name })
}

fn v4() -> impl Strategy<Value = IpAddr> {
    any::<[u8; 3]>().prop_map(|[a, b, c]| IpAddr::V4(Ipv4Addr::new(10, a, b, c)))
}

fn v6() -> impl Strategy<Value = IpAddr> {
    any::<u64>().prop_map(|low| IpAddr::V6(Ipv6Addr::from((0xfd00_u128 << 112) | u128::from(low))))
}

fn ips() -> impl Strategy<Value = Vec<IpAddr>> {
    (option::of(v4()), option::of(v6())).prop_map(|(a, b)| a.into_iter().chain(b).collect())
}

fn time() -> impl Strategy<Value = SmolStr> {
    Just(SmolStr::from("2024-01-31T12:30:45Z"))
}

fn protocol() -> impl Strategy<Value = Protocol> {
    prop::sample::select(vec![Protocol::Tcp, Protocol::Udp, Protocol::Sctp])
}

/// Any pod.
pub fn pod() -> impl Strategy<Value = Object> {
    let port = (
        text("[a-z0-9]{0,5}"),
        1..=u16::MAX,
        protocol(),
        any::<bool>(),
    )
        .prop_map(|(name, number, protocol, sidecar)| ContainerPort {
            name,
            number,
            protocol,
            sidecar,
        });
    let spec = (dns_label(), dns_label(), dns_label(), vec(port, 0..5));
    let phases = vec![
        Phase::Unset,
        Phase::Pending,
        Phase::Running,
        Phase::Succeeded,
        Phase::Failed,
        Phase::Unknown,
    ];
    let ready = vec![
        ReadyCondition::Absent,
        ReadyCondition::True,
        ReadyCondition::False,
        ReadyCondition::Unknown,
    ];
    let status = (
        prop::sample::select(phases),
        ips(),
        prop::sample::select(ready),
    );
    (
        name(),
        label_value(),
        labels(),
        option::of(time()),
        spec,
        status,
    )
        .prop_map(
            |(
                name,
                uid,
                labels,
                deletion_timestamp,
                (node, hostname, subdomain, mut ports),
                (phase, ips, ready),
            )| {
                ports.sort_by_key(|port| port.sidecar);
                Object::Pod(Box::new(Pod {
                    name,
                    uid: uid.into(),
                    labels,
                    deletion_timestamp,
                    node_name: node.into(),
                    hostname: hostname.into(),
                    subdomain: subdomain.into(),
                    ports: ports.into(),
                    phase,
                    pod_ips: ips.into(),
                    ready,
                }))
            },
        )
}

/// Any node.
pub fn node() -> impl Strategy<Value = Object> {
    (text("[a-z0-9]{1,8}"), label_value(), labels()).prop_map(|(name, uid, labels)| {
        Object::Node(Box::new(Node {
            name,
            uid: uid.into(),
            labels,
        }))
    })
}

fn selector() -> impl Strategy<Value = ServiceSelector> {
    let sets = [
        "",
        "a=b",
        "a=yes,a=b,!c",
        "app in (rng,web),tier notin (x),a",
        "n>7,n<010",
        "a!=b",
    ];
    prop_oneof![
        labels().prop_map(|pairs| if pairs.is_empty() {
            ServiceSelector::None
        } else {
            ServiceSelector::Map(pairs)
        }),
        prop::sample::select(sets.to_vec())
            .prop_map(|text| ServiceSelector::Set(text.parse().expect("legal"))),
        Just(ServiceSelector::Set(Selector::nothing())),
    ]
}

/// Any service, its selector of any form.
pub fn service() -> impl Strategy<Value = Object> {
    let target = prop_oneof![
        (1..=u16::MAX).prop_map(TargetPort::Number),
        text("[a-z]{1,8}").prop_map(TargetPort::Name)
    ];
    let port = (
        protocol(),
        1..=u16::MAX,
        target,
        any::<u16>(),
        label_value(),
    );
    let types = vec![
        ServiceType::ClusterIp,
        ServiceType::NodePort,
        ServiceType::LoadBalancer,
    ];
    let policy = || prop::sample::select(vec![TrafficPolicy::Cluster, TrafficPolicy::Local]);
    let addresses = (
        option::of(ips()),
        vec(v4(), 0..3),
        vec((v6(), any::<bool>()), 0..3),
        any::<bool>(),
    );
    let rest = (
        option::of(1..86_400_u32),
        policy(),
        policy(),
        any::<u16>(),
        any::<bool>(),
        label_value(),
        label_value(),
    );
    let meta = (
        name(),
        label_value(),
        labels(),
        option::of(time()),
        option::of(time()),
    );
    (
        meta,
        prop::sample::select(types),
        selector(),
        vec(port, 1..4),
        addresses,
        rest,
    )
        .prop_map(
            |(
                (name, uid, labels, created, deletion_timestamp),
                service_type,
                selector,
                ports,
                (cluster, external, balancer, dual),
                rest,
            )| {
                let (affinity, internal, outer, health, publish, distribution, topology) = rest;
                let ports = ports.into_iter().enumerate().map(
                    |(i, (protocol, port, target_port, node_port, app))| ServicePort {
                        name: format!("p{i}").into(),
                        protocol,
                        port,
                        target_port,
                        node_port,
                        app_protocol: app.into(),
                    },
                );
                let families = [IpFamily::V6, IpFamily::V4];
                Object::Service(Box::new(Service {
                    name,
                    uid: uid.into(),
                    labels,
                    creation_timestamp: created.unwrap_or_default(),
                    deletion_timestamp,
                    service_type,
                    selector,
                    ports: ports.collect(),
                    cluster_ip: match cluster {
                        None => ClusterIp::Headless,
                        Some(ips) if ips.is_empty() => ClusterIp::Unset,
                        Some(ips) => ClusterIp::Ips(ips.into()),
                    },
                    ip_families: families.into_iter().filter(|_| dual).collect(),
                    external_name: SmolStr::default(),
                    external_ips: external,
                    load_balancer_ips: balancer
                        .into_iter()
                        .map(|(ip, proxied)| LoadBalancerIp { ip, proxied })
                        .collect(),
                    load_balancer_source_ranges: vec!["10.0.0.0/8".into()],
                    session_affinity_seconds: affinity,
                    internal_traffic_policy: internal,
                    external_traffic_policy: outer,
                    health_check_node_port: health,
                    publish_not_ready_addresses: publish,
                    traffic_distribution: distribution.into(),
                    topology_mode: topology.into(),
                }))
            },
        )
        .prop_filter("each port and protocol once", |object| {
            crate::model::validate(object).is_empty()
        })
}

/// Any hand-made Endpoints or EndpointSlice.
pub fn manual() -> impl Strategy<Value = Object> {
    let endpoint = (
        vec(v4(), 1..4),
        label_value(),
        option::of(name()),
        any::<[bool; 3]>(),
        label_value(),
        vec(text("[a-z]{1,3}"), 0..3),
    );
    let endpoint = endpoint.prop_map(
        |(mut ips, hostname, pod, [ready, serving, terminating], node, hints)| {
            ips.sort_unstable();
            ManualEndpoint {
                uid: if pod.is_some() {
                    "u".into()
                } else {
                    SmolStr::default()
                },
                identity: EndpointIdentity {
                    addresses: ips.into(),
                    hostname: hostname.into(),
                    pod,
                },
                conditions: Conditions {
                    ready,
                    serving,
                    terminating,
                },
                zone: node.clone().into(),
                node: node.into(),
                hints: Hints {
                    zones: hints.clone().into(),
                    nodes: hints.into_iter().rev().collect(),
                },
            }
        },
    );
    let port = (option::of(1..=u16::MAX), protocol(), label_value());
    (
        name(),
        labels(),
        vec(endpoint, 0..4),
        vec(port, 0..3),
        any::<bool>(),
    )
        .prop_map(|(name, labels, endpoints, ports, slice)| {
            let ports: Vec<EndpointPort> = ports
                .into_iter()
                .enumerate()
                .map(|(i, (number, protocol, app))| EndpointPort {
                    name: format!("p{i}").into(),
                    number: if slice {
                        number
                    } else {
                        Some(number.unwrap_or(1))
                    },
                    protocol,
                    app_protocol: app.into(),
                })
                .collect();
            let pairs = labels.iter().map(|(k, v)| (k.to_string(), v.to_string()));
            let own = ("kubernetes.io/service-name".to_owned(), "db".to_owned());
            let subset = ManualSubset {
                ports: ports.into(),
                endpoints,
            };
            let manual = if slice {
                ManualEndpoints {
                    kind: ManualKind::EndpointSlice,
                    labels: LabelSet::try_from_pairs(pairs.chain([own])).expect("legal"),
                    name,
                    uid: "u".into(),
                    service: "db".into(),
                    subsets: vec![subset],
                }
            } else {
                let subsets = vec![as_endpoints_object_has_it(subset)];
                ManualEndpoints {
                    kind: ManualKind::Endpoints,
                    service: name.name.clone(),
                    labels,
                    name,
                    uid: "u".into(),
                    subsets,
                }
            };
            Object::Manual(Box::new(manual))
        })
}

/// One address each, ready or not, the ready ones first, neither zone nor hints.
fn as_endpoints_object_has_it(mut subset: ManualSubset) -> ManualSubset {
    for endpoint in &mut subset.endpoints {
        endpoint.identity.addresses.truncate(1);
        let ready = endpoint.conditions.ready;
        endpoint.conditions = Conditions {
            ready,
            serving: ready,
            terminating: false,
        };
        endpoint.zone = SmolStr::default();
        endpoint.hints = Hints::default();
    }
    subset
        .endpoints
        .sort_by_key(|endpoint| !endpoint.conditions.ready);
    subset
}
