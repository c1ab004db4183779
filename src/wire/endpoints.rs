//! Endpoints: computed ones, as the stream carries them, and hand-made ones, as they are written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;

use bytes::Bytes;
use smol_str::SmolStr;

use crate::labels::FieldError;
use crate::model::{
    Addresses, Conditions, Endpoint, EndpointIdentity, EndpointPort, EndpointPorts, Hints,
    ManualEndpoint, ManualEndpoints, ManualKind, ManualSubset, ObjectName,
};

use super::faults::{Decoded, Faults, invalid, port_number, required};
use super::labels::{decode_labels, encode_labels};
use super::name::{decode_protocol, encode_kind, encode_protocol};
use super::proto;
use super::proto::endpoint::{Condition, Uid};
use super::uid::{decode_uuid, encode_uuid};

/// An endpoint of a service in `namespace`.
pub fn encode_endpoint(endpoint: &Endpoint, namespace: &str) -> proto::Endpoint {
    let (service_ports, own_ports) = match &endpoint.ports {
        EndpointPorts::OfService => (Vec::new(), None),
        EndpointPorts::Resolved(numbers) => (
            numbers
                .iter()
                .map(|number| number.map_or(0, |n| n.get().into()))
                .collect(),
            None,
        ),
        EndpointPorts::Own(ports) => (
            Vec::new(),
            Some(proto::PortSet {
                ports: ports.iter().map(encode_port).collect(),
            }),
        ),
    };
    proto::Endpoint {
        identity: Some(encode_identity(&endpoint.identity, namespace)),
        uid: encode_uid(&endpoint.uid),
        service_ports,
        own_ports,
        conditions: encode_conditions(endpoint.conditions),
        node_name: endpoint.node.to_string(),
        node_name_suffix: String::new(),
        zone_suffix: String::new(),
        zone: endpoint.zone.to_string(),
        zone_hints: endpoint
            .hints
            .zones
            .iter()
            .map(ToString::to_string)
            .collect(),
        node_hints: endpoint
            .hints
            .nodes
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}

/// An endpoint of a service in `namespace`.
///
/// # Errors
/// Every field that cannot be what it says.
pub fn decode_endpoint(endpoint: proto::Endpoint, namespace: &str) -> Decoded<Endpoint> {
    let mut faults = Faults::default();
    no_suffix(&mut faults, "node_name_suffix", &endpoint.node_name_suffix);
    no_suffix(&mut faults, "zone_suffix", &endpoint.zone_suffix);
    let ports = match (endpoint.own_ports, endpoint.service_ports) {
        (None, numbers) if numbers.is_empty() => EndpointPorts::OfService,
        (None, numbers) => {
            EndpointPorts::Resolved(faults.list("service_ports", numbers, |number| {
                port_number(number).map(NonZeroU16::new)
            }))
        }
        (Some(own), numbers) => {
            if !numbers.is_empty() {
                faults.push(FieldError::forbidden(
                    "service_ports",
                    "may not be given together with `own_ports`",
                ));
            }
            EndpointPorts::Own(
                faults
                    .list::<_, _, Vec<_>>("own_ports.ports", own.ports, decode_port)
                    .into(),
            )
        }
    };
    let decoded = Endpoint {
        identity: faults.part("identity", decode_identity(endpoint.identity, namespace)),
        uid: faults.part("", decode_uid(endpoint.uid)),
        ports,
        conditions: faults
            .part(
                "conditions",
                decode_conditions(endpoint.conditions).map(Some),
            )
            .unwrap_or(NEVER_READY),
        node: endpoint.node_name.into(),
        zone: endpoint.zone.into(),
        hints: Hints {
            zones: endpoint.zone_hints.into_iter().map(Into::into).collect(),
            nodes: endpoint.node_hints.into_iter().map(Into::into).collect(),
        },
    };
    faults.finish(decoded)
}

/// What stands in for conditions that were refused.
const NEVER_READY: Conditions = Conditions {
    ready: false,
    serving: false,
    terminating: false,
};

/// The identity of an endpoint of a service in `namespace`.
pub fn encode_identity(identity: &EndpointIdentity, namespace: &str) -> proto::EndpointIdentity {
    let pod = identity.pod.as_ref();
    proto::EndpointIdentity {
        addresses: identity.addresses.iter().map(encode_address).collect(),
        hostname: identity.hostname.to_string(),
        pod_name: pod.map(|pod| pod.name.to_string()).unwrap_or_default(),
        pod_namespace: pod
            .filter(|pod| pod.namespace != namespace)
            .map(|pod| pod.namespace.to_string())
            .unwrap_or_default(),
        pod_name_suffix: String::new(),
    }
}

/// The identity of an endpoint of a service in `namespace`.
///
/// # Errors
/// No address, or bytes that are none.
pub fn decode_identity(
    identity: Option<proto::EndpointIdentity>,
    namespace: &str,
) -> Decoded<EndpointIdentity> {
    let Some(identity) = identity.filter(|identity| !identity.addresses.is_empty()) else {
        return required("addresses", "an endpoint needs at least one address");
    };
    let mut faults = Faults::default();
    no_suffix(&mut faults, "pod_name_suffix", &identity.pod_name_suffix);
    let mut addresses: Addresses = faults.list("addresses", &identity.addresses, decode_address);
    addresses.sort_unstable();
    let pod = (!identity.pod_name.is_empty()).then(|| {
        let other = Some(identity.pod_namespace.as_str()).filter(|other| !other.is_empty());
        ObjectName::new(other.unwrap_or(namespace), identity.pod_name.as_str())
    });
    faults.finish(EndpointIdentity {
        addresses,
        hostname: identity.hostname.into(),
        pod,
    })
}

/// Outside of a stream's events there is no prefix, and inside of them it was put before the suffix.
fn no_suffix(faults: &mut Faults, field: &str, suffix: &str) {
    if !suffix.is_empty() {
        let detail = "is for events of a stream, instead of the whole name: give the whole name";
        faults.push(FieldError::forbidden(field, detail));
    }
}

fn encode_address(address: &IpAddr) -> Bytes {
    match address {
        IpAddr::V4(v4) => Bytes::copy_from_slice(&v4.octets()),
        IpAddr::V6(v6) => Bytes::copy_from_slice(&v6.octets()),
    }
}

fn decode_address(bytes: &Bytes) -> Decoded<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes.as_ref()) {
        return Ok(Ipv4Addr::from(octets).into());
    }
    match <[u8; 16]>::try_from(bytes.as_ref()) {
        Ok(octets) => Ok(IpAddr::from(Ipv6Addr::from(octets)).to_canonical()),
        Err(_) => invalid(format!("an address has 4 or 16 bytes, not {}", bytes.len())),
    }
}

fn encode_uid(uid: &SmolStr) -> Option<Uid> {
    match encode_uuid(uid) {
        Some(uuid) => Some(Uid::Uuid(Bytes::copy_from_slice(&uuid))),
        None if uid.is_empty() => None,
        None => Some(Uid::UidText(uid.to_string())),
    }
}

fn decode_uid(uid: Option<Uid>) -> Decoded<SmolStr> {
    match uid {
        None => Ok(SmolStr::default()),
        Some(Uid::UidText(text)) => Ok(text.into()),
        Some(Uid::Uuid(bytes)) => match <[u8; 16]>::try_from(bytes.as_ref()) {
            Ok(uuid) => Ok(decode_uuid(uuid)),
            Err(_) => Err(vec![FieldError::invalid(
                "uuid",
                format!("a UUID has 16 bytes, not {}", bytes.len()),
            )]),
        },
    }
}

pub(super) fn encode_conditions(conditions: Conditions) -> u32 {
    let bit = |set: bool, condition: Condition| if set { condition as u32 } else { 0 };
    bit(conditions.ready, Condition::Ready)
        | bit(conditions.serving, Condition::Serving)
        | bit(conditions.terminating, Condition::Terminating)
}

fn decode_conditions(bits: u32) -> Decoded<Conditions> {
    let has = |condition: Condition| bits & condition as u32 != 0;
    let conditions = Conditions {
        ready: has(Condition::Ready),
        serving: has(Condition::Serving),
        terminating: has(Condition::Terminating),
    };
    if encode_conditions(conditions) == bits {
        Ok(conditions)
    } else {
        Err(vec![FieldError::not_supported(
            "",
            format!("{bits} has bits beyond 1 ready, 2 serving, 4 terminating"),
        )])
    }
}

fn encode_port(port: &EndpointPort) -> proto::EndpointPort {
    proto::EndpointPort {
        name: port.name.to_string(),
        number: port.number.unwrap_or_default().into(),
        protocol: encode_protocol(port.protocol),
        app_protocol: port.app_protocol.to_string(),
    }
}

fn decode_port(port: proto::EndpointPort) -> Decoded<EndpointPort> {
    let mut faults = Faults::default();
    let decoded = EndpointPort {
        name: port.name.into(),
        number: Some(faults.part("number", port_number(port.number))).filter(|number| *number > 0),
        protocol: faults.part("protocol", decode_protocol(port.protocol)),
        app_protocol: port.app_protocol.into(),
    };
    faults.finish(decoded)
}

/// A hand-made Endpoints or EndpointSlice object, whole.
pub fn encode_manual(manual: &ManualEndpoints) -> proto::ManualEndpoints {
    let namespace = manual.name.namespace.as_str();
    let encode_member = |member: &ManualEndpoint| {
        let endpoint = Endpoint {
            identity: member.identity.clone(),
            uid: member.uid.clone(),
            ports: EndpointPorts::OfService,
            conditions: member.conditions,
            node: member.node.clone(),
            zone: member.zone.clone(),
            hints: member.hints.clone(),
        };
        encode_endpoint(&endpoint, namespace)
    };
    proto::ManualEndpoints {
        kind: encode_kind(manual.kind.kind()).into(),
        namespace: namespace.to_owned(),
        name: manual.name.name.to_string(),
        uid: manual.uid.to_string(),
        labels: encode_labels(&manual.labels),
        service: manual.service.to_string(),
        subsets: manual
            .subsets
            .iter()
            .map(|subset| proto::manual_endpoints::Subset {
                ports: subset.ports.iter().map(encode_port).collect(),
                endpoints: subset.endpoints.iter().map(encode_member).collect(),
            })
            .collect(),
    }
}

/// A hand-made object, as it stands: [`super::decode_transaction`] also asks the rules for entering a
/// transaction.
///
/// # Errors
/// Every field that cannot be what it says, and a slice that is not one subset.
pub fn decode_manual(manual: proto::ManualEndpoints) -> Decoded<ManualEndpoints> {
    let mut faults = Faults::default();
    let kind = match proto::Kind::try_from(manual.kind) {
        Ok(proto::Kind::Endpoints) => ManualKind::Endpoints,
        Ok(proto::Kind::EndpointSlice) => ManualKind::EndpointSlice,
        _ => {
            faults.push(FieldError::invalid(
                "kind",
                "must be KIND_ENDPOINTS or KIND_ENDPOINT_SLICE",
            ));
            ManualKind::Endpoints
        }
    };
    if kind == ManualKind::EndpointSlice && manual.subsets.len() != 1 {
        faults.push(FieldError::invalid(
            "subsets",
            "an EndpointSlice is exactly one subset",
        ));
    }
    let namespace = manual.namespace.as_str();
    let subsets = faults.list("subsets", manual.subsets, |subset| {
        decode_subset(subset, namespace)
    });
    let decoded = ManualEndpoints {
        kind,
        name: ObjectName::new(namespace, manual.name),
        uid: manual.uid.into(),
        labels: faults.part("labels", decode_labels(&manual.labels)),
        service: manual.service.into(),
        subsets,
    };
    faults.finish(decoded)
}

fn decode_subset(
    subset: proto::manual_endpoints::Subset,
    namespace: &str,
) -> Decoded<ManualSubset> {
    let mut faults = Faults::default();
    let ports: Vec<EndpointPort> = faults.list("ports", subset.ports, decode_port);
    let endpoints = faults.list("endpoints", subset.endpoints, |endpoint| {
        let endpoint = decode_endpoint(endpoint, namespace)?;
        if endpoint.ports != EndpointPorts::OfService {
            return Err(vec![FieldError::forbidden(
                "",
                "endpoints of a subset share the subset's ports",
            )]);
        }
        Ok(ManualEndpoint {
            identity: endpoint.identity,
            uid: endpoint.uid,
            conditions: endpoint.conditions,
            node: endpoint.node,
            zone: endpoint.zone,
            hints: endpoint.hints,
        })
    });
    faults.finish(ManualSubset {
        ports: ports.into(),
        endpoints,
    })
}
