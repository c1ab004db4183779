use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use selectord::engine::{Event, ServiceEntry, View};
use selectord::model::{
    ClusterIp, Conditions, Endpoint, EndpointIdentity, EndpointPorts, ObjectName, Protocol,
    ServicePort, TargetPort,
};
use selectord::proxy::{PodTraffic, ProxyOptions};

/// The node whose rules are written.
pub const NODE: &str = "here";
/// One endpoint in so many is on it.
const LOCAL: u32 = 50;
/// Where endpoints are, in both families.
pub const PODS: &str = "10.128.0.0/9";
const PODS_V6: &str = "fd00:128::/32";
/// The port of every service, and of every endpoint.
pub const PORT: u16 = 80;
pub const TARGET_PORT: u16 = 8080;
/// The namespace of every service.
pub const NAMESPACE: &str = "load";

/// How many services of how many endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub services: u32,
    pub endpoints: u32,
    /// Whether each has an address of both families.
    pub dual: bool,
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dual = if self.dual { ", dual stack" } else { "" };
        write!(f, "{} services × {}{dual}", self.services, self.endpoints)
    }
}

/// A service with an address and one port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub number: u32,
    /// By number: each is used once.
    pub endpoints: Vec<u32>,
}

/// Services that change one by one, as a node's stream tells of them.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub services: BTreeMap<u32, Service>,
    pub view: View,
    pub endpoints_at_start: usize,
    dual: bool,
    next_endpoint: u32,
}

/// What happens to one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Replaced,
    Added,
    Removed,
    ServiceAdded,
    ServiceRemoved,
}

/// What happened.
pub struct Changed {
    pub change: Change,
    pub before: Option<Service>,
    pub after: Option<Service>,
    pub events: Vec<Event>,
}

impl Change {
    pub const ALL: [Change; 5] = [
        Change::Replaced,
        Change::Added,
        Change::Removed,
        Change::ServiceAdded,
        Change::ServiceRemoved,
    ];

    /// Whether it takes something away.
    pub fn removes(self) -> bool {
        !matches!(self, Change::Added | Change::ServiceAdded)
    }

    /// Whether the service itself stays.
    pub fn is_of_endpoint(self) -> bool {
        !matches!(self, Change::ServiceAdded | Change::ServiceRemoved)
    }

    pub fn what(self) -> &'static str {
        match self {
            Change::Replaced => "one endpoint replaced",
            Change::Added => "one endpoint added",
            Change::Removed => "one endpoint removed",
            Change::ServiceAdded => "one service added",
            Change::ServiceRemoved => "one service removed",
        }
    }
}

impl Service {
    /// In the order of their numbers.
    pub fn name(&self) -> String {
        format!("svc-{:05}", self.number)
    }

    pub fn ip(&self) -> Ipv4Addr {
        service_ip(self.number)
    }
}

fn service_ip(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(10, 96, 0, 1).to_bits() + number)
}

/// The address of an endpoint.
pub fn endpoint_ip(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(10, 128, 0, 1).to_bits() + number)
}

/// Whether an endpoint is on the node whose rules are written.
pub fn is_local(endpoint: u32) -> bool {
    endpoint.is_multiple_of(LOCAL)
}

fn v6(part: u16, number: u32) -> Ipv6Addr {
    let [high, low] = [(number >> 16) as u16, number as u16];
    Ipv6Addr::new(0xfd00, part, 0, 0, 0, 0, high, low.wrapping_add(1))
}

/// How the proxy is started for it.
pub fn options() -> anyhow::Result<ProxyOptions> {
    let ranges = [PODS.parse()?, PODS_V6.parse()?];
    Ok(ProxyOptions {
        pod_traffic: PodTraffic::Cidrs(ranges.to_vec()),
        ..ProxyOptions::of_node(NODE)
    })
}

impl Cluster {
    pub fn new(size: Size) -> Cluster {
        let mut cluster = Cluster {
            services: BTreeMap::new(),
            view: View::default(),
            endpoints_at_start: (size.services * size.endpoints) as usize,
            dual: size.dual,
            next_endpoint: 1,
        };
        for number in 0..size.services {
            cluster.add_service(number, size.endpoints);
        }
        cluster
    }

    /// The names of all services.
    pub fn names(&self) -> Vec<ObjectName> {
        self.view.services().keys().cloned().collect()
    }

    /// Changes a service; one that is added has a number of its own.
    pub fn change(&mut self, change: Change, number: u32) -> Changed {
        let before = self.services.get(&number).cloned();
        let events = match change {
            Change::Replaced => {
                let mut events = self.remove_endpoint(number);
                events.extend(self.add_endpoint(number));
                events
            }
            Change::Added => self.add_endpoint(number),
            Change::Removed => self.remove_endpoint(number),
            Change::ServiceAdded => {
                let like = self.services.values().next();
                let endpoints = like.map_or(0, |service| service.endpoints.len());
                self.add_service(number, endpoints as u32)
            }
            Change::ServiceRemoved => {
                self.services.remove(&number);
                self.told(vec![Event::Remove(name(number))])
            }
        };
        let after = self.services.get(&number).cloned();
        Changed {
            change,
            before,
            after,
            events,
        }
    }

    fn add_service(&mut self, number: u32, endpoints: u32) -> Vec<Event> {
        let service = Service {
            number,
            endpoints: Vec::new(),
        };
        self.services.insert(number, service);
        let entry = ServiceEntry {
            service: Arc::new(self.object(number)),
            revision: 1,
        };
        let mut events = self.told(vec![Event::Replace(entry)]);
        for _ in 0..endpoints {
            events.extend(self.add_endpoint(number));
        }
        events
    }

    fn add_endpoint(&mut self, number: u32) -> Vec<Event> {
        let end = self.next_endpoint;
        self.next_endpoint += 1;
        if let Some(service) = self.services.get_mut(&number) {
            service.endpoints.push(end);
        }
        let events = self.identities(end).map(|identity| Event::Endpoint {
            service: name(number),
            endpoint: endpoint(identity, end),
        });
        let events = events.collect();
        self.told(events)
    }

    fn remove_endpoint(&mut self, number: u32) -> Vec<Event> {
        let service = self.services.get_mut(&number);
        let endpoints = service.map(|service| &mut service.endpoints);
        let Some(end) = endpoints
            .filter(|all| !all.is_empty())
            .map(|all| all.remove(0))
        else {
            return Vec::new();
        };
        let events = self.identities(end).map(|identity| Event::Removed {
            service: name(number),
            identity,
        });
        let events = events.collect();
        self.told(events)
    }

    fn told(&mut self, events: Vec<Event>) -> Vec<Event> {
        for event in &events {
            self.view.apply(event.clone());
        }
        events
    }

    /// One of each family.
    fn identities(&self, end: u32) -> impl Iterator<Item = EndpointIdentity> + use<> {
        let v6: Option<IpAddr> = self.dual.then(|| v6(0x128, end).into());
        let v4 = IpAddr::from(endpoint_ip(end));
        std::iter::once(v4)
            .chain(v6)
            .map(|address| EndpointIdentity {
                addresses: [address].into_iter().collect(),
                ..EndpointIdentity::default()
            })
    }

    fn object(&self, number: u32) -> selectord::model::Service {
        let v6: Option<IpAddr> = self.dual.then(|| v6(0x96, number).into());
        let v4 = IpAddr::from(service_ip(number));
        let port = ServicePort {
            name: "".into(),
            protocol: Protocol::Tcp,
            port: PORT,
            target_port: TargetPort::Number(TARGET_PORT),
            node_port: 0,
            app_protocol: "".into(),
        };
        selectord::model::Service {
            name: name(number),
            cluster_ip: ClusterIp::Ips(std::iter::once(v4).chain(v6).collect()),
            ports: vec![port],
            ..selectord::model::Service::default()
        }
    }
}

fn name(number: u32) -> ObjectName {
    ObjectName::new(NAMESPACE, format!("svc-{number:05}"))
}

fn endpoint(identity: EndpointIdentity, end: u32) -> Endpoint {
    Endpoint {
        identity,
        uid: "".into(),
        ports: EndpointPorts::OfService,
        conditions: Conditions {
            ready: true,
            serving: true,
            terminating: false,
        },
        node: if is_local(end) { NODE } else { "elsewhere" }.into(),
        zone: "".into(),
        hints: Default::default(),
    }
}
