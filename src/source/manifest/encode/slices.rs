use std::collections::HashMap;

use serde_json::Value;

use crate::model::{
    ClusterIp, Endpoint, EndpointPort, EndpointPorts, IpFamily, ObjectName, Service,
};
use crate::source::manifest::kinds::{MANAGED_BY_LABEL, MANAGED_BY_US, SERVICE_NAME_LABEL};

use super::endpoint::{endpoint_json, slice_port};
use super::fields::Fields;
use super::object::Metadata;

/// Most endpoints of one slice, as Kubernetes has it unless told otherwise.
const MAX_ENDPOINTS: usize = 100;
const HEADLESS_LABEL: &str = "service.kubernetes.io/headless";

/// Endpoints of one family that share a port set.
struct Group<'a> {
    ports: Vec<EndpointPort>,
    endpoints: Vec<&'a Endpoint>,
}

/// A service's endpoints as the EndpointSlices that Kubernetes would hold: for each family and port
/// set as many slices as it takes, and for a family without endpoints an empty one. Named
/// `rng-ipv4-1` and so on, in the service's order of families, then in order of port sets; endpoints
/// stay in the order given. O(n log n).
pub fn endpoint_slices(service: &Service, endpoints: &[Endpoint]) -> Vec<Value> {
    let published = service.endpoint_families();
    let others = [IpFamily::V4, IpFamily::V6]
        .into_iter()
        .filter(|family| !published.contains(family));
    let mut slices = Vec::new();
    for (family, is_published) in published
        .iter()
        .map(|f| (*f, true))
        .chain(others.map(|f| (f, false)))
    {
        let groups = groups(
            service,
            endpoints.iter().filter(|e| e.identity.family() == family),
        );
        let mut number = 0;
        let mut slice = |ports: &[EndpointPort], endpoints: &[&Endpoint]| {
            number += 1;
            slices.push(endpoint_slice(service, family, number, ports, endpoints));
        };
        if groups.is_empty() && is_published && service.computes_endpoints() {
            slice(&[], &[]);
        }
        for group in &groups {
            for endpoints in group.endpoints.chunks(MAX_ENDPOINTS) {
                slice(&group.ports, endpoints);
            }
        }
    }
    slices
}

/// By port set, the order of the ports not counting. Most endpoints say their ports alike, so each
/// way of saying it is resolved once.
fn groups<'a>(service: &Service, endpoints: impl Iterator<Item = &'a Endpoint>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut by_spelling: HashMap<&EndpointPorts, usize> = HashMap::new();
    let mut by_set: HashMap<Vec<EndpointPort>, usize> = HashMap::new();
    for endpoint in endpoints {
        let index = *by_spelling.entry(&endpoint.ports).or_insert_with(|| {
            let ports = service.endpoint_ports(&endpoint.ports);
            let mut set = ports.clone();
            set.sort_unstable();
            *by_set.entry(set).or_insert_with(|| {
                groups.push(Group {
                    ports,
                    endpoints: Vec::new(),
                });
                groups.len() - 1
            })
        });
        if let Some(group) = groups.get_mut(index) {
            group.endpoints.push(endpoint);
        }
    }
    groups.sort_by(|a, b| a.ports.cmp(&b.ports));
    groups
}

fn endpoint_slice(
    service: &Service,
    family: IpFamily,
    number: usize,
    ports: &[EndpointPort],
    endpoints: &[&Endpoint],
) -> Value {
    let suffix = family.as_str().to_ascii_lowercase();
    let name = ObjectName::new(
        service.name.namespace.clone(),
        format!("{}-{suffix}-{number}", service.name.name),
    );
    let metadata = Metadata {
        annotations: &[],
        creation_timestamp: "",
        deletion_timestamp: None,
        labels: labels(service),
        name: &name,
        owners: owners(service),
        revision: None,
        uid: "",
    };
    Fields::new()
        .with("addressType", family.as_str())
        .with("apiVersion", "discovery.k8s.io/v1")
        .with(
            "endpoints",
            endpoints
                .iter()
                .map(|endpoint| endpoint_json(endpoint))
                .collect::<Vec<Value>>(),
        )
        .with("kind", "EndpointSlice")
        .with("metadata", metadata.json())
        .with(
            "ports",
            ports.iter().map(slice_port).collect::<Vec<Value>>(),
        )
        .into()
}

/// The service's labels, and those that say what the slice is.
fn labels(service: &Service) -> Value {
    let headless = !matches!(&service.cluster_ip, ClusterIp::Ips(ips) if !ips.is_empty());
    let own = [
        (MANAGED_BY_LABEL, Some(MANAGED_BY_US)),
        (SERVICE_NAME_LABEL, Some(service.name.name.as_str())),
        (HEADLESS_LABEL, headless.then_some("")),
    ];
    let mut labels: Vec<(&str, &str)> = service
        .labels
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .filter(|(key, _)| own.iter().all(|(reserved, _)| key != reserved))
        .chain(
            own.into_iter()
                .filter_map(|(key, value)| Some((key, value?))),
        )
        .collect();
    labels.sort_unstable();
    labels
        .into_iter()
        .fold(Fields::new(), |map, (key, value)| map.with(key, value))
        .into()
}

/// The service owns its slices; one without a UID cannot.
fn owners(service: &Service) -> Vec<Value> {
    if service.uid.is_empty() {
        return Vec::new();
    }
    let owner = Fields::new()
        .with("apiVersion", "v1")
        .with("blockOwnerDeletion", true)
        .with("controller", true)
        .with("kind", "Service")
        .with("name", service.name.name.as_str())
        .with("uid", service.uid.as_str());
    vec![owner.into()]
}
