//! The rules an object meets before it may enter a transaction: Kubernetes' own where it has one.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::labels::{FieldError, is_dns_label, is_subdomain};

use super::bounds::check_bounds;
use super::{Kind, ManualEndpoints, Object, Pod, Service, ServicePort, ServiceType, TargetPort};

/// Longest name of a namespaced object or a node, in bytes (Kubernetes: a DNS subdomain).
const MAX_NAME: usize = 253;
/// Longest namespace name, in bytes (Kubernetes: a DNS label).
const MAX_LABEL: usize = 63;
/// Most ports of a service or a slice; Kubernetes allows 100 for a slice.
const MAX_PORTS: usize = 100;
/// Most endpoints of one slice or one subset; Kubernetes allows 1,000 for a slice.
const MAX_ENDPOINTS: usize = 1_000;
/// Most addresses of one endpoint (Kubernetes: 100).
const MAX_ADDRESSES: usize = 100;
/// Most addresses of a pod: one of each family.
const MAX_POD_IPS: usize = 2;
/// Longest name of a container port, in bytes, hence of a named target port.
const MAX_PORT_NAME: usize = 15;

/// Every rule that `object` breaks, each with the path of the field. Linear in the object's size.
pub fn validate(object: &Object) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let (kind, namespace, name) = object.key();
    // A service's name is a DNS label, and a label value of its slices.
    let (longest, dots) = match kind {
        Kind::Service => (MAX_LABEL, false),
        _ => (MAX_NAME, true),
    };
    check_name(&mut errors, "metadata.name", name, longest, dots);
    if kind.is_namespaced() {
        check_name(
            &mut errors,
            "metadata.namespace",
            namespace,
            MAX_LABEL,
            false,
        );
    }
    match object {
        Object::Pod(pod) => check_pod(&mut errors, pod),
        Object::Service(service) => check_service(&mut errors, service),
        Object::Node(_) => {}
        Object::Manual(manual) => check_manual(&mut errors, manual),
    }
    check_bounds(&mut errors, object);
    errors
}

fn check_name(errors: &mut Vec<FieldError>, path: &str, name: &str, max: usize, dots: bool) {
    if name.is_empty() {
        errors.push(FieldError::required(path, "every object needs one"));
    } else if name.len() > max {
        errors.push(FieldError::invalid(
            path,
            format!("must be no more than {max} bytes, is {}", name.len()),
        ));
    } else if !(if dots {
        is_subdomain(name)
    } else {
        is_dns_label(name)
    }) {
        let detail = if dots {
            "must be lower-case letters, digits, '-' or '.', and start and end with a letter or digit, as in 'rng-7d9f.example'"
        } else {
            "must be lower-case letters, digits or '-', and start and end with a letter or digit, as in 'my-name'"
        };
        errors.push(FieldError::invalid(path, format!("{name:?} {detail}")));
    }
}

/// The IANA service name that Kubernetes asks of a named port.
fn is_port_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_PORT_NAME
        && is_dns_label(name)
        && name.bytes().any(|b| b.is_ascii_lowercase())
        && !name.contains("--")
}

fn check_pod(errors: &mut Vec<FieldError>, pod: &Pod) {
    for (path, name, max, dots) in [
        ("spec.nodeName", &pod.node_name, MAX_NAME, true),
        ("spec.hostname", &pod.hostname, MAX_LABEL, false),
        ("spec.subdomain", &pod.subdomain, MAX_LABEL, false),
    ] {
        if !name.is_empty() {
            check_name(errors, path, name, max, dots);
        }
    }
    let ips = &pod.pod_ips;
    let same_family = |a: &IpAddr, b: &IpAddr| a.is_ipv4() == b.is_ipv4();
    if ips.len() > MAX_POD_IPS || matches!(ips.as_slice(), [a, b] if same_family(a, b)) {
        errors.push(FieldError::invalid(
            "status.podIPs",
            "may hold no more than one address of each IP family",
        ));
    }
    for (i, port) in pod.ports.iter().enumerate() {
        if port.number == 0 {
            errors.push(FieldError::invalid(
                format!("spec.containers ports[{i}].containerPort"),
                "must be between 1 and 65535",
            ));
        }
    }
}

fn check_service(errors: &mut Vec<FieldError>, service: &Service) {
    let headless = service.cluster_ip == super::ClusterIp::Headless;
    let alias = service.service_type == ServiceType::ExternalName;
    if service.ports.is_empty() && !headless && !alias {
        errors.push(FieldError::required(
            "spec.ports",
            "a service that is neither headless nor of type ExternalName needs a port",
        ));
    }
    if service.ports.len() > MAX_PORTS {
        errors.push(FieldError::too_many(
            "spec.ports",
            format!("{} given, {MAX_PORTS} allowed", service.ports.len()),
        ));
    }
    if alias && service.external_name.is_empty() {
        errors.push(FieldError::required(
            "spec.externalName",
            "a service of type ExternalName needs one",
        ));
    }
    let mut names = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    for (i, port) in service.ports.iter().enumerate() {
        let at = |field: &str| format!("spec.ports[{i}].{field}");
        check_service_port(errors, &at, port);
        if port.name.is_empty() {
            if service.ports.len() > 1 {
                errors.push(FieldError::required(
                    at("name"),
                    "every port needs a name when there is more than one",
                ));
            }
        } else if !names.insert(&port.name) {
            errors.push(FieldError::duplicate(
                at("name"),
                format!("{:?}", port.name),
            ));
        }
        if !numbers.insert((port.protocol, port.port)) {
            errors.push(FieldError::duplicate(
                at("port"),
                format!("{}/{}", port.port, port.protocol.as_str()),
            ));
        }
    }
}

fn check_service_port(
    errors: &mut Vec<FieldError>,
    at: &dyn Fn(&str) -> String,
    port: &ServicePort,
) {
    if !port.name.is_empty() && (port.name.len() > MAX_LABEL || !is_dns_label(&port.name)) {
        errors.push(FieldError::invalid(
            at("name"),
            format!(
                "{:?} must be a DNS label: at most 63 lower-case letters, digits or '-'",
                port.name
            ),
        ));
    }
    if port.port == 0 {
        errors.push(FieldError::invalid(
            at("port"),
            "must be between 1 and 65535",
        ));
    }
    match &port.target_port {
        TargetPort::Number(0) => errors.push(FieldError::invalid(at("targetPort"), "must be between 1 and 65535")),
        TargetPort::Name(name) if !is_port_name(name) => errors.push(FieldError::invalid(
            at("targetPort"),
            format!("{name:?} must be at most 15 lower-case letters, digits or '-', with a letter, and '-' neither first, last nor doubled"),
        )),
        _ => {}
    }
}

fn check_manual(errors: &mut Vec<FieldError>, manual: &ManualEndpoints) {
    if manual.service.is_empty() {
        errors.push(FieldError::required(
            "metadata.labels",
            "the label kubernetes.io/service-name must name the service the endpoints are for",
        ));
    }
    let single = matches!(manual.kind, super::ManualKind::EndpointSlice);
    for (i, subset) in manual.subsets.iter().enumerate() {
        let at = if single {
            String::new()
        } else {
            format!("subsets[{i}].")
        };
        if subset.ports.len() > MAX_PORTS {
            errors.push(FieldError::too_many(
                format!("{at}ports"),
                format!("{} given, {MAX_PORTS} allowed", subset.ports.len()),
            ));
        }
        if single && subset.endpoints.len() > MAX_ENDPOINTS {
            errors.push(FieldError::too_many(
                format!("{at}endpoints"),
                format!("{} given, {MAX_ENDPOINTS} allowed", subset.endpoints.len()),
            ));
        }
        let mut names = BTreeSet::new();
        for (p, port) in subset.ports.iter().enumerate() {
            if !names.insert(&port.name) {
                errors.push(FieldError::duplicate(
                    format!("{at}ports[{p}].name"),
                    format!("{:?}", port.name),
                ));
            }
        }
        for (e, endpoint) in subset.endpoints.iter().enumerate() {
            let path = format!("{at}endpoints[{e}].addresses");
            let addresses = &endpoint.identity.addresses;
            if addresses.is_empty() {
                errors.push(FieldError::required(
                    path,
                    "an endpoint needs at least one address",
                ));
            } else if addresses.len() > MAX_ADDRESSES {
                errors.push(FieldError::too_many(
                    path,
                    format!("{} given, {MAX_ADDRESSES} allowed", addresses.len()),
                ));
            } else if let Some(bad) = addresses.iter().find(|ip| !is_endpoint_address(ip)) {
                errors.push(FieldError::invalid(
                    path,
                    format!(
                        "{bad} may not be an unspecified, loopback, link-local or multicast address"
                    ),
                ));
            } else if addresses
                .iter()
                .any(|ip| ip.is_ipv4() != addresses.iter().all(IpAddr::is_ipv4))
            {
                errors.push(FieldError::invalid(path, "must all be of one IP family"));
            }
        }
    }
}

fn is_endpoint_address(ip: &IpAddr) -> bool {
    let link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !(ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || link_local)
}
