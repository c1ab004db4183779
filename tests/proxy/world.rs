//! Services and endpoints that change at random, as a node's stream tells of them.

use std::sync::Arc;

use selectord::engine::{Event, ServiceEntry, View};
use selectord::model::{
    ClusterIp, Conditions, Endpoint, EndpointIdentity, EndpointPorts, Hints, LoadBalancerIp, Node,
    ObjectName, Protocol, Service, ServicePort, ServiceType, TargetPort, TrafficPolicy, ZONE_LABEL,
};
use smallvec::SmallVec;

use crate::support::random::Random;

pub const NODE: &str = "n1";
pub const PODS: &str = "10.244.0.0/16,fd00:244::/32";

pub struct World {
    pub random: Random,
    pub view: View,
    services: usize,
    /// Whether services want each other's addresses and node ports.
    is_crowded: bool,
}

impl World {
    pub fn new(seed: u64, services: usize) -> World {
        World {
            random: Random::new(seed),
            view: View::default(),
            services,
            is_crowded: false,
        }
    }

    /// One in which services want the same addresses and node ports.
    pub fn crowded(seed: u64, services: usize) -> World {
        World {
            is_crowded: true,
            ..World::new(seed, services)
        }
    }

    /// A few changes, folded into the view.
    pub fn step(&mut self) -> Vec<Event> {
        let count = self.random.between(1, 5);
        let mut events = Vec::new();
        for _ in 0..count {
            let some = match self.random.below(20) {
                0..3 => self.put_service(),
                3 => vec![Event::Remove(self.some_name())],
                4 => self.change_node(),
                5..15 => self.put_endpoint(),
                _ => self.remove_endpoint(),
            };
            for event in some {
                self.view.apply(event.clone());
                events.push(event);
            }
        }
        events
    }

    fn some_name(&mut self) -> ObjectName {
        ObjectName::new("ns", format!("svc{}", self.random.below(self.services)))
    }

    fn change_node(&mut self) -> Vec<Event> {
        let zone = self.random.pick(&["za", "zb"]);
        let mut node = Node {
            name: NODE.into(),
            ..Node::default()
        };
        node.labels = crate::support::build::labels(&format!("{ZONE_LABEL}={zone}"));
        vec![Event::Node(Arc::new(node))]
    }

    /// Whose addresses a service has: its own, unless the world is crowded.
    fn some_number(&mut self, own: u16) -> u16 {
        match self.is_crowded && self.random.chance(60) {
            true => self.random.below(3) as u16,
            false => own,
        }
    }

    /// A service by its number: its addresses are its own, its policies of chance.
    fn put_service(&mut self) -> Vec<Event> {
        let name = self.some_name();
        let own: u16 = name.name[3..].parse().unwrap();
        let number = self.some_number(own);
        let [high, low] = number.to_be_bytes();
        let mut ips: SmallVec<[std::net::IpAddr; 1]> = SmallVec::new();
        let families = self.random.below(3);
        if families != 1 {
            ips.push(format!("10.96.{high}.{low}").parse().unwrap());
        }
        if families != 0 {
            ips.push(format!("fd00:96::{number:x}").parse().unwrap());
        }
        let number = self.some_number(own);
        let [high, low] = number.to_be_bytes();
        let nets = match self.is_crowded {
            true => &["198.51", "203.0", "10.96"][..],
            false => &["198.51"],
        };
        let random = &mut self.random;
        let net = match nets {
            [net] => net,
            nets => random.pick(nets),
        };
        let external = random.chance(50);
        let ports = (0..random.between(1, 2) as u16).map(|index| ServicePort {
            name: format!("p{index}").into(),
            protocol: random.pick(&[Protocol::Tcp, Protocol::Tcp, Protocol::Udp, Protocol::Sctp]),
            port: 80 + index,
            target_port: TargetPort::Number(8080 + index),
            node_port: if external {
                30000 + number * 2 + index
            } else {
                0
            },
            app_protocol: "".into(),
        });
        let ports = ports.collect();
        let policy = |random: &mut Random| match random.chance(35) {
            true => TrafficPolicy::Local,
            false => TrafficPolicy::Cluster,
        };
        let balanced = external && random.chance(50);
        let service = Service {
            name: name.clone(),
            service_type: if external {
                ServiceType::LoadBalancer
            } else {
                ServiceType::ClusterIp
            },
            cluster_ip: ClusterIp::Ips(ips),
            ports,
            external_ips: if random.chance(20) {
                vec![format!("{net}.{high}.{low}").parse().unwrap()]
            } else {
                vec![]
            },
            load_balancer_ips: if balanced {
                vec![LoadBalancerIp {
                    ip: format!("203.0.{high}.{low}").parse().unwrap(),
                    proxied: false,
                }]
            } else {
                vec![]
            },
            load_balancer_source_ranges: if balanced && random.chance(40) {
                vec!["192.0.2.0/24".into()]
            } else {
                vec![]
            },
            session_affinity_seconds: random.chance(25).then_some(10_800),
            internal_traffic_policy: policy(random),
            external_traffic_policy: policy(random),
            ..Service::default()
        };
        let entry = ServiceEntry {
            service: Arc::new(service),
            revision: 1,
        };
        match self.view.services().contains_key(&name) && self.random.chance(70) {
            true => vec![Event::Entry(entry)],
            false => vec![Event::Replace(entry)],
        }
    }

    fn put_endpoint(&mut self) -> Vec<Event> {
        let service = self.some_name();
        let random = &mut self.random;
        let end = random.between(1, 12);
        let local = end <= 3;
        let net = if local { 1 } else { 2 };
        let address = match random.chance(60) {
            true => format!("10.244.{net}.{end}"),
            false => format!("fd00:244:{net}::{end:x}"),
        };
        let conditions = random.weighted(&[
            (6, (true, true, false)),
            (2, (false, true, true)),
            (1, (false, false, false)),
            (1, (false, false, true)),
        ]);
        let list = |random: &mut Random, items: &[&str]| match random.chance(60) {
            true => [random.pick(items).into()].into_iter().collect(),
            false => SmallVec::new(),
        };
        let endpoint = Endpoint {
            identity: EndpointIdentity {
                addresses: [address.parse().unwrap()].into_iter().collect(),
                hostname: "".into(),
                pod: Some(ObjectName::new("ns", format!("pod{end}"))),
            },
            uid: "".into(),
            ports: EndpointPorts::OfService,
            conditions: Conditions {
                ready: conditions.0,
                serving: conditions.1,
                terminating: conditions.2,
            },
            node: if local { NODE } else { "n2" }.into(),
            zone: "".into(),
            hints: Hints {
                zones: list(random, &["za", "zb"]),
                nodes: list(random, &[NODE, "n2"]),
            },
        };
        vec![Event::Endpoint { service, endpoint }]
    }

    fn remove_endpoint(&mut self) -> Vec<Event> {
        let service = self.some_name();
        let held = self.view.services().get(&service);
        let identities: Vec<_> = held
            .into_iter()
            .flat_map(|s| s.endpoints.keys().cloned())
            .collect();
        if identities.is_empty() {
            return vec![];
        }
        let identity = self.random.pick(&identities);
        vec![Event::Removed { service, identity }]
    }
}
