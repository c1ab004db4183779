//! Field paths: the model's rules speak in Kubernetes' own, a gRPC client in those of the message
//! it sent.

use crate::labels::FieldError;
use crate::model::Kind;

/// Prefixes that the messages do without: their fields stand side by side.
const NESTING: [&str; 3] = ["metadata.", "spec.", "status."];
/// Fields that have another name or place in the messages than in Kubernetes' objects.
const RENAMED: [(&str, &str); 13] = [
    ("containers ports", "ports"),
    ("containerPort", "number"),
    ("annotations", "topologyMode"),
    ("loadBalancer.ingress", "loadBalancerIPs"),
    (
        "sessionAffinityConfig.clientIP.timeoutSeconds",
        "sessionAffinitySeconds",
    ),
    ("selector", "setSelector"),
    ("].addresses", "].identity.addresses"),
    ("].hostname", "].identity.hostname"),
    ("].targetRef.namespace", "].identity.podNamespace"),
    ("].targetRef.name", "].identity.podName"),
    ("].targetRef.uid", "].uidText"),
    ("].hints.forZones", "].zoneHints"),
    ("].hints.forNodes", "].nodeHints"),
];

/// A fault of an object of `kind`, with its Kubernetes path turned into the path of the message.
pub(super) fn in_proto_terms(mut fault: FieldError, kind: Kind) -> FieldError {
    let path = fault.path.as_str();
    let path = NESTING
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix))
        .unwrap_or(path);
    let in_slice =
        kind == Kind::EndpointSlice && (path.starts_with("ports") || path.starts_with("endpoints"));
    let path = match (kind, path) {
        (Kind::Endpoints | Kind::EndpointSlice, "labels") => "service".to_owned(),
        (Kind::Endpoints, "endpoints") => "subsets".to_owned(),
        (_, path) if in_slice => format!("subsets[0].{path}"),
        // What follows names a label key, which is not a field.
        (_, path) => path
            .split(" values of ")
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    let renamed = RENAMED
        .iter()
        .fold(path, |path, (from, to)| path.replace(from, to));
    fault.path = snake_case(&renamed);
    fault
}

/// `podIPs` as `pod_ips`.
fn snake_case(path: &str) -> String {
    let mut text = String::with_capacity(path.len().saturating_add(4));
    let mut after_lower = false;
    for c in path.chars() {
        if c.is_ascii_uppercase() && after_lower {
            text.push('_');
        }
        after_lower = c.is_ascii_lowercase();
        text.push(c.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_the_fields_of_the_messages() {
        for (kind, kubernetes, proto) in [
            (Kind::Pod, "metadata.name", "name"),
            (Kind::Pod, "status.podIPs", "pod_ips"),
            (
                Kind::Pod,
                "spec.containers ports[2].containerPort",
                "ports[2].number",
            ),
            (
                Kind::Service,
                "spec.ports[0].targetPort",
                "ports[0].target_port",
            ),
            (Kind::Service, "spec.externalName", "external_name"),
            (
                Kind::Pod,
                "metadata.deletionTimestamp",
                "deletion_timestamp",
            ),
            (Kind::Pod, "spec.containers ports", "ports"),
            (Kind::Pod, "spec.nodeName", "node_name"),
            (Kind::Service, "metadata.annotations", "topology_mode"),
            (Kind::Service, "spec.clusterIPs[1]", "cluster_ips[1]"),
            (Kind::Service, "spec.ipFamilies", "ip_families"),
            (
                Kind::Service,
                "spec.loadBalancerSourceRanges[3]",
                "load_balancer_source_ranges[3]",
            ),
            (
                Kind::Service,
                "status.loadBalancer.ingress",
                "load_balancer_ips",
            ),
            (
                Kind::Service,
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
                "session_affinity_seconds",
            ),
            (
                Kind::Service,
                "spec.selector values of Example.com/App",
                "set_selector",
            ),
            (Kind::Endpoints, "endpoints", "subsets"),
            (
                Kind::Endpoints,
                "subsets[2].endpoints[1].targetRef.uid",
                "subsets[2].endpoints[1].uid_text",
            ),
            (
                Kind::EndpointSlice,
                "endpoints[1].hints.forZones[0]",
                "subsets[0].endpoints[1].zone_hints[0]",
            ),
            (
                Kind::EndpointSlice,
                "endpoints[1].targetRef.name",
                "subsets[0].endpoints[1].identity.pod_name",
            ),
            (Kind::EndpointSlice, "metadata.labels", "service"),
            (
                Kind::EndpointSlice,
                "endpoints[3].addresses",
                "subsets[0].endpoints[3].identity.addresses",
            ),
            (
                Kind::EndpointSlice,
                "ports[1].name",
                "subsets[0].ports[1].name",
            ),
            (
                Kind::Endpoints,
                "subsets[1].endpoints[0].addresses",
                "subsets[1].endpoints[0].identity.addresses",
            ),
        ] {
            assert_eq!(
                in_proto_terms(FieldError::invalid(kubernetes, ""), kind).path,
                proto
            );
        }
    }
}
