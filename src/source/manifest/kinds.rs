//! Which objects are taken, and why others are left out.

use crate::model::Kind;

use super::decode::{Field, Metadata};

/// The label of an EndpointSlice that names its service.
pub const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";
/// The label of an EndpointSlice that says who writes it.
pub const MANAGED_BY_LABEL: &str = "endpointslice.kubernetes.io/managed-by";
/// What selectord itself writes under [`MANAGED_BY_LABEL`].
pub const MANAGED_BY_US: &str = "selectord";
const SLICE_CONTROLLER: &str = "endpointslice-controller.k8s.io";
const MIRRORING_CONTROLLER: &str = "endpointslicemirroring-controller.k8s.io";
const ENDPOINTS_MANAGED_BY_LABEL: &str = "endpoints.kubernetes.io/managed-by";
const ENDPOINTS_CONTROLLER: &str = "endpoint-controller";
/// Older controllers leave this mark alone.
const TRIGGER_TIME_ANNOTATION: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// The kind of an object, if it is one we keep.
pub fn known(api_version: &str, kind: &str) -> Option<Kind> {
    match (api_version, kind) {
        ("v1", "Pod") => Some(Kind::Pod),
        ("v1", "Service") => Some(Kind::Service),
        ("v1", "Node") => Some(Kind::Node),
        ("v1", "Endpoints") => Some(Kind::Endpoints),
        ("discovery.k8s.io/v1", "EndpointSlice") => Some(Kind::EndpointSlice),
        _ => None,
    }
}

/// How a kind we do not keep is named: plainly, unless one we keep has the same name.
pub fn stranger(api_version: &str, kind: &str) -> String {
    match kind {
        "Pod" | "Service" | "Node" | "Endpoints" | "EndpointSlice" => {
            format!("{kind} of {api_version}")
        }
        _ => kind.to_owned(),
    }
}

/// The kind of a list's items, if the object is a list: a v1 List, whose items say it themselves,
/// or one like PodList, whose items may leave it to the list.
pub fn listed<'k>(object: &Field<'_>, api_version: &str, kind: &'k str) -> Option<&'k str> {
    let item = kind.strip_suffix("List")?;
    let is_list = (api_version == "v1" && item.is_empty()) || object.get("items").is_list();
    is_list.then_some(item)
}

/// Whether an object is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Take,
    /// No, for this reason.
    Skip(&'static str),
    /// Only if the Endpoints object it mirrors is not in the input.
    TakeUnlessMirrored,
}

/// Whether an object is somebody's own, rather than computed from other objects.
pub fn verdict(kind: Kind, object: &Field<'_>, metadata: &Metadata) -> Verdict {
    match kind {
        Kind::EndpointSlice => match metadata.label(MANAGED_BY_LABEL) {
            Some(SLICE_CONTROLLER) => Verdict::Skip("EndpointSlice computed by Kubernetes"),
            Some(MANAGED_BY_US) => Verdict::Skip("EndpointSlice computed by selectord"),
            _ if object.get("addressType").text() == "FQDN" => {
                Verdict::Skip("EndpointSlice of address type FQDN")
            }
            _ if metadata.label(SERVICE_NAME_LABEL).is_none_or(str::is_empty) => {
                Verdict::Skip("EndpointSlice without the label kubernetes.io/service-name")
            }
            Some(MIRRORING_CONTROLLER) => Verdict::TakeUnlessMirrored,
            _ => Verdict::Take,
        },
        Kind::Endpoints => {
            let is_computed = metadata.label(ENDPOINTS_MANAGED_BY_LABEL)
                == Some(ENDPOINTS_CONTROLLER)
                || metadata.annotation(TRIGGER_TIME_ANNOTATION).is_some();
            if is_computed {
                Verdict::Skip("Endpoints computed by Kubernetes")
            } else {
                Verdict::Take
            }
        }
        Kind::Pod | Kind::Service | Kind::Node => Verdict::Take,
    }
}
