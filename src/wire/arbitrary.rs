//! Random objects, for the tests of the wire.

use std::num::NonZeroU16;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use smol_str::SmolStr;

use crate::labels::LabelSet;
use crate::model::{
    ClusterIp, Conditions, ContainerPort, Endpoint, EndpointIdentity, EndpointPort, EndpointPorts,
    Hints, IpFamily, LoadBalancerIp, ManualEndpoint, ManualEndpoints, ManualKind, ManualSubset,
    Node, Object, ObjectName, Phase, Pod, Protocol, ReadyCondition, Service, ServicePort,
    ServiceSelector, ServiceType, TargetPort, TrafficPolicy, validate,
};
use crate::selector::Selector;

pub(super) fn word() -> impl Strategy<Value = SmolStr> {
    "[a-z][a-z0-9]{0,5}".prop_map(SmolStr::from)
}

pub(super) fn text() -> impl Strategy<Value = SmolStr> {
    "[ -~é]{0,12}".prop_map(SmolStr::from)
}

pub(super) fn uid() -> impl Strategy<Value = SmolStr> {
    prop_oneof![
        text(),
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}".prop_map(SmolStr::from),
        "[0-9A-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}".prop_map(SmolStr::from),
    ]
}

pub(super) fn name() -> impl Strategy<Value = ObjectName> {
    (word(), word()).prop_map(|(namespace, name)| ObjectName::new(namespace, name))
}

pub(super) fn labels() -> impl Strategy<Value = LabelSet> {
    so_many_labels(0..5)
}

pub(super) fn so_many_labels(count: std::ops::Range<usize>) -> impl Strategy<Value = LabelSet> {
    btree_map(
        "([a-z]{1,3}\\.io/)?[a-zA-Z0-9]{1,4}",
        "([a-zA-Z0-9]([a-z._-]{0,4}[a-z0-9])?)?",
        count,
    )
    .prop_filter_map("labels", |pairs| LabelSet::try_from_pairs(pairs).ok())
}

pub(super) fn selector() -> impl Strategy<Value = Selector> {
    select(vec![
        "",
        "app=rng",
        "app==rng,active!=yes",
        "tier in (a,b),!canary",
        "n>5,n<10",
        "x notin (,y)",
        "a in ()",
    ])
    .prop_filter_map("selector", |text| Selector::parse(text).ok())
}

pub(super) fn protocol() -> impl Strategy<Value = Protocol> {
    select(vec![Protocol::Tcp, Protocol::Udp, Protocol::Sctp])
}

pub(super) fn ip() -> impl Strategy<Value = std::net::IpAddr> {
    prop_oneof![
        any::<[u8; 3]>().prop_map(|[a, b, c]| std::net::IpAddr::from([10, a, b, c])),
        any::<[u16; 3]>()
            .prop_map(|[a, b, c]| std::net::IpAddr::from([0x2001, 0xdb8, a, 0, 0, b, c, 1])),
    ]
}

pub(super) fn container_port() -> impl Strategy<Value = ContainerPort> {
    (text(), 1..=u16::MAX, protocol(), any::<bool>()).prop_map(
        |(name, number, protocol, sidecar)| ContainerPort {
            name,
            number,
            protocol,
            sidecar,
        },
    )
}

pub(super) fn pod() -> impl Strategy<Value = Pod> {
    let ready = select(vec![
        ReadyCondition::Absent,
        ReadyCondition::True,
        ReadyCondition::False,
        ReadyCondition::Unknown,
    ]);
    let phase = select(vec![
        Phase::Unset,
        Phase::Pending,
        Phase::Running,
        Phase::Succeeded,
        Phase::Failed,
        Phase::Unknown,
    ]);
    let named = || "[a-z0-9]{0,12}".prop_map(SmolStr::from);
    let place = (named(), named(), named(), option::of(word()));
    (
        name(),
        uid(),
        labels(),
        place,
        vec(container_port(), 0..4),
        phase,
        vec(ip(), 0..2),
        ready,
    )
        .prop_map(
            |(
                name,
                uid,
                labels,
                (node_name, hostname, subdomain, deletion_timestamp),
                ports,
                phase,
                pod_ips,
                ready,
            )| Pod {
                name,
                uid,
                labels,
                deletion_timestamp,
                node_name,
                hostname,
                subdomain,
                ports: ports.into(),
                phase,
                pod_ips: pod_ips.into(),
                ready,
            },
        )
}

pub(super) fn service_selector() -> impl Strategy<Value = ServiceSelector> {
    prop_oneof![
        Just(ServiceSelector::None),
        labels().prop_map(|pairs| if pairs.is_empty() {
            ServiceSelector::None
        } else {
            ServiceSelector::Map(pairs)
        }),
        selector().prop_map(ServiceSelector::Set),
    ]
}

pub(super) fn service_port() -> impl Strategy<Value = ServicePort> {
    let target = prop_oneof![
        any::<u16>()
            .prop_filter("a port", |n| *n > 0)
            .prop_map(TargetPort::Number),
        word().prop_map(TargetPort::Name),
    ];
    (
        word(),
        protocol(),
        1..=u16::MAX,
        target,
        any::<u16>(),
        text(),
    )
        .prop_map(
            |(name, protocol, port, target_port, node_port, app_protocol)| ServicePort {
                name,
                protocol,
                port,
                target_port,
                node_port,
                app_protocol,
            },
        )
}

prop_compose! {
    pub(super) fn service()(
        name in name(),
        (uid, labels, selector) in (uid(), labels(), service_selector()),
        (creation_timestamp, deletion_timestamp) in (text(), option::of(word())),
        service_type in select(vec![ServiceType::ClusterIp, ServiceType::NodePort, ServiceType::LoadBalancer, ServiceType::ExternalName]),
        ports in vec(service_port(), 1..3),
        cluster_ip in prop_oneof![
            Just(ClusterIp::Unset),
            Just(ClusterIp::Headless),
            vec(ip(), 1..3).prop_map(|ips| ClusterIp::Ips(ips.into())),
        ],
        ip_families in vec(select(vec![IpFamily::V4, IpFamily::V6]), 0..3),
        (external_name, external_ips, ranges) in (word(), vec(ip(), 0..3), vec(text(), 0..3)),
        load_balancer_ips in vec((ip(), any::<bool>()).prop_map(|(ip, proxied)| LoadBalancerIp { ip, proxied }), 0..3),
        session_affinity_seconds in option::of(1..u32::MAX),
        (internal, external) in (any::<bool>(), any::<bool>()),
        (health_check_node_port, publish_not_ready_addresses) in (any::<u16>(), any::<bool>()),
        (traffic_distribution, topology_mode) in (text(), text()),
    ) -> Service {
        let policy = |local: bool| if local { TrafficPolicy::Local } else { TrafficPolicy::Cluster };
        Service {
            name,
            uid,
            labels,
            creation_timestamp,
            deletion_timestamp,
            service_type,
            selector,
            ports,
            cluster_ip,
            ip_families: ip_families.into(),
            external_name,
            external_ips,
            load_balancer_ips,
            load_balancer_source_ranges: ranges,
            session_affinity_seconds,
            internal_traffic_policy: policy(internal),
            external_traffic_policy: policy(external),
            health_check_node_port,
            publish_not_ready_addresses,
            traffic_distribution,
            topology_mode,
        }
    }
}

pub(super) fn node() -> impl Strategy<Value = Node> {
    (word(), uid(), labels()).prop_map(|(name, uid, labels)| Node { name, uid, labels })
}

/// Names that often begin alike, up to a hyphen or not.
pub(super) fn hyphened() -> impl Strategy<Value = SmolStr> {
    prop_oneof![
        text(),
        "(web-|wéb-)?(7d4b9-|-)?[a-c]{0,2}".prop_map(SmolStr::from)
    ]
}

pub(super) fn identity() -> impl Strategy<Value = EndpointIdentity> {
    let name = (word(), hyphened());
    let name = name.prop_map(|(namespace, name)| ObjectName::new(namespace, name));
    let pod = option::of(name.prop_filter("a name", |pod| !pod.name.is_empty()));
    (btree_set(any::<u8>(), 1..3), text(), pod).prop_map(|(last, hostname, pod)| EndpointIdentity {
        addresses: last
            .into_iter()
            .map(|last| std::net::IpAddr::from([10, 0, 0, last]))
            .collect(),
        hostname,
        pod,
    })
}

pub(super) fn conditions() -> impl Strategy<Value = Conditions> {
    any::<[bool; 3]>().prop_map(|[ready, serving, terminating]| Conditions {
        ready,
        serving,
        terminating,
    })
}

pub(super) fn endpoint_port() -> impl Strategy<Value = EndpointPort> {
    (word(), option::of(1..=u16::MAX), protocol(), text()).prop_map(
        |(name, number, protocol, app_protocol)| EndpointPort {
            name,
            number,
            protocol,
            app_protocol,
        },
    )
}

pub(super) fn hints() -> impl Strategy<Value = Hints> {
    (vec(word(), 0..2), vec(word(), 0..2)).prop_map(|(zones, nodes)| Hints {
        zones: zones.into(),
        nodes: nodes.into(),
    })
}

pub(super) fn endpoint() -> impl Strategy<Value = Endpoint> {
    let ports = prop_oneof![
        Just(EndpointPorts::OfService),
        vec(any::<u16>().prop_map(NonZeroU16::new), 1..4)
            .prop_map(|numbers| EndpointPorts::Resolved(numbers.into())),
        vec(endpoint_port(), 0..3).prop_map(|ports| EndpointPorts::Own(ports.into())),
    ];
    (
        identity(),
        uid(),
        ports,
        conditions(),
        hyphened(),
        hyphened(),
        hints(),
    )
        .prop_map(
            |(identity, uid, ports, conditions, node, zone, hints)| Endpoint {
                identity,
                uid,
                ports,
                conditions,
                node,
                zone,
                hints,
            },
        )
}

pub(super) fn manual() -> impl Strategy<Value = ManualEndpoints> {
    let member = (identity(), uid(), conditions(), text(), text(), hints()).prop_map(
        |(identity, uid, conditions, node, zone, hints)| ManualEndpoint {
            identity,
            uid,
            conditions,
            node,
            zone,
            hints,
        },
    );
    let subset = (vec(endpoint_port(), 0..3), vec(member, 0..3)).prop_map(|(ports, endpoints)| {
        ManualSubset {
            ports: ports.into(),
            endpoints,
        }
    });
    let subsets = (vec(subset, 0..3), any::<bool>()).prop_map(|(subsets, slice)| {
        let kind = if slice && subsets.len() == 1 {
            ManualKind::EndpointSlice
        } else {
            ManualKind::Endpoints
        };
        (kind, subsets)
    });
    (name(), uid(), labels(), word(), subsets).prop_map(
        |(name, uid, labels, service, (kind, subsets))| ManualEndpoints {
            kind,
            name,
            uid,
            labels,
            service,
            subsets,
        },
    )
}

pub(super) fn object() -> impl Strategy<Value = Object> {
    prop_oneof![
        pod().prop_map(|pod| Object::Pod(Box::new(pod))),
        service().prop_map(|service| Object::Service(Box::new(service))),
        node().prop_map(|node| Object::Node(Box::new(node))),
        manual().prop_map(|manual| Object::Manual(Box::new(manual))),
    ]
    .prop_filter("a valid object", |object| validate(object).is_empty())
}
