use serde_json::Value;

use crate::labels::{Key, Value as LabelValue};
use crate::model::{
    EndpointPort, IpFamily, ManualEndpoint, ManualEndpoints, ManualSubset, Revision,
};
use crate::source::manifest::kinds::SERVICE_NAME_LABEL;

use super::endpoint::{manual_endpoint, slice_port, target};
use super::fields::Fields;
use super::object::Metadata;

/// A hand-made v1 Endpoints object. It tells only ready from not ready.
pub fn endpoints(manual: &ManualEndpoints, revision: Revision) -> Value {
    Fields::new()
        .with("apiVersion", "v1")
        .with("kind", "Endpoints")
        .with(
            "metadata",
            Metadata::new(&manual.name, &manual.uid, &manual.labels, revision).json(),
        )
        .with_some(
            "subsets",
            manual.subsets.iter().map(subset).collect::<Vec<Value>>(),
        )
        .into()
}

fn subset(subset: &ManualSubset) -> Value {
    let addresses = |ready: bool| -> Vec<Value> {
        subset
            .endpoints
            .iter()
            .filter(|e| e.conditions.ready == ready)
            .flat_map(endpoint_addresses)
            .collect()
    };
    Fields::new()
        .with_some("addresses", addresses(true))
        .with_some("notReadyAddresses", addresses(false))
        .with_some(
            "ports",
            subset
                .ports
                .iter()
                .map(endpoints_port)
                .collect::<Vec<Value>>(),
        )
        .into()
}

fn endpoint_addresses(endpoint: &ManualEndpoint) -> impl Iterator<Item = Value> {
    endpoint.identity.addresses.iter().map(|ip| {
        Fields::new()
            .with_some("hostname", endpoint.identity.hostname.as_str())
            .with("ip", ip.to_string())
            .with_some("nodeName", endpoint.node.as_str())
            .with_some(
                "targetRef",
                endpoint
                    .identity
                    .pod
                    .as_ref()
                    .map(|pod| target(pod, &endpoint.uid)),
            )
            .into()
    })
}

fn endpoints_port(port: &EndpointPort) -> Value {
    Fields::new()
        .with_some("appProtocol", port.app_protocol.as_str())
        .with_some("name", port.name.as_str())
        .with_some("port", port.number)
        .with("protocol", port.protocol.as_str())
        .into()
}

/// A hand-made discovery/v1 EndpointSlice. Its label names its service even if it came without.
pub fn endpoint_slice(manual: &ManualEndpoints, revision: Revision) -> Value {
    let mut labels = manual.labels.clone();
    if let (false, Ok(key), Ok(service)) = (
        labels.contains_key(SERVICE_NAME_LABEL),
        Key::new(SERVICE_NAME_LABEL),
        LabelValue::new(&manual.service),
    ) {
        labels.insert(key, service);
    }
    let mut endpoints = manual
        .subsets
        .iter()
        .flat_map(|subset| &subset.endpoints)
        .peekable();
    let family = endpoints
        .peek()
        .map_or(IpFamily::V4, |endpoint| endpoint.identity.family());
    let ports = manual
        .subsets
        .iter()
        .flat_map(|subset| subset.ports.iter())
        .map(slice_port);
    Fields::new()
        .with("addressType", family.as_str())
        .with("apiVersion", "discovery.k8s.io/v1")
        .with(
            "endpoints",
            endpoints.map(manual_endpoint).collect::<Vec<Value>>(),
        )
        .with("kind", "EndpointSlice")
        .with(
            "metadata",
            Metadata::new(&manual.name, &manual.uid, &labels, revision).json(),
        )
        .with("ports", ports.collect::<Vec<Value>>())
        .into()
}
