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
use super::sockets::{listed, selector_of};
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
    [
        service.service_type.as_str().to_owned(),
        or_none(cluster_ip),
        or_none(ports.join(",")),
        selector_of(service),
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

#[cfg(test)]
mod tests;
