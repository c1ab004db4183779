use std::net::IpAddr;

use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::labels::LabelSet;
use crate::selector::Selector;

use super::{EndpointPort, EndpointPorts, IpFamily, ObjectName, Protocol};

/// `spec.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ServiceType {
    /// A virtual IP inside the cluster, or none: the default.
    #[default]
    ClusterIp,
    /// Also a port on every node.
    NodePort,
    /// Also an address outside.
    LoadBalancer,
    /// An alias in DNS: it has no computed endpoints.
    ExternalName,
}

impl ServiceType {
    /// Kubernetes' own word.
    pub fn as_str(self) -> &'static str {
        match self {
            ServiceType::ClusterIp => "ClusterIP",
            ServiceType::NodePort => "NodePort",
            ServiceType::LoadBalancer => "LoadBalancer",
            ServiceType::ExternalName => "ExternalName",
        }
    }

    /// Reads Kubernetes' own spelling; empty is [`ServiceType::ClusterIp`].
    pub fn from_name(name: &str) -> Option<ServiceType> {
        use ServiceType::{ClusterIp, ExternalName, LoadBalancer, NodePort};
        if name.is_empty() {
            return Some(ClusterIp);
        }
        [ClusterIp, NodePort, LoadBalancer, ExternalName]
            .into_iter()
            .find(|t| t.as_str() == name)
    }
}

/// Which pods a service selects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ServiceSelector {
    /// Absent or empty, which are the same on Kubernetes' wire: endpoints are not computed.
    #[default]
    None,
    /// Kubernetes' map of exact pairs; never empty.
    Map(LabelSet),
    /// Ours: any selector. Present and empty, it selects every pod of the namespace.
    Set(Selector),
}

impl ServiceSelector {
    /// The selector that computes endpoints, where there is one.
    pub fn selector(&self) -> Option<Selector> {
        match self {
            ServiceSelector::None => None,
            ServiceSelector::Map(pairs) => Some(Selector::from_pairs(pairs)),
            ServiceSelector::Set(selector) => Some(selector.clone()),
        }
    }
}

/// `spec.clusterIP` and `spec.clusterIPs`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ClusterIp {
    /// Not given.
    #[default]
    Unset,
    /// `None`: a headless service.
    Headless,
    /// One address, or one of each family.
    Ips(SmallVec<[IpAddr; 1]>),
}

/// `spec.ports[].targetPort`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetPort {
    /// The same number on every pod.
    Number(u16),
    /// The container port of this name, looked up in each pod.
    Name(SmolStr),
}

/// One port of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServicePort {
    /// Its name: empty, or a DNS label unique within the service.
    pub name: SmolStr,
    /// Its protocol.
    pub protocol: Protocol,
    /// The port of the virtual IP.
    pub port: u16,
    /// Where pods listen; the port itself where none was given.
    pub target_port: TargetPort,
    /// The port on every node, or 0.
    pub node_port: u16,
    /// The application protocol, or empty.
    pub app_protocol: SmolStr,
}

/// `spec.internalTrafficPolicy` and `spec.externalTrafficPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum TrafficPolicy {
    /// Any endpoint: the default.
    #[default]
    Cluster,
    /// Only endpoints on the node that received the packet.
    Local,
}

impl TrafficPolicy {
    /// Kubernetes' own word.
    pub fn as_str(self) -> &'static str {
        match self {
            TrafficPolicy::Cluster => "Cluster",
            TrafficPolicy::Local => "Local",
        }
    }

    /// Reads Kubernetes' own spelling; empty is [`TrafficPolicy::Cluster`].
    pub fn from_name(name: &str) -> Option<TrafficPolicy> {
        match name {
            "" | "Cluster" => Some(TrafficPolicy::Cluster),
            "Local" => Some(TrafficPolicy::Local),
            _ => None,
        }
    }
}

/// What `spec.trafficDistribution` asks for, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrafficDistribution {
    /// `PreferClose` or `PreferSameZone`: ready endpoints are hinted to their own zone.
    PreferSameZone,
    /// `PreferSameNode`: to their own node as well.
    PreferSameNode,
}

impl TrafficDistribution {
    /// Reads Kubernetes' words; unknown ones ask for nothing.
    pub fn from_name(name: &str) -> Option<TrafficDistribution> {
        match name {
            "PreferClose" | "PreferSameZone" => Some(TrafficDistribution::PreferSameZone),
            "PreferSameNode" => Some(TrafficDistribution::PreferSameNode),
            _ => None,
        }
    }
}

/// An address in `status.loadBalancer.ingress`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LoadBalancerIp {
    /// The address.
    pub ip: IpAddr,
    /// `ipMode: Proxy`: the balancer sends to nodes, not to this address, so a node leaves it alone.
    pub proxied: bool,
}

/// What is kept of a service: every field that decides or uses its endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service {
    /// Namespace and name.
    pub name: ObjectName,
    /// Its UID, or empty.
    pub uid: SmolStr,
    /// Its labels.
    pub labels: LabelSet,
    /// RFC 3339 text, or empty.
    pub creation_timestamp: SmolStr,
    /// RFC 3339 text, while it is being deleted.
    pub deletion_timestamp: Option<SmolStr>,
    /// `spec.type`.
    pub service_type: ServiceType,
    /// Which pods it selects.
    pub selector: ServiceSelector,
    /// Its ports, in the user's order.
    pub ports: Vec<ServicePort>,
    /// Its virtual IPs.
    pub cluster_ip: ClusterIp,
    /// `spec.ipFamilies`.
    pub ip_families: SmallVec<[IpFamily; 2]>,
    /// `spec.externalName`, or empty.
    pub external_name: SmolStr,
    /// `spec.externalIPs`.
    pub external_ips: Vec<IpAddr>,
    /// Addresses a load balancer was given.
    pub load_balancer_ips: Vec<LoadBalancerIp>,
    /// `spec.loadBalancerSourceRanges`: CIDRs as written.
    pub load_balancer_source_ranges: Vec<SmolStr>,
    /// Session affinity ClientIP and its timeout in seconds; none: no affinity.
    pub session_affinity_seconds: Option<u32>,
    /// Who may be reached by traffic from inside.
    pub internal_traffic_policy: TrafficPolicy,
    /// Who may be reached by traffic from outside.
    pub external_traffic_policy: TrafficPolicy,
    /// `spec.healthCheckNodePort`, or 0.
    pub health_check_node_port: u16,
    /// Whether pods that are not ready are published as ready.
    pub publish_not_ready_addresses: bool,
    /// `spec.trafficDistribution` as written, or empty; unknown values are kept and mean nothing.
    pub traffic_distribution: SmolStr,
    /// The topology-mode annotation as written, or empty: for whoever publishes EndpointSlices.
    pub topology_mode: SmolStr,
}

impl Service {
    /// The IP families its endpoints are published for: those listed; else the first virtual IP's;
    /// else both.
    pub fn endpoint_families(&self) -> SmallVec<[IpFamily; 2]> {
        if !self.ip_families.is_empty() {
            return self.ip_families.clone();
        }
        match &self.cluster_ip {
            ClusterIp::Ips(ips) if !ips.is_empty() => {
                ips.iter().take(1).map(IpFamily::of).collect()
            }
            _ => SmallVec::from_slice(&[IpFamily::V4, IpFamily::V6]),
        }
    }

    /// Whether endpoints are computed for it at all: it has a selector and is not an alias.
    pub fn computes_endpoints(&self) -> bool {
        self.service_type != ServiceType::ExternalName && self.selector != ServiceSelector::None
    }

    /// What `trafficDistribution` asks for; unknown words ask for nothing.
    pub fn traffic_distribution(&self) -> Option<TrafficDistribution> {
        TrafficDistribution::from_name(&self.traffic_distribution)
    }

    /// Whether it has a virtual IP, which is what node rules are made for.
    pub fn has_cluster_ip(&self) -> bool {
        self.service_type != ServiceType::ExternalName
            && matches!(&self.cluster_ip, ClusterIp::Ips(ips) if !ips.is_empty())
    }

    /// Whether some target port is a name, so that each pod has to be asked for its number.
    pub fn has_named_target_port(&self) -> bool {
        self.ports
            .iter()
            .any(|p| matches!(p.target_port, TargetPort::Name(_)))
    }

    /// The ports of an EndpointSlice that would hold an endpoint with these `ports`; ports that the
    /// pod does not resolve are left out.
    pub fn endpoint_ports(&self, ports: &EndpointPorts) -> Vec<EndpointPort> {
        let slice_port = |port: &ServicePort, number: u16| EndpointPort {
            name: port.name.clone(),
            number: Some(number),
            protocol: port.protocol,
            app_protocol: port.app_protocol.clone(),
        };
        match ports {
            EndpointPorts::Own(own) => own.to_vec(),
            EndpointPorts::Resolved(numbers) => self
                .ports
                .iter()
                .zip(numbers)
                .filter_map(|(port, number)| number.map(|n| slice_port(port, n.get())))
                .collect(),
            EndpointPorts::OfService => self
                .ports
                .iter()
                .filter_map(|port| match port.target_port {
                    TargetPort::Number(number) => Some(slice_port(port, number)),
                    TargetPort::Name(_) => None,
                })
                .collect(),
        }
    }
}
