//! Which endpoints a node uses, case by case.

use std::sync::Arc;

use super::{NodeView, PortRules, choose, health_check};
use crate::engine::{ServiceEntry, ServiceView};
use crate::model::{
    ClusterIp, Conditions, Endpoint, EndpointIdentity, EndpointPort, EndpointPorts, Hints,
    LoadBalancerIp, ObjectName, Protocol, Service, ServicePort, ServiceType, TargetPort,
    TrafficPolicy,
};

const READY: Conditions = Conditions {
    ready: true,
    serving: true,
    terminating: false,
};
const LEAVING: Conditions = Conditions {
    ready: false,
    serving: true,
    terminating: true,
};
const UNREADY: Conditions = Conditions {
    ready: false,
    serving: false,
    terminating: false,
};

fn service() -> Service {
    Service {
        name: ObjectName::new("a", "b"),
        cluster_ip: ClusterIp::Ips(["10.96.0.1".parse().unwrap()].into_iter().collect()),
        ports: vec![ServicePort {
            name: "http".into(),
            protocol: Protocol::Tcp,
            port: 80,
            target_port: TargetPort::Number(8080),
            node_port: 0,
            app_protocol: "".into(),
        }],
        ..Service::default()
    }
}

/// An endpoint by the end of its address, on a node, in a zone of the same letter.
fn endpoint(end: u8, node: &str, conditions: Conditions) -> Endpoint {
    Endpoint {
        identity: EndpointIdentity {
            addresses: [format!("10.244.0.{end}").parse().unwrap()]
                .into_iter()
                .collect(),
            pod: Some(ObjectName::new("a", format!("p{end}"))),
            ..EndpointIdentity::default()
        },
        uid: "".into(),
        ports: EndpointPorts::OfService,
        conditions,
        node: node.into(),
        zone: "".into(),
        hints: Hints::default(),
    }
}

fn view(service: Service, endpoints: Vec<Endpoint>) -> ServiceView {
    ServiceView {
        entry: ServiceEntry {
            service: Arc::new(service),
            revision: 1,
        },
        endpoints: endpoints
            .into_iter()
            .map(|e| (e.identity.clone(), e))
            .collect(),
    }
}

fn node() -> NodeView {
    NodeView {
        name: "n1".into(),
        zone: Some("z1".into()),
        addresses: ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()].into(),
    }
}

fn one(service: Service, endpoints: Vec<Endpoint>) -> PortRules {
    let mut ports = choose(&view(service, endpoints), &node());
    assert_eq!(ports.len(), 1);
    ports.remove(0)
}

/// The ends of the addresses.
fn ends(targets: &std::collections::BTreeSet<super::Target>) -> Vec<u8> {
    let end = |ip: std::net::IpAddr| match ip {
        std::net::IpAddr::V4(ip) => ip.octets()[3],
        std::net::IpAddr::V6(ip) => ip.octets()[15],
    };
    targets.iter().map(|target| end(target.ip)).collect()
}

#[test]
fn ready_ones_else_those_that_leave_here_and_everywhere_apart() {
    let all = vec![
        endpoint(1, "n1", LEAVING),
        endpoint(2, "n2", READY),
        endpoint(3, "n2", UNREADY),
        endpoint(4, "n2", LEAVING),
    ];
    let rules = one(service(), all.clone());
    assert_eq!(
        (ends(&rules.cluster), ends(&rules.local)),
        (vec![2], vec![1])
    );
    assert_eq!(ends(&rules.serving), [1, 2, 4]);
    let rules = one(
        service(),
        all.iter()
            .filter(|e| !e.conditions.ready)
            .cloned()
            .collect(),
    );
    assert_eq!(
        (ends(&rules.cluster), ends(&rules.local)),
        (vec![1, 4], vec![1])
    );
    let rules = one(service(), vec![endpoint(3, "n1", UNREADY)]);
    assert!(!rules.has_endpoints && rules.cluster.is_empty() && rules.local.is_empty());
}

#[test]
fn hints_count_when_every_ready_endpoint_has_one_and_some_name_this_node() {
    let hinted = |end, zone: &str, nodes: &str| {
        let mut endpoint = endpoint(end, "n2", READY);
        let list = |text: &str| {
            text.split(' ')
                .filter(|t| !t.is_empty())
                .map(Into::into)
                .collect()
        };
        endpoint.hints = Hints {
            zones: list(zone),
            nodes: list(nodes),
        };
        endpoint
    };
    let chosen = |endpoints| ends(&one(service(), endpoints).cluster);
    // The node before the zone.
    assert_eq!(
        chosen(vec![hinted(1, "z1", "n1"), hinted(2, "z1", "n2")]),
        [1]
    );
    // Not all have a node: the zone.
    assert_eq!(
        chosen(vec![
            hinted(1, "z1", "n1"),
            hinted(2, "z1", ""),
            hinted(3, "z2", "")
        ]),
        [1, 2]
    );
    // None names this node: the zone; none names this zone: all.
    assert_eq!(
        chosen(vec![hinted(1, "z1", "n2"), hinted(2, "z2", "n2")]),
        [1]
    );
    assert_eq!(
        chosen(vec![hinted(1, "z3", "n2"), hinted(2, "z2", "n2")]),
        [1, 2]
    );
    // Not all have a zone: all.
    assert_eq!(chosen(vec![hinted(1, "z1", ""), hinted(2, "", "")]), [1, 2]);
    // One that is not ready has no say.
    let mut leaving = hinted(2, "", "");
    leaving.conditions = LEAVING;
    assert_eq!(chosen(vec![hinted(1, "z1", ""), leaving]), [1]);
}

#[test]
fn a_node_whose_zone_is_not_known_uses_all_zones() {
    let mut hinted = endpoint(1, "n2", READY);
    hinted.hints.zones = ["".into()].into_iter().collect();
    let view = view(service(), vec![hinted]);
    let node = NodeView {
        name: "n1".into(),
        ..NodeView::default()
    };
    assert_eq!(ends(&choose(&view, &node)[0].cluster), [1]);
}

#[test]
fn each_endpoint_is_heard_where_it_says() {
    let mut named = service();
    named.ports[0].target_port = TargetPort::Name("web".into());
    let with = |end, ports| Endpoint {
        ports,
        ..endpoint(end, "n1", READY)
    };
    let number = |n: u16| std::num::NonZeroU16::new(n);
    let own = |name: &str, protocol, number| {
        EndpointPorts::Own(Arc::new([EndpointPort {
            name: name.into(),
            number,
            protocol,
            app_protocol: "".into(),
        }]))
    };
    let rules = one(
        named,
        vec![
            with(
                1,
                EndpointPorts::Resolved([number(9001)].into_iter().collect()),
            ),
            with(2, EndpointPorts::Resolved([None].into_iter().collect())),
            with(3, EndpointPorts::OfService),
            with(4, own("http", Protocol::Tcp, Some(9004))),
            with(5, own("http", Protocol::Udp, Some(9005))),
            with(6, own("other", Protocol::Tcp, Some(9006))),
            with(7, own("http", Protocol::Tcp, None)),
        ],
    );
    let heard: Vec<u16> = rules.cluster.iter().map(|target| target.port).collect();
    assert_eq!(
        (ends(&rules.cluster), heard),
        (vec![1, 4], vec![9001, 9004])
    );
}

#[test]
fn families_are_apart_and_only_where_there_is_a_virtual_ip() {
    let mut both = service();
    both.cluster_ip = ClusterIp::Ips(
        ["10.96.0.1".parse().unwrap(), "fd00::1".parse().unwrap()]
            .into_iter()
            .collect(),
    );
    both.external_ips = vec![
        "203.0.113.1".parse().unwrap(),
        "203.0.113.9".parse().unwrap(),
        "2001:db8::1".parse().unwrap(),
    ];
    both.load_balancer_ips = vec![
        LoadBalancerIp {
            ip: "203.0.113.1".parse().unwrap(),
            proxied: false,
        },
        LoadBalancerIp {
            ip: "203.0.113.2".parse().unwrap(),
            proxied: true,
        },
        LoadBalancerIp {
            ip: "203.0.113.3".parse().unwrap(),
            proxied: false,
        },
    ];
    both.load_balancer_source_ranges = vec!["198.51.100.0/24".into()];
    let mut six = endpoint(2, "n1", READY);
    six.identity.addresses = ["fd00:1::2".parse().unwrap()].into_iter().collect();
    let ports = choose(&view(both, vec![endpoint(1, "n1", READY), six]), &node());
    let [v4, v6] = ports.as_slice() else {
        panic!("{ports:?}");
    };
    assert_eq!((ends(&v4.cluster), ends(&v6.cluster)), (vec![1], vec![2]));
    let texts = |ips: &[std::net::IpAddr]| ips.iter().map(ToString::to_string).collect::<Vec<_>>();
    let outside = ["203.0.113.1", "203.0.113.3", "203.0.113.9"];
    assert_eq!(texts(&v4.external_ips), outside);
    assert_eq!(texts(&v4.balancer_ips), ["203.0.113.1", "203.0.113.3"]);
    assert_eq!(texts(v4.guarded_ips()), ["203.0.113.1", "203.0.113.3"]);
    assert_eq!(texts(&v6.external_ips), ["2001:db8::1"]);
    assert!(v6.guarded_ips().is_empty() && v6.source_ranges.is_empty());

    for cluster_ip in [ClusterIp::Headless, ClusterIp::Unset] {
        let headless = Service {
            cluster_ip,
            ..service()
        };
        assert!(choose(&view(headless, vec![]), &node()).is_empty());
    }
    let alias = Service {
        service_type: ServiceType::ExternalName,
        ..service()
    };
    assert!(choose(&view(alias, vec![]), &node()).is_empty());
}

#[test]
fn only_ready_endpoints_here_count_for_a_load_balancer() {
    let mut balanced = service();
    balanced.service_type = ServiceType::LoadBalancer;
    balanced.health_check_node_port = 32000;
    let endpoints = vec![
        endpoint(1, "n1", READY),
        endpoint(2, "n1", LEAVING),
        endpoint(3, "n2", READY),
    ];
    assert_eq!(
        health_check(&view(balanced.clone(), endpoints.clone()), &node()),
        None
    );
    balanced.external_traffic_policy = TrafficPolicy::Local;
    let check = health_check(&view(balanced, endpoints), &node()).unwrap();
    assert_eq!((check.port, check.local_endpoints), (32000, 1));
}

#[test]
fn a_balancers_ip_may_use_itself_where_the_node_may() {
    let mut balanced = service();
    balanced.service_type = ServiceType::LoadBalancer;
    balanced.load_balancer_ips = vec![LoadBalancerIp {
        ip: "203.0.113.1".parse().unwrap(),
        proxied: false,
    }];
    let allowed = |range: &str| {
        let mut balanced = balanced.clone();
        balanced.load_balancer_source_ranges = vec![range.into()];
        let rules = one(balanced, vec![]);
        let texts = rules.source_ranges.iter().map(ToString::to_string);
        texts.collect::<Vec<_>>()
    };
    // The node is 192.0.2.1.
    assert_eq!(allowed("192.0.2.0/24"), ["192.0.2.0/24", "203.0.113.1"]);
    assert_eq!(allowed("198.51.100.0/24"), ["198.51.100.0/24"]);
}

#[test]
fn a_service_of_another_proxy_has_no_rules_and_no_health_check() {
    let mut theirs = service();
    theirs.service_type = ServiceType::LoadBalancer;
    theirs.external_traffic_policy = TrafficPolicy::Local;
    theirs.health_check_node_port = 32000;
    let labelled = |key: &str| {
        let labels = crate::labels::LabelSet::try_from_pairs([(key, "")]).unwrap();
        let view = view(
            Service {
                labels,
                ..theirs.clone()
            },
            vec![endpoint(1, "n1", READY)],
        );
        (
            choose(&view, &node()).len(),
            health_check(&view, &node()).is_some(),
        )
    };
    assert_eq!(labelled("app"), (1, true));
    assert_eq!(
        labelled("service.kubernetes.io/service-proxy-name"),
        (0, false)
    );
}
