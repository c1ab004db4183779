//! Which endpoints a service has: the rules one after the other, over all pods.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use selectord::engine::MissingNode;
use selectord::model::{
    ClusterIp, Conditions, ContainerPort, Endpoint, EndpointIdentity, EndpointPorts, Hints,
    IpFamily, ObjectName, Phase, Pod, ReadyCondition, Service, ServicePort, ServiceSelector,
    ServiceType, TargetPort, ZONE_LABEL,
};
use selectord::selector::Selector;
use smallvec::smallvec;
use smol_str::SmolStr;

use super::Oracle;

/// The selector that computes a service's endpoints, unless it is an alias or has none.
pub fn computing_selector(service: &Service) -> Option<Selector> {
    if service.service_type == ServiceType::ExternalName {
        return None;
    }
    match &service.selector {
        ServiceSelector::None => None,
        ServiceSelector::Map(pairs) => Some(Selector::from_pairs(pairs)),
        ServiceSelector::Set(selector) => Some(selector.clone()),
    }
}

impl Oracle {
    /// The endpoints of a service, by identity; none if there is no such service.
    pub fn endpoints(&self, name: &ObjectName) -> Option<&BTreeMap<EndpointIdentity, Endpoint>> {
        self.now().services.get(name).map(|view| &view.endpoints)
    }

    /// Whether a service publishes this pod for its labels' sake.
    pub fn computes(&self, service: &ObjectName, pod: &ObjectName) -> bool {
        self.service(service).is_some_and(|service| {
            self.computed(service)
                .keys()
                .any(|identity| identity.pod.as_ref() == Some(pod))
        })
    }

    pub(super) fn compute(&self, service: &Service) -> BTreeMap<EndpointIdentity, Endpoint> {
        let mut endpoints = self.handmade(service);
        endpoints.extend(self.computed(service));
        endpoints
    }

    fn handmade(&self, service: &Service) -> BTreeMap<EndpointIdentity, Endpoint> {
        let mut endpoints = BTreeMap::new();
        for object in self.manuals() {
            if object.name.namespace != service.name.namespace
                || object.service != service.name.name
            {
                continue;
            }
            for subset in &object.subsets {
                for written in &subset.endpoints {
                    let identity = written.identity.clone();
                    endpoints.entry(identity).or_insert_with(|| Endpoint {
                        identity: written.identity.clone(),
                        uid: written.uid.clone(),
                        ports: EndpointPorts::Own(subset.ports.clone()),
                        conditions: written.conditions,
                        node: written.node.clone(),
                        zone: written.zone.clone(),
                        hints: written.hints.clone(),
                    });
                }
            }
        }
        endpoints
    }

    fn computed(&self, service: &Service) -> BTreeMap<EndpointIdentity, Endpoint> {
        let mut endpoints = BTreeMap::new();
        let Some(selector) = computing_selector(service) else {
            return endpoints;
        };
        for (pod, _) in self.pods() {
            let selected =
                pod.name.namespace == service.name.namespace && selector.matches(&pod.labels);
            if !selected || matches!(pod.phase, Phase::Succeeded | Phase::Failed) {
                continue;
            }
            if self.node(&pod.node_name).is_none()
                && self.missing_node == MissingNode::Withhold
                && !service.publish_not_ready_addresses
            {
                continue;
            }
            for family in families(service) {
                if let Some(endpoint) = self.endpoint(service, pod, family) {
                    endpoints.insert(endpoint.identity.clone(), endpoint);
                }
            }
        }
        endpoints
    }

    fn endpoint(&self, service: &Service, pod: &Pod, family: IpFamily) -> Option<Endpoint> {
        let address = pod
            .pod_ips
            .iter()
            .find(|ip| ip.is_ipv4() == (family == IpFamily::V4))?;
        let hostname = if !pod.hostname.is_empty() && pod.subdomain == service.name.name {
            pod.hostname.clone()
        } else {
            SmolStr::default()
        };
        let conditions = conditions(service, pod);
        let zone = self.zone(&pod.node_name);
        let mut hints = Hints::default();
        if conditions.ready && !matches!(service.topology_mode.as_str(), "Auto" | "auto") {
            let (zones, nodes) = match service.traffic_distribution.as_str() {
                "PreferClose" | "PreferSameZone" => (true, false),
                "PreferSameNode" => (true, true),
                _ => (false, false),
            };
            if zones && !zone.is_empty() {
                hints.zones.push(zone.clone());
            }
            if nodes && !pod.node_name.is_empty() {
                hints.nodes.push(pod.node_name.clone());
            }
        }
        Some(Endpoint {
            identity: EndpointIdentity {
                addresses: smallvec![*address],
                hostname,
                pod: Some(pod.name.clone()),
            },
            uid: pod.uid.clone(),
            ports: ports(service, pod),
            conditions,
            node: pod.node_name.clone(),
            zone,
            hints,
        })
    }

    /// The zone label of a node, empty if there is no such node or label.
    fn zone(&self, node: &str) -> SmolStr {
        let label = self.node(node).and_then(|node| node.labels.get(ZONE_LABEL));
        label
            .map(|zone| SmolStr::new(zone.as_str()))
            .unwrap_or_default()
    }
}

/// Those listed; else that of the cluster IP; else both.
fn families(service: &Service) -> Vec<IpFamily> {
    if !service.ip_families.is_empty() {
        return service.ip_families.to_vec();
    }
    match &service.cluster_ip {
        ClusterIp::Ips(ips) if ips.first().is_some_and(|ip| ip.is_ipv4()) => vec![IpFamily::V4],
        ClusterIp::Ips(ips) if !ips.is_empty() => vec![IpFamily::V6],
        _ => vec![IpFamily::V4, IpFamily::V6],
    }
}

/// The table, row by row: published though not ready, ready, being deleted.
fn conditions(service: &Service, pod: &Pod) -> Conditions {
    let published = service.publish_not_ready_addresses;
    let ready = pod.ready == ReadyCondition::True;
    let deleted = pod.deletion_timestamp.is_some();
    let (ready, serving, terminating) = match (published, ready, deleted) {
        (false, true, false) => (true, true, false),
        (false, false, false) => (false, false, false),
        (false, true, true) => (false, true, true),
        (false, false, true) => (false, false, true),
        (true, true, false) => (true, true, false),
        (true, false, false) => (true, false, false),
        (true, true, true) => (true, true, true),
        (true, false, true) => (true, false, true),
    };
    Conditions {
        ready,
        serving,
        terminating,
    }
}

fn ports(service: &Service, pod: &Pod) -> EndpointPorts {
    let named = |port: &ServicePort| matches!(port.target_port, TargetPort::Name(_));
    if !service.ports.iter().any(named) {
        return EndpointPorts::OfService;
    }
    EndpointPorts::Resolved(
        service
            .ports
            .iter()
            .map(|port| resolve(port, pod))
            .collect(),
    )
}

fn resolve(port: &ServicePort, pod: &Pod) -> Option<NonZeroU16> {
    let name = match &port.target_port {
        TargetPort::Number(number) => return NonZeroU16::new(*number),
        TargetPort::Name(name) => name,
    };
    let fits =
        |candidate: &&ContainerPort| candidate.name == *name && candidate.protocol == port.protocol;
    let ordinary = pod
        .ports
        .iter()
        .filter(|candidate| !candidate.sidecar)
        .find(fits);
    let found = ordinary.or_else(|| {
        pod.ports
            .iter()
            .filter(|candidate| candidate.sidecar)
            .find(fits)
    });
    NonZeroU16::new(found?.number)
}
