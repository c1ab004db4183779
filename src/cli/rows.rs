//! Objects as lines of a table, as names and as Kubernetes' own shapes.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;

use crate::client::{NodeItem, PodItem, ServiceItem};
use crate::engine::ServiceView;
use crate::labels::LabelSet;
use crate::model::{
    ClusterIp, Endpoint, Object, ObjectName, Phase, ReadyCondition, Revision, Service, ServicePort,
    ServiceType,
};
use crate::source::manifest::{endpoint_slices, to_kubernetes};

use super::resource::Resource;
use super::table::or_none;

/// As many endpoints as a narrow table names.
const FEW: usize = 3;

/// One object of a listing.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Pod(PodItem),
    Service(ServiceItem),
    Endpoints {
        service: Arc<Service>,
        endpoints: Vec<Endpoint>,
    },
    Node(NodeItem),
}

/// Which columns a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Shape {
    pub(super) namespace: bool,
    pub(super) wide: bool,
    pub(super) labels: bool,
    /// Names carry their type, because objects of several types are listed.
    pub(super) typed: bool,
}

impl Shape {
    pub(super) fn header(self, resource: Resource) -> Vec<&'static str> {
        let mut header = Vec::new();
        if self.namespace && resource != Resource::Nodes {
            header.push("NAMESPACE");
        }
        header.extend_from_slice(match resource {
            Resource::Pods => &["NAME", "READY", "STATUS", "IP", "NODE"],
            Resource::Services => &[
                "NAME",
                "TYPE",
                "CLUSTER-IP",
                "PORTS",
                "SELECTOR",
                "ENDPOINTS",
            ],
            Resource::Endpoints | Resource::EndpointSlices if self.wide => {
                &["NAME", "ENDPOINTS", "NOT-READY"]
            }
            Resource::Endpoints | Resource::EndpointSlices => &["NAME", "ENDPOINTS"],
            Resource::Nodes => &["NAME", "ZONE", "PODS"],
        });
        if self.wide || self.labels {
            header.push("LABELS");
        }
        header
    }

    pub(super) fn row(self, item: &Item) -> Vec<String> {
        let mut row = Vec::new();
        let name = item.name();
        if self.namespace && !matches!(item, Item::Node(_)) {
            row.push(name.namespace.to_string());
        }
        row.push(if self.typed {
            item.typed_name()
        } else {
            name.name.to_string()
        });
        match item {
            Item::Pod(item) => row.extend(pod_cells(item)),
            Item::Service(item) => row.extend(service_cells(item)),
            Item::Endpoints { service, endpoints } => {
                let (ready, waiting): (Vec<&Endpoint>, Vec<&Endpoint>) = endpoints
                    .iter()
                    .partition(|endpoint| endpoint.conditions.ready);
                row.push(or_none(listed(
                    service,
                    &ready,
                    if self.wide { usize::MAX } else { FEW },
                )));
                if self.wide {
                    row.push(or_none(listed(service, &waiting, usize::MAX)));
                }
            }
            Item::Node(item) => {
                row.push(or_none(item.node.zone().unwrap_or_default()));
                row.push(item.pods.to_string());
            }
        }
        if self.wide || self.labels {
            row.push(or_none(item.labels().to_string()));
        }
        row
    }
}

impl Item {
    /// A service's endpoints as a watcher holds them.
    pub(super) fn of_view(view: &ServiceView) -> Item {
        Item::Endpoints {
            service: view.entry.service.clone(),
            endpoints: view.endpoints.values().cloned().collect(),
        }
    }

    /// A service as a watcher holds it.
    pub(super) fn service_of_view(view: &ServiceView) -> Item {
        let ready = view
            .endpoints
            .values()
            .filter(|endpoint| endpoint.conditions.ready)
            .count();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Item::Service(ServiceItem {
            service: Service::clone(&view.entry.service),
            revision: view.entry.revision,
            endpoints: count(view.endpoints.len()),
            ready_endpoints: count(ready),
        })
    }

    pub(super) fn name(&self) -> ObjectName {
        match self {
            Item::Pod(item) => item.pod.name.clone(),
            Item::Service(item) => item.service.name.clone(),
            Item::Endpoints { service, .. } => service.name.clone(),
            Item::Node(item) => ObjectName::cluster(item.node.name.clone()),
        }
    }

    fn labels(&self) -> &LabelSet {
        match self {
            Item::Pod(item) => &item.pod.labels,
            Item::Service(item) => &item.service.labels,
            Item::Endpoints { service, .. } => &service.labels,
            Item::Node(item) => &item.node.labels,
        }
    }

    /// `pod/rng-a`, as other commands take it.
    pub(super) fn typed_name(&self) -> String {
        let kind = match self {
            Item::Pod(_) => "pod",
            Item::Service(_) => "service",
            Item::Endpoints { .. } => "endpoints",
            Item::Node(_) => "node",
        };
        format!("{kind}/{}", self.name().name)
    }

    /// Kubernetes' own shape: one object, or the slices of one service.
    pub(super) fn values(&self) -> Vec<Value> {
        let one = |object: Object, revision: Revision| vec![to_kubernetes(&object, revision)];
        match self {
            Item::Pod(item) => one(Object::Pod(Box::new(item.pod.clone())), item.revision),
            Item::Service(item) => one(
                Object::Service(Box::new(item.service.clone())),
                item.revision,
            ),
            Item::Node(item) => one(Object::Node(Box::new(item.node.clone())), item.revision),
            Item::Endpoints { service, endpoints } => endpoint_slices(service, endpoints),
        }
    }
}

fn pod_cells(item: &PodItem) -> [String; 4] {
    let pod = &item.pod;
    let ready = match pod.ready {
        ReadyCondition::Absent => "<none>",
        ReadyCondition::True => "True",
        ReadyCondition::False => "False",
        ReadyCondition::Unknown => "Unknown",
    };
    let status = match pod.phase {
        // As in kubectl, an end that is under way outweighs the phase, but an end that has come does not.
        phase if pod.deletion_timestamp.is_some() && !phase.is_terminal() => "Terminating",
        Phase::Succeeded => "Completed",
        phase => phase.as_str(),
    };
    [
        ready.to_owned(),
        or_none(status),
        or_none(joined(pod.pod_ips.iter())),
        or_none(pod.node_name.as_str()),
    ]
}

fn service_cells(item: &ServiceItem) -> [String; 5] {
    let service = &item.service;
    let cluster_ip = match &service.cluster_ip {
        _ if service.service_type == ServiceType::ExternalName => service.external_name.to_string(),
        ClusterIp::Unset => String::new(),
        ClusterIp::Headless => "None".to_owned(),
        ClusterIp::Ips(ips) => joined(ips.iter()),
    };
    let ports: Vec<String> = service.ports.iter().map(port).collect();
    let selector = match service.selector.selector() {
        None => "<none>".to_owned(),
        Some(selector) if selector.is_everything() => "<everything>".to_owned(),
        Some(selector) => selector.to_string(),
    };
    [
        service.service_type.as_str().to_owned(),
        or_none(cluster_ip),
        or_none(ports.join(",")),
        selector,
        format!("{}/{}", item.ready_endpoints, item.endpoints),
    ]
}

fn port(port: &ServicePort) -> String {
    match port.node_port {
        0 => format!("{}/{}", port.port, port.protocol.as_str()),
        node_port => format!("{}:{node_port}/{}", port.port, port.protocol.as_str()),
    }
}

fn joined<'a>(ips: impl Iterator<Item = &'a IpAddr>) -> String {
    ips.map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Addresses and ports, at most `most` of them: `10.1.0.4:80,10.1.0.5:80 + 3 more...`.
pub(super) fn listed(service: &Service, endpoints: &[&Endpoint], most: usize) -> String {
    let mut sockets = endpoints
        .iter()
        .flat_map(|endpoint| sockets(service, endpoint));
    let mut text = sockets.by_ref().take(most).collect::<Vec<_>>().join(",");
    let more = sockets.count();
    if more > 0 {
        text.push_str(&format!(" + {more} more..."));
    }
    text
}

/// Every address of an endpoint with every port, or alone where it has no port.
pub(super) fn sockets(service: &Service, endpoint: &Endpoint) -> Vec<String> {
    let ports = service.endpoint_ports(&endpoint.ports);
    let mut sockets = Vec::new();
    for address in &endpoint.identity.addresses {
        let mut any = false;
        for number in ports.iter().filter_map(|port| port.number) {
            any = true;
            sockets.push(match address {
                IpAddr::V4(v4) => format!("{v4}:{number}"),
                IpAddr::V6(v6) => format!("[{v6}]:{number}"),
            });
        }
        if !any {
            sockets.push(address.to_string());
        }
    }
    sockets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Conditions, EndpointIdentity, EndpointPorts, Hints, Pod, Protocol, ServiceSelector,
        TargetPort,
    };
    use crate::selector::Selector;
    use smol_str::SmolStr;

    fn pod(name: &str) -> Pod {
        Pod {
            name: ObjectName::new("default", name),
            labels: LabelSet::try_from_pairs([("app", "rng")]).unwrap(),
            phase: Phase::Running,
            ready: ReadyCondition::True,
            node_name: "node-1".into(),
            pod_ips: [IpAddr::from([10, 1, 0, 4])].into_iter().collect(),
            ..Pod::default()
        }
    }

    fn cells(shape: Shape, item: &Item) -> String {
        shape.row(item).join(" | ")
    }

    fn service() -> Service {
        Service {
            name: ObjectName::new("default", "rng"),
            selector: ServiceSelector::Set(Selector::parse("app=rng,active!=no").unwrap()),
            ports: vec![ServicePort {
                name: SmolStr::default(),
                protocol: Protocol::Tcp,
                port: 80,
                target_port: TargetPort::Number(8080),
                node_port: 30080,
                app_protocol: SmolStr::default(),
            }],
            cluster_ip: ClusterIp::Ips([IpAddr::from([10, 96, 0, 7])].into_iter().collect()),
            ..Service::default()
        }
    }

    fn endpoint(last: u8, ready: bool) -> Endpoint {
        Endpoint {
            identity: EndpointIdentity {
                addresses: [IpAddr::from([10, 1, 0, last])].into_iter().collect(),
                hostname: SmolStr::default(),
                pod: Some(ObjectName::new("default", format!("rng-{last}"))),
            },
            uid: SmolStr::default(),
            ports: EndpointPorts::OfService,
            conditions: Conditions {
                ready,
                serving: ready,
                terminating: false,
            },
            node: SmolStr::default(),
            zone: SmolStr::default(),
            hints: Hints::default(),
        }
    }

    #[test]
    fn pods() {
        let item = |pod: Pod| Item::Pod(PodItem { pod, revision: 7 });
        let narrow = Shape::default();
        assert_eq!(
            cells(narrow, &item(pod("a"))),
            "a | True | Running | 10.1.0.4 | node-1"
        );
        let all = Shape {
            namespace: true,
            wide: true,
            ..narrow
        };
        assert_eq!(
            all.header(Resource::Pods).join(" "),
            "NAMESPACE NAME READY STATUS IP NODE LABELS"
        );
        assert_eq!(
            cells(all, &item(pod("a"))),
            "default | a | True | Running | 10.1.0.4 | node-1 | app=rng"
        );
        let ending = Pod {
            deletion_timestamp: Some("2026-01-01T00:00:00Z".into()),
            ..pod("a")
        };
        assert_eq!(
            cells(narrow, &item(ending)),
            "a | True | Terminating | 10.1.0.4 | node-1"
        );
        let done = Pod {
            phase: Phase::Succeeded,
            ready: ReadyCondition::Absent,
            ..pod("a")
        };
        assert_eq!(
            cells(narrow, &item(done)),
            "a | <none> | Completed | 10.1.0.4 | node-1"
        );
        let bare = Pod {
            name: ObjectName::new("default", "a"),
            ..Pod::default()
        };
        assert_eq!(
            cells(narrow, &item(bare)),
            "a | <none> | <none> | <none> | <none>"
        );
    }

    #[test]
    fn services() {
        let item = |service| {
            Item::Service(ServiceItem {
                service,
                revision: 7,
                endpoints: 3,
                ready_endpoints: 2,
            })
        };
        assert_eq!(
            cells(Shape::default(), &item(service())),
            "rng | ClusterIP | 10.96.0.7 | 80:30080/TCP | active!=no,app=rng | 2/3"
        );
        let alias = Service {
            service_type: ServiceType::ExternalName,
            external_name: "rng.example".into(),
            selector: ServiceSelector::None,
            ports: vec![],
            ..service()
        };
        assert_eq!(
            cells(Shape::default(), &item(alias)),
            "rng | ExternalName | rng.example | <none> | <none> | 2/3"
        );
    }

    #[test]
    fn endpoints() {
        let item = |endpoints| Item::Endpoints {
            service: Arc::new(service()),
            endpoints,
        };
        let narrow = Shape::default();
        assert_eq!(cells(narrow, &item(vec![])), "rng | <none>");
        assert_eq!(
            cells(
                narrow,
                &item(vec![
                    endpoint(4, true),
                    endpoint(5, false),
                    endpoint(6, true)
                ])
            ),
            "rng | 10.1.0.4:8080,10.1.0.6:8080"
        );
        let many: Vec<Endpoint> = (4..9).map(|last| endpoint(last, true)).collect();
        assert_eq!(
            cells(narrow, &item(many.clone())),
            "rng | 10.1.0.4:8080,10.1.0.5:8080,10.1.0.6:8080 + 2 more..."
        );
        let wide = Shape {
            wide: true,
            ..narrow
        };
        assert_eq!(
            cells(wide, &item(vec![endpoint(4, true), endpoint(5, false)])),
            "rng | 10.1.0.4:8080 | 10.1.0.5:8080 | <none>"
        );
        assert_eq!(
            wide.header(Resource::Endpoints).join(" "),
            "NAME ENDPOINTS NOT-READY LABELS"
        );
    }
}
