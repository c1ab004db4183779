use std::net::IpAddr;

use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::labels::FieldErrorKind;
use crate::model::{
    ClusterIp, IpFamily, LoadBalancerIp, Service, ServicePort, ServiceType, TargetPort,
    TrafficPolicy,
};
use crate::source::manifest::syntax::plain::Reading;

use super::{Field, Metadata};

/// How long a client keeps its endpoint unless a service says otherwise, in seconds.
const DEFAULT_AFFINITY_SECONDS: u32 = 10_800;
/// The longest it may say: a day.
const MAX_AFFINITY_SECONDS: i64 = 86_400;
/// Kubernetes' annotations for topology hints; the first one there counts.
const TOPOLOGY_ANNOTATIONS: [&str; 2] = [
    "service.kubernetes.io/topology-aware-hints",
    "service.kubernetes.io/topology-mode",
];
/// What stands in place of a cluster IP in a headless service.
const HEADLESS: &str = "None";

/// A v1 Service.
pub fn service(object: &Field<'_>, metadata: Metadata) -> Service {
    let spec = object.get("spec");
    let policy = |field: &str| {
        spec.get(field)
            .choice(TrafficPolicy::from_name, &["Cluster", "Local"])
    };
    let balancer = object.get("status");
    let balancer = balancer.get("loadBalancer");
    let topology_mode = TOPOLOGY_ANNOTATIONS
        .iter()
        .find_map(|key| metadata.annotation(key))
        .cloned();
    Service {
        service_type: spec.get("type").choice(
            ServiceType::from_name,
            &["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"],
        ),
        selector: spec.get("selector").service_selector(),
        ports: spec
            .get("ports")
            .items()
            .map(|port| service_port(&port))
            .collect(),
        cluster_ip: cluster_ip(&spec),
        ip_families: ip_families(&spec.get("ipFamilies")),
        external_name: spec.get("externalName").text(),
        external_ips: spec.get("externalIPs").ips(),
        load_balancer_ips: balancer
            .get("ingress")
            .items()
            .filter_map(|entry| balancer_ip(&entry))
            .collect(),
        load_balancer_source_ranges: spec
            .get("loadBalancerSourceRanges")
            .items()
            .filter_map(|range| range.cidr())
            .collect(),
        session_affinity_seconds: session_affinity(&spec),
        internal_traffic_policy: policy("internalTrafficPolicy"),
        external_traffic_policy: policy("externalTrafficPolicy"),
        health_check_node_port: spec.get("healthCheckNodePort").optional_port(),
        publish_not_ready_addresses: spec.get("publishNotReadyAddresses").flag(),
        traffic_distribution: spec.get("trafficDistribution").text(),
        topology_mode: topology_mode.unwrap_or_default(),
        name: metadata.name,
        uid: metadata.uid,
        labels: metadata.labels,
        creation_timestamp: metadata.creation_timestamp,
        deletion_timestamp: metadata.deletion_timestamp,
    }
}

fn service_port(field: &Field<'_>) -> ServicePort {
    let port = field.get("port").required_port();
    ServicePort {
        name: field.get("name").text(),
        protocol: field.get("protocol").protocol(),
        port,
        target_port: field
            .get("targetPort")
            .target_port()
            .unwrap_or(TargetPort::Number(port)),
        node_port: field.get("nodePort").optional_port(),
        app_protocol: field.get("appProtocol").text(),
    }
}

impl Field<'_> {
    /// A port number, or 0 where there is none.
    fn optional_port(&self) -> u16 {
        self.integer(0, i64::from(u16::MAX))
            .and_then(|n| u16::try_from(n).ok())
            .unwrap_or_default()
    }

    /// A number, or in text a name; nothing, 0 and empty text leave it to the port.
    fn target_port(&self) -> Option<TargetPort> {
        let (text, reading) = self.scalar()?;
        if matches!(reading, Reading::Number | Reading::Boolean(_)) {
            return Some(self.optional_port())
                .filter(|number| *number > 0)
                .map(TargetPort::Number);
        }
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            self.invalid(format!("\"{text}\" in quotes is the name of a container port, not a number; write {text} without quotes"));
            return None;
        }
        Some(text.clone())
            .filter(|name| !name.is_empty())
            .map(TargetPort::Name)
    }
}

/// `clusterIPs`, else `clusterIP`, which is the first of them.
fn cluster_ip(spec: &Field<'_>) -> ClusterIp {
    let first = spec.get("clusterIP");
    let list = spec.get("clusterIPs");
    let texts: Vec<SmolStr> = list.items().map(|ip| ip.required_text()).collect();
    let primary = first.text();
    let Some(listed) = texts.first() else {
        return match primary.as_str() {
            "" => ClusterIp::Unset,
            HEADLESS => ClusterIp::Headless,
            _ => first.ip().map_or(ClusterIp::Unset, |ip| {
                ClusterIp::Ips(SmallVec::from_slice(&[ip]))
            }),
        };
    };
    if !primary.is_empty() && primary != *listed {
        list.invalid(format!(
            "the first must be clusterIP, which is {primary:?}, and is {listed:?}"
        ));
    }
    if texts.iter().any(|text| text == HEADLESS) {
        if texts.len() > 1 {
            list.invalid("None must stand alone: it makes the service headless");
        }
        return ClusterIp::Headless;
    }
    let ips: SmallVec<[IpAddr; 1]> = list.items().filter_map(|ip| ip.ip()).collect();
    if ips.len() > 2 || matches!(ips.as_slice(), [a, b] if IpFamily::of(a) == IpFamily::of(b)) {
        list.invalid("may hold no more than one address of each IP family");
    }
    ClusterIp::Ips(ips)
}

fn ip_families(list: &Field<'_>) -> SmallVec<[IpFamily; 2]> {
    let mut families = SmallVec::new();
    for item in list.items() {
        let Some(family) = item.ip_family() else {
            continue;
        };
        if families.contains(&family) {
            item.refuse(FieldErrorKind::Duplicate, family.as_str());
        } else {
            families.push(family);
        }
    }
    families
}

/// An ingress that is only a name has no address to keep.
fn balancer_ip(entry: &Field<'_>) -> Option<LoadBalancerIp> {
    let proxied = match entry.get("ipMode").text().as_str() {
        "" | "VIP" => false,
        "Proxy" => true,
        other => {
            entry.get("ipMode").not_supported(other, &["VIP", "Proxy"]);
            false
        }
    };
    entry
        .get("ip")
        .ip()
        .map(|ip| LoadBalancerIp { ip, proxied })
}

fn session_affinity(spec: &Field<'_>) -> Option<u32> {
    let affinity = spec.get("sessionAffinity");
    match affinity.text().as_str() {
        "" | "None" => None,
        "ClientIP" => {
            let config = spec.get("sessionAffinityConfig");
            let client = config.get("clientIP");
            let seconds = client
                .get("timeoutSeconds")
                .integer(1, MAX_AFFINITY_SECONDS);
            Some(
                seconds
                    .and_then(|n| u32::try_from(n).ok())
                    .unwrap_or(DEFAULT_AFFINITY_SECONDS),
            )
        }
        other => {
            affinity.not_supported(other, &["None", "ClientIP"]);
            None
        }
    }
}
