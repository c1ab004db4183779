//! Field paths: the model's rules speak in Kubernetes' own, a gRPC client in those of the message
//! it sent.

use crate::labels::FieldError;
use crate::model::Kind;

/// Prefixes that the messages do without: their fields stand side by side.
const NESTING: [&str; 3] = ["metadata.", "spec.", "status."];

/// A fault of an object of `kind`, with its Kubernetes path turned into the path of the message.
pub(super) fn in_proto_terms(mut fault: FieldError, kind: Kind) -> FieldError {
    let path = fault.path.replace("containers ports[", "ports[");
    let path = NESTING
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix))
        .unwrap_or(&path);
    let in_slice =
        kind == Kind::EndpointSlice && (path.starts_with("ports") || path.starts_with("endpoints"));
    let path = match (kind, path) {
        (Kind::Endpoints | Kind::EndpointSlice, "labels") => "service".to_owned(),
        (_, path) if in_slice => format!("subsets[0].{path}"),
        (_, path) => path.to_owned(),
    };
    fault.path = path
        .replace("podIPs", "pod_ips")
        .replace("containerPort", "number")
        .replace("externalName", "external_name")
        .replace("targetPort", "target_port")
        .replace("].addresses", "].identity.addresses");
    fault
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
