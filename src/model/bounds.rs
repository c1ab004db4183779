//! How large the parts of an object may be: whatever a client can make grow has a bound, so that one
//! object is always far smaller than one message.

use std::fmt::Display;

use crate::labels::FieldError;
use crate::selector::{MAX_VALUES, Selector};

use super::text::{is_cidr, is_rfc3339};
use super::{
    ClusterIp, EndpointPort, ManualEndpoint, ManualEndpoints, ManualKind, Node, Object, Pod,
    Service, ServiceSelector,
};

/// Longest UID, in bytes; Kubernetes' own are 36.
const UID: usize = 128;
/// Longest timestamp, in bytes.
const TIMESTAMP: usize = 64;
/// Longest DNS subdomain, in bytes: names of nodes, zones and aliases.
const SUBDOMAIN: usize = 253;
/// Longest DNS label, in bytes: hostnames, subdomains, names of ports.
const LABEL: usize = 63;
/// Longest qualified name, in bytes: a prefix, a slash and a name.
const QUALIFIED: usize = 253 + 1 + 63;
/// Most ports of all containers of a pod.
const CONTAINER_PORTS: usize = 1_000;
/// Most external IPs, load-balancer IPs and source ranges of a service, each.
const ADDRESSES: usize = 1_000;
/// Longest CIDR, in bytes.
const CIDR: usize = 64;
/// Longest session affinity, in seconds: a day (Kubernetes' rule).
const AFFINITY: u32 = 86_400;
/// Most requirements of a selector that stands for long.
const REQUIREMENTS: usize = 256;
/// Most values of one requirement.
const VALUES: usize = 1_024;
/// Most subsets of an Endpoints object.
const SUBSETS: usize = 1_000;
/// Most endpoints of one hand-made object.
const ENDPOINTS: usize = 10_000;
/// Most hints of a kind (Kubernetes: 8).
const HINTS: usize = 8;

/// Adds what is too large in `object` to `errors`.
pub(super) fn check_bounds(errors: &mut Vec<FieldError>, object: &Object) {
    let mut bounds = Bounds { errors };
    match object {
        Object::Pod(pod) => bounds.pod(pod),
        Object::Service(service) => bounds.service(service),
        Object::Node(node) => bounds.node(node),
        Object::Manual(manual) => bounds.manual(manual),
    }
}

struct Bounds<'e> {
    errors: &'e mut Vec<FieldError>,
}

impl Bounds<'_> {
    fn text(&mut self, path: impl Display, text: &str, max: usize) {
        if text.len() > max {
            let detail = format!("must be no more than {max} bytes, is {}", text.len());
            self.errors
                .push(FieldError::invalid(path.to_string(), detail));
        }
    }

    fn list(&mut self, path: impl Display, len: usize, max: usize) {
        if len > max {
            let detail = format!("{len} given, {max} allowed");
            self.errors
                .push(FieldError::too_many(path.to_string(), detail));
        }
    }

    fn timestamp(&mut self, path: &str, text: &str) {
        if text.len() > TIMESTAMP || !(text.is_empty() || is_rfc3339(text)) {
            let detail = "must be a time such as 2024-01-31T12:30:45Z";
            self.errors.push(FieldError::invalid(path, detail));
        }
    }

    fn pod(&mut self, pod: &Pod) {
        self.text("metadata.uid", &pod.uid, UID);
        let deletion = pod.deletion_timestamp.as_deref().unwrap_or_default();
        self.timestamp("metadata.deletionTimestamp", deletion);
        self.list("spec.containers ports", pod.ports.len(), CONTAINER_PORTS);
        for (i, port) in pod.ports.iter().enumerate() {
            self.text(
                format_args!("spec.containers ports[{i}].name"),
                &port.name,
                LABEL,
            );
        }
    }

    fn node(&mut self, node: &Node) {
        self.text("metadata.uid", &node.uid, UID);
    }

    fn service(&mut self, service: &Service) {
        self.text("metadata.uid", &service.uid, UID);
        self.timestamp("metadata.creationTimestamp", &service.creation_timestamp);
        let deletion = service.deletion_timestamp.as_deref().unwrap_or_default();
        self.timestamp("metadata.deletionTimestamp", deletion);
        self.text("spec.externalName", &service.external_name, SUBDOMAIN);
        self.text(
            "spec.trafficDistribution",
            &service.traffic_distribution,
            QUALIFIED,
        );
        self.text("metadata.annotations", &service.topology_mode, QUALIFIED);
        self.list("spec.ipFamilies", service.ip_families.len(), 2);
        if let [first, second] = service.ip_families.as_slice()
            && first == second
        {
            self.errors
                .push(FieldError::duplicate("spec.ipFamilies[1]", second.as_str()));
        }
        if let ClusterIp::Ips(ips) = &service.cluster_ip {
            self.list("spec.clusterIPs", ips.len(), 2);
            if let [first, second] = ips.as_slice()
                && first.is_ipv4() == second.is_ipv4()
            {
                let detail = "must be of the other IP family than the first";
                self.errors
                    .push(FieldError::invalid("spec.clusterIPs[1]", detail));
            }
        }
        self.list("spec.externalIPs", service.external_ips.len(), ADDRESSES);
        self.list(
            "status.loadBalancer.ingress",
            service.load_balancer_ips.len(),
            ADDRESSES,
        );
        let ranges = &service.load_balancer_source_ranges;
        self.list("spec.loadBalancerSourceRanges", ranges.len(), ADDRESSES);
        for (i, range) in ranges.iter().enumerate() {
            let path = format!("spec.loadBalancerSourceRanges[{i}]");
            if range.len() > CIDR || !is_cidr(range) {
                let detail = "must be an address range such as 10.9.8.0/24 or 2001:db8::/64";
                self.errors.push(FieldError::invalid(path, detail));
            }
        }
        for (i, port) in service.ports.iter().enumerate() {
            let path = format!("spec.ports[{i}].appProtocol");
            self.text(path, &port.app_protocol, QUALIFIED);
        }
        if let Some(seconds) = service.session_affinity_seconds
            && !(1..=AFFINITY).contains(&seconds)
        {
            self.errors.push(FieldError::invalid(
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
                format!("must be between 1 and {AFFINITY}, is {seconds}"),
            ));
        }
        if let ServiceSelector::Set(selector) = &service.selector {
            self.selector(selector);
        }
    }

    fn selector(&mut self, selector: &Selector) {
        let requirements = selector.requirements();
        self.list("spec.selector", requirements.len(), REQUIREMENTS);
        self.list("spec.selector", selector.value_count(), MAX_VALUES);
        for requirement in requirements {
            use crate::selector::Requirement::{In, NotIn};
            if let In(key, values) | NotIn(key, values) = requirement {
                self.list(
                    format_args!("spec.selector values of {key}"),
                    values.len(),
                    VALUES,
                );
            }
        }
    }

    fn manual(&mut self, manual: &ManualEndpoints) {
        self.text("metadata.uid", &manual.uid, UID);
        self.text("metadata.labels", &manual.service, LABEL);
        self.list("subsets", manual.subsets.len(), SUBSETS);
        let endpoints = manual
            .subsets
            .iter()
            .map(|subset| subset.endpoints.len())
            .sum();
        self.list("endpoints", endpoints, ENDPOINTS);
        let single = matches!(manual.kind, ManualKind::EndpointSlice);
        for (s, subset) in manual.subsets.iter().enumerate() {
            let at = if single {
                String::new()
            } else {
                format!("subsets[{s}].")
            };
            for (i, port) in subset.ports.iter().enumerate() {
                self.endpoint_port(&format!("{at}ports[{i}]"), port);
            }
            for (i, endpoint) in subset.endpoints.iter().enumerate() {
                self.endpoint(&format!("{at}endpoints[{i}]"), endpoint);
            }
        }
    }

    fn endpoint_port(&mut self, at: &str, port: &EndpointPort) {
        self.text(format_args!("{at}.name"), &port.name, LABEL);
        self.text(
            format_args!("{at}.appProtocol"),
            &port.app_protocol,
            QUALIFIED,
        );
    }

    fn endpoint(&mut self, at: &str, endpoint: &ManualEndpoint) {
        let identity = &endpoint.identity;
        self.text(format_args!("{at}.hostname"), &identity.hostname, LABEL);
        if let Some(pod) = &identity.pod {
            self.text(
                format_args!("{at}.targetRef.namespace"),
                &pod.namespace,
                LABEL,
            );
            self.text(format_args!("{at}.targetRef.name"), &pod.name, SUBDOMAIN);
        }
        self.text(format_args!("{at}.targetRef.uid"), &endpoint.uid, UID);
        self.text(format_args!("{at}.nodeName"), &endpoint.node, SUBDOMAIN);
        self.text(format_args!("{at}.zone"), &endpoint.zone, SUBDOMAIN);
        for (name, hints) in [
            ("forZones", &endpoint.hints.zones),
            ("forNodes", &endpoint.hints.nodes),
        ] {
            self.list(format_args!("{at}.hints.{name}"), hints.len(), HINTS);
            for (i, hint) in hints.iter().enumerate() {
                let path = format!("{at}.hints.{name}[{i}]");
                self.text(path, hint, SUBDOMAIN);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IpFamily, ObjectName};

    fn service() -> Service {
        Service {
            name: ObjectName::new("default", "rng"),
            cluster_ip: ClusterIp::Headless,
            ..Service::default()
        }
    }

    fn faults(service: Service) -> Vec<String> {
        let object = Object::Service(Box::new(service));
        let errors = crate::model::validate(&object);
        errors.into_iter().map(|error| error.path).collect()
    }

    #[test]
    fn a_pods_node_hostname_and_subdomain_are_names() {
        let faults = |pod: Pod| {
            let errors = crate::model::validate(&Object::Pod(Box::new(pod)));
            let paths: Vec<_> = errors.into_iter().map(|error| error.path).collect();
            paths.join(" ")
        };
        let pod = |node: &str, hostname: &str, subdomain: &str| Pod {
            name: ObjectName::new("default", "rng-1"),
            node_name: node.into(),
            hostname: hostname.into(),
            subdomain: subdomain.into(),
            ..Pod::default()
        };
        assert_eq!(faults(pod("", "", "")), "");
        assert_eq!(faults(pod("node-1.example", "rng-1", "rng")), "");
        assert_eq!(
            faults(pod("É", "a b", "a.b")),
            "spec.nodeName spec.hostname spec.subdomain"
        );
        let long = "x".repeat(64);
        assert_eq!(
            faults(pod(&long, &long, &long)),
            "spec.hostname spec.subdomain"
        );
    }

    #[test]
    fn what_a_client_can_make_grow_is_bounded() {
        assert_eq!(faults(service()), [""; 0]);
        let many = Service {
            ip_families: [IpFamily::V4; 3].into_iter().collect(),
            load_balancer_source_ranges: vec!["10.0.0.0/8".into(); ADDRESSES + 1],
            traffic_distribution: "x".repeat(QUALIFIED + 1).into(),
            session_affinity_seconds: Some(AFFINITY + 1),
            ..service()
        };
        assert_eq!(
            faults(many),
            [
                "spec.trafficDistribution",
                "spec.ipFamilies",
                "spec.loadBalancerSourceRanges",
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
            ]
        );
        let twice = Service {
            ip_families: [IpFamily::V6; 2].into_iter().collect(),
            ..service()
        };
        assert_eq!(faults(twice), ["spec.ipFamilies[1]"]);
    }
}
