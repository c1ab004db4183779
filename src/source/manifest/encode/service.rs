use std::net::IpAddr;

use serde_json::Value;

use crate::model::{
    ClusterIp, LoadBalancerIp, Revision, Service, ServicePort, ServiceType, TargetPort,
    TrafficPolicy,
};

use super::fields::Fields;
use super::object::Metadata;
use super::selector::service_selector;

/// A v1 Service.
pub fn service(service: &Service, revision: Revision) -> Value {
    let metadata = Metadata {
        annotations: &[(
            "service.kubernetes.io/topology-mode",
            &service.topology_mode,
        )],
        creation_timestamp: &service.creation_timestamp,
        deletion_timestamp: service.deletion_timestamp.as_ref(),
        ..Metadata::new(&service.name, &service.uid, &service.labels, revision)
    };
    let ingress: Vec<Value> = service.load_balancer_ips.iter().map(balancer_ip).collect();
    Fields::new()
        .with("apiVersion", "v1")
        .with("kind", "Service")
        .with("metadata", metadata.json())
        .with("spec", spec(service))
        .with(
            "status",
            Fields::new().with("loadBalancer", Fields::new().with_some("ingress", ingress)),
        )
        .into()
}

fn spec(service: &Service) -> Fields {
    let cluster_ips: Vec<String> = match &service.cluster_ip {
        ClusterIp::Unset => Vec::new(),
        ClusterIp::Headless => vec!["None".to_owned()],
        ClusterIp::Ips(ips) => texts(ips),
    };
    let families: Vec<&str> = service
        .ip_families
        .iter()
        .map(|family| family.as_str())
        .collect();
    let source_ranges: Vec<&str> = service
        .load_balancer_source_ranges
        .iter()
        .map(|range| range.as_str())
        .collect();
    let affinity = service.session_affinity_seconds.map(|seconds| {
        Value::from(Fields::new().with("clientIP", Fields::new().with("timeoutSeconds", seconds)))
    });
    // Kubernetes has the external policy only where traffic can come from outside.
    let outside = matches!(
        service.service_type,
        ServiceType::NodePort | ServiceType::LoadBalancer
    ) || service.external_traffic_policy != TrafficPolicy::Cluster;
    let external_policy = outside.then(|| service.external_traffic_policy.as_str());
    Fields::new()
        .with_some("clusterIP", cluster_ips.first().cloned())
        .with_some("clusterIPs", cluster_ips)
        .with_some("externalIPs", texts(&service.external_ips))
        .with_some("externalName", service.external_name.as_str())
        .with_some("externalTrafficPolicy", external_policy)
        .with_some("healthCheckNodePort", service.health_check_node_port)
        .with(
            "internalTrafficPolicy",
            service.internal_traffic_policy.as_str(),
        )
        .with_some("ipFamilies", families)
        .with_some("loadBalancerSourceRanges", source_ranges)
        .with_some(
            "ports",
            service.ports.iter().map(port).collect::<Vec<Value>>(),
        )
        .with_some(
            "publishNotReadyAddresses",
            service.publish_not_ready_addresses,
        )
        .with_some("selector", service_selector(&service.selector))
        .with(
            "sessionAffinity",
            if affinity.is_some() {
                "ClientIP"
            } else {
                "None"
            },
        )
        .with_some("sessionAffinityConfig", affinity)
        .with_some("trafficDistribution", service.traffic_distribution.as_str())
        .with("type", service.service_type.as_str())
}

fn texts(ips: &[IpAddr]) -> Vec<String> {
    ips.iter().map(ToString::to_string).collect()
}

fn port(port: &ServicePort) -> Value {
    let target: Value = match &port.target_port {
        TargetPort::Number(number) => (*number).into(),
        TargetPort::Name(name) => name.as_str().into(),
    };
    Fields::new()
        .with_some("appProtocol", port.app_protocol.as_str())
        .with_some("name", port.name.as_str())
        .with_some("nodePort", port.node_port)
        .with("port", port.port)
        .with("protocol", port.protocol.as_str())
        .with("targetPort", target)
        .into()
}

fn balancer_ip(address: &LoadBalancerIp) -> Value {
    Fields::new()
        .with("ip", address.ip.to_string())
        .with("ipMode", if address.proxied { "Proxy" } else { "VIP" })
        .into()
}
