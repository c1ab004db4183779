use std::net::IpAddr;

use serde_json::Value;
use smol_str::SmolStr;

use crate::model::{
    Conditions, Endpoint, EndpointIdentity, EndpointPort, Hints, ManualEndpoint, ObjectName,
};

use super::fields::Fields;

/// An endpoint as it stands in an EndpointSlice.
pub fn endpoint_json(endpoint: &Endpoint) -> Value {
    let Endpoint {
        identity,
        uid,
        ports: _,
        conditions,
        node,
        zone,
        hints,
    } = endpoint;
    slice_endpoint(identity, uid, *conditions, node, zone, hints)
}

/// Who an endpoint is, in the same fields: what is told of one that is gone.
pub fn identity_json(identity: &EndpointIdentity) -> Value {
    Fields::new()
        .with("addresses", texts(&identity.addresses))
        .with_some("hostname", identity.hostname.as_str())
        .with_some(
            "targetRef",
            identity.pod.as_ref().map(|pod| target(pod, "")),
        )
        .into()
}

/// A hand-made endpoint as it stands in an EndpointSlice.
pub fn manual_endpoint(endpoint: &ManualEndpoint) -> Value {
    let ManualEndpoint {
        identity,
        uid,
        conditions,
        node,
        zone,
        hints,
    } = endpoint;
    slice_endpoint(identity, uid, *conditions, node, zone, hints)
}

fn slice_endpoint(
    identity: &EndpointIdentity,
    uid: &str,
    conditions: Conditions,
    node: &str,
    zone: &str,
    hints: &Hints,
) -> Value {
    let names = |names: &[SmolStr]| -> Vec<Value> {
        names
            .iter()
            .map(|name| Fields::new().with("name", name.as_str()).into())
            .collect()
    };
    let conditions = Fields::new()
        .with("ready", conditions.ready)
        .with("serving", conditions.serving)
        .with("terminating", conditions.terminating);
    let hints = Fields::new()
        .with_some("forNodes", names(&hints.nodes))
        .with_some("forZones", names(&hints.zones));
    Fields::new()
        .with("addresses", texts(&identity.addresses))
        .with("conditions", conditions)
        .with_some("hints", hints)
        .with_some("hostname", identity.hostname.as_str())
        .with_some("nodeName", node)
        .with_some(
            "targetRef",
            identity.pod.as_ref().map(|pod| target(pod, uid)),
        )
        .with_some("zone", zone)
        .into()
}

/// A reference to the pod behind an endpoint.
pub fn target(pod: &ObjectName, uid: &str) -> Value {
    Fields::new()
        .with("kind", "Pod")
        .with("name", pod.name.as_str())
        .with_some("namespace", pod.namespace.as_str())
        .with_some("uid", uid)
        .into()
}

/// A port of an EndpointSlice: its name is there even when empty.
pub fn slice_port(port: &EndpointPort) -> Value {
    Fields::new()
        .with_some("appProtocol", port.app_protocol.as_str())
        .with("name", port.name.as_str())
        .with_some("port", port.number)
        .with("protocol", port.protocol.as_str())
        .into()
}

fn texts(ips: &[IpAddr]) -> Vec<String> {
    ips.iter().map(ToString::to_string).collect()
}
