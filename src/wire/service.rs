//! Services and nodes.

use crate::labels::FieldError;
use crate::model::{
    ClusterIp, LoadBalancerIp, Node, ObjectName, Service, ServicePort, ServiceSelector,
    ServiceType, TargetPort, TrafficPolicy,
};

use super::faults::{Decoded, Faults, port_number};
use super::labels::{decode_labels, decode_selector, encode_labels, encode_selector};
use super::name::{
    decode_family, decode_ip, decode_protocol, encode_family, encode_protocol, unknown_number,
};
use super::pod::{optional, text};
use super::proto;
use super::proto::service::{TrafficPolicy as WirePolicy, Type};
use super::proto::service_port::TargetPort as WireTarget;

/// The one value of `cluster_ips` that is not an address.
const HEADLESS: &str = "None";

/// A service, whole.
pub fn encode_service(service: &Service) -> proto::Service {
    let (selector, set_selector) = match &service.selector {
        ServiceSelector::None => (Vec::new(), None),
        ServiceSelector::Map(pairs) => (encode_labels(pairs), None),
        ServiceSelector::Set(selector) => (Vec::new(), encode_selector(selector)),
    };
    proto::Service {
        namespace: service.name.namespace.to_string(),
        name: service.name.name.to_string(),
        uid: service.uid.to_string(),
        labels: encode_labels(&service.labels),
        creation_timestamp: service.creation_timestamp.to_string(),
        deletion_timestamp: text(service.deletion_timestamp.as_ref()),
        r#type: encode_type(service.service_type).into(),
        selector,
        set_selector,
        ports: service.ports.iter().map(encode_port).collect(),
        cluster_ips: match &service.cluster_ip {
            ClusterIp::Unset => Vec::new(),
            ClusterIp::Headless => vec![HEADLESS.to_owned()],
            ClusterIp::Ips(ips) => ips.iter().map(ToString::to_string).collect(),
        },
        ip_families: service
            .ip_families
            .iter()
            .map(|family| encode_family(*family))
            .collect(),
        external_name: service.external_name.to_string(),
        external_ips: service
            .external_ips
            .iter()
            .map(ToString::to_string)
            .collect(),
        load_balancer_ips: service
            .load_balancer_ips
            .iter()
            .map(|balancer| proto::LoadBalancerIp {
                ip: balancer.ip.to_string(),
                proxied: balancer.proxied,
            })
            .collect(),
        load_balancer_source_ranges: service
            .load_balancer_source_ranges
            .iter()
            .map(ToString::to_string)
            .collect(),
        session_affinity_seconds: service.session_affinity_seconds.unwrap_or_default(),
        internal_traffic_policy: encode_policy(service.internal_traffic_policy).into(),
        external_traffic_policy: encode_policy(service.external_traffic_policy).into(),
        health_check_node_port: service.health_check_node_port.into(),
        publish_not_ready_addresses: service.publish_not_ready_addresses,
        traffic_distribution: service.traffic_distribution.to_string(),
        topology_mode: service.topology_mode.to_string(),
    }
}

/// A service, as it stands: [`super::decode_transaction`] also asks the rules for entering a transaction.
///
/// # Errors
/// Every field that cannot be what it says.
pub fn decode_service(service: proto::Service) -> Decoded<Service> {
    let mut faults = Faults::default();
    let decoded = Service {
        name: ObjectName::new(service.namespace, service.name),
        uid: service.uid.into(),
        labels: faults.part("labels", decode_labels(&service.labels)),
        creation_timestamp: service.creation_timestamp.into(),
        deletion_timestamp: optional(service.deletion_timestamp),
        service_type: faults.part("type", decode_type(service.r#type)),
        selector: decode_service_selector(
            &mut faults,
            &service.selector,
            service.set_selector.as_ref(),
        ),
        ports: faults.list("ports", service.ports, decode_port),
        cluster_ip: decode_cluster_ip(&mut faults, &service.cluster_ips),
        ip_families: faults.list("ip_families", service.ip_families, decode_family),
        external_name: service.external_name.into(),
        external_ips: faults.list("external_ips", service.external_ips, decode_ip),
        load_balancer_ips: faults.list(
            "load_balancer_ips",
            service.load_balancer_ips,
            decode_balancer,
        ),
        load_balancer_source_ranges: service
            .load_balancer_source_ranges
            .into_iter()
            .map(Into::into)
            .collect(),
        session_affinity_seconds: Some(service.session_affinity_seconds)
            .filter(|seconds| *seconds > 0),
        internal_traffic_policy: faults.part(
            "internal_traffic_policy",
            decode_policy(service.internal_traffic_policy),
        ),
        external_traffic_policy: faults.part(
            "external_traffic_policy",
            decode_policy(service.external_traffic_policy),
        ),
        health_check_node_port: faults.part(
            "health_check_node_port",
            port_number(service.health_check_node_port),
        ),
        publish_not_ready_addresses: service.publish_not_ready_addresses,
        traffic_distribution: service.traffic_distribution.into(),
        topology_mode: service.topology_mode.into(),
    };
    faults.finish(decoded)
}

fn decode_service_selector(
    faults: &mut Faults,
    pairs: &[proto::Label],
    set: Option<&proto::Selector>,
) -> ServiceSelector {
    let pairs = faults.part("selector", decode_labels(pairs));
    match faults.part("set_selector", decode_selector(set)) {
        None if pairs.is_empty() => ServiceSelector::None,
        None => ServiceSelector::Map(pairs),
        Some(selector) => {
            if !pairs.is_empty() {
                faults.push(FieldError::forbidden(
                    "set_selector",
                    "may not be given together with `selector`",
                ));
            }
            ServiceSelector::Set(selector)
        }
    }
}

fn decode_cluster_ip(faults: &mut Faults, ips: &[String]) -> ClusterIp {
    match ips {
        [] => ClusterIp::Unset,
        [only] if only == HEADLESS => ClusterIp::Headless,
        ips => ClusterIp::Ips(faults.list("cluster_ips", ips, decode_ip)),
    }
}

fn encode_port(port: &ServicePort) -> proto::ServicePort {
    proto::ServicePort {
        name: port.name.to_string(),
        protocol: encode_protocol(port.protocol),
        port: port.port.into(),
        target_port: Some(match &port.target_port {
            TargetPort::Number(number) => WireTarget::TargetNumber((*number).into()),
            TargetPort::Name(name) => WireTarget::TargetName(name.to_string()),
        }),
        node_port: port.node_port.into(),
        app_protocol: port.app_protocol.to_string(),
    }
}

fn decode_port(port: proto::ServicePort) -> Decoded<ServicePort> {
    let mut faults = Faults::default();
    let number = faults.part("port", port_number(port.port));
    let decoded = ServicePort {
        name: port.name.into(),
        protocol: faults.part("protocol", decode_protocol(port.protocol)),
        port: number,
        target_port: match port.target_port {
            None => TargetPort::Number(number),
            Some(WireTarget::TargetNumber(target)) => {
                TargetPort::Number(faults.part("target_number", port_number(target)))
            }
            Some(WireTarget::TargetName(name)) => TargetPort::Name(name.into()),
        },
        node_port: faults.part("node_port", port_number(port.node_port)),
        app_protocol: port.app_protocol.into(),
    };
    faults.finish(decoded)
}

fn decode_balancer(balancer: proto::LoadBalancerIp) -> Decoded<LoadBalancerIp> {
    match decode_ip(&balancer.ip) {
        Ok(ip) => Ok(LoadBalancerIp {
            ip,
            proxied: balancer.proxied,
        }),
        Err(faults) => Err(faults.into_iter().map(|fault| fault.under("ip")).collect()),
    }
}

fn encode_type(service_type: ServiceType) -> Type {
    match service_type {
        ServiceType::ClusterIp => Type::ClusterIp,
        ServiceType::NodePort => Type::NodePort,
        ServiceType::LoadBalancer => Type::LoadBalancer,
        ServiceType::ExternalName => Type::ExternalName,
    }
}

fn decode_type(number: i32) -> Decoded<ServiceType> {
    match Type::try_from(number) {
        Ok(Type::Unspecified | Type::ClusterIp) => Ok(ServiceType::ClusterIp),
        Ok(Type::NodePort) => Ok(ServiceType::NodePort),
        Ok(Type::LoadBalancer) => Ok(ServiceType::LoadBalancer),
        Ok(Type::ExternalName) => Ok(ServiceType::ExternalName),
        Err(_) => unknown_number(number),
    }
}

fn encode_policy(policy: TrafficPolicy) -> WirePolicy {
    match policy {
        TrafficPolicy::Cluster => WirePolicy::Cluster,
        TrafficPolicy::Local => WirePolicy::Local,
    }
}

fn decode_policy(number: i32) -> Decoded<TrafficPolicy> {
    match WirePolicy::try_from(number) {
        Ok(WirePolicy::Unspecified | WirePolicy::Cluster) => Ok(TrafficPolicy::Cluster),
        Ok(WirePolicy::Local) => Ok(TrafficPolicy::Local),
        Err(_) => unknown_number(number),
    }
}

/// A node, whole.
pub fn encode_node(node: &Node) -> proto::Node {
    proto::Node {
        name: node.name.to_string(),
        uid: node.uid.to_string(),
        labels: encode_labels(&node.labels),
    }
}

/// A node, as it stands.
///
/// # Errors
/// Labels that are not legal.
pub fn decode_node(node: proto::Node) -> Decoded<Node> {
    let mut faults = Faults::default();
    let labels = faults.part("labels", decode_labels(&node.labels));
    faults.finish(Node {
        name: node.name.into(),
        uid: node.uid.into(),
        labels,
    })
}
