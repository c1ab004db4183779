use smol_str::SmolStr;

use crate::index::PodRef;
use crate::model::{Addresses, Endpoint, EndpointIdentity, Hints, IpFamily, TrafficDistribution};

use super::conditions::Status;
use super::ports;
use super::service_facts::ServiceFacts;

/// What becomes of a pod whose Node is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum MissingNode {
    /// It is published, without a zone: pods and services alone are enough.
    #[default]
    Admit,
    /// It is left out, unless the service publishes addresses that are not ready: Kubernetes' rule.
    Withhold,
}

/// The endpoint that a service which selects this pod has in one family, if any. A function of the
/// present facts alone. The pod's labels are not looked at. `zone` is that of its node, empty where it
/// has none; none where the node is not known.
///
/// As Kubernetes' endpointslice controller has it: a pod is in unless it has ended, has no address of
/// the family, or its node is missing.
pub(crate) fn project(
    service: ServiceFacts<'_>,
    pod: PodRef<'_>,
    zone: Option<&str>,
    family: IpFamily,
    missing_node: MissingNode,
) -> Option<Endpoint> {
    if !admits(service, pod, || zone.is_some(), family, missing_node) {
        return None;
    }
    let conditions = Status::of(pod).conditions(service.publish_not_ready_addresses);
    let zone = zone.map(SmolStr::new).unwrap_or_default();
    let hints = if conditions.ready {
        hints(service.distribution, &zone, pod.node_name())
    } else {
        Hints::default()
    };
    Some(Endpoint {
        identity: identity(service, pod, family),
        uid: pod.uid(),
        ports: ports::resolve(service, pod.ports()),
        conditions,
        node: pod.node_name().clone(),
        zone,
        hints,
    })
}

/// Whether a pod whose labels match is an endpoint of one family. `has_node` says whether its node is
/// known, and is asked only where that matters.
pub(crate) fn admits(
    service: ServiceFacts<'_>,
    pod: PodRef<'_>,
    has_node: impl FnOnce() -> bool,
    family: IpFamily,
    missing_node: MissingNode,
) -> bool {
    !pod.phase().is_terminal()
        && service.families.contains(family)
        && pod.ips(family).next().is_some()
        && (missing_node == MissingNode::Admit || service.publish_not_ready_addresses || has_node())
}

/// Who the endpoint of a pod is.
pub(crate) fn identity(
    service: ServiceFacts<'_>,
    pod: PodRef<'_>,
    family: IpFamily,
) -> EndpointIdentity {
    let mut addresses: Addresses = pod.ips(family).collect();
    addresses.sort_unstable();
    let hostname = if pod.subdomain() == service.name {
        pod.hostname()
    } else {
        SmolStr::default()
    };
    EndpointIdentity {
        addresses,
        hostname,
        pod: Some(pod.name()),
    }
}

/// What `trafficDistribution` hints a ready endpoint to.
fn hints(distribution: Option<TrafficDistribution>, zone: &SmolStr, node: &SmolStr) -> Hints {
    let mut hints = Hints::default();
    let some = |text: &SmolStr| Some(text.clone()).filter(|text| !text.is_empty());
    match distribution {
        None => {}
        Some(TrafficDistribution::PreferSameZone) => hints.zones.extend(some(zone)),
        Some(TrafficDistribution::PreferSameNode) => {
            hints.zones.extend(some(zone));
            hints.nodes.extend(some(node));
        }
    }
    hints
}
