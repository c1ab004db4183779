use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::model::{
    Conditions, EndpointIdentity, EndpointPort, Hints, IpFamily, ManualEndpoint, ManualEndpoints,
    ManualKind, ManualSubset, ObjectName,
};
use crate::source::manifest::kinds::SERVICE_NAME_LABEL;

use super::{Field, Metadata};

/// A v1 Endpoints object. It tells two states apart: an address is ready, or it is not.
pub fn endpoints(object: &Field<'_>, metadata: Metadata) -> ManualEndpoints {
    let subsets = object.get("subsets");
    let subsets = subsets
        .items()
        .map(|subset| {
            let ports = subset.get("ports");
            let mut endpoints = Vec::new();
            for (list, ready) in [("addresses", true), ("notReadyAddresses", false)] {
                let conditions = Conditions {
                    ready,
                    serving: ready,
                    terminating: false,
                };
                let list = subset.get(list);
                endpoints.extend(
                    list.items()
                        .map(|address| endpoint_address(&address, conditions, &metadata.name)),
                );
            }
            ManualSubset {
                ports: ports.items().map(|port| endpoints_port(&port)).collect(),
                endpoints,
            }
        })
        .collect();
    manual(
        ManualKind::Endpoints,
        metadata.name.name.clone(),
        subsets,
        metadata,
    )
}

/// A discovery/v1 EndpointSlice of IP addresses.
pub fn endpoint_slice(object: &Field<'_>, metadata: Metadata) -> ManualEndpoints {
    let family = object.get("addressType");
    family.required_text();
    let family = family.ip_family();
    let ports = object.get("ports");
    let ports = ports.items().map(|port| slice_port(&port)).collect();
    let endpoints = object.get("endpoints");
    let endpoints = endpoints
        .items()
        .map(|endpoint| slice_endpoint(&endpoint, family, &metadata.name))
        .collect();
    let service = metadata
        .label(SERVICE_NAME_LABEL)
        .map(SmolStr::new)
        .unwrap_or_default();
    manual(
        ManualKind::EndpointSlice,
        service,
        vec![ManualSubset { ports, endpoints }],
        metadata,
    )
}

fn manual(
    kind: ManualKind,
    service: SmolStr,
    subsets: Vec<ManualSubset>,
    metadata: Metadata,
) -> ManualEndpoints {
    ManualEndpoints {
        kind,
        name: metadata.name,
        uid: metadata.uid,
        labels: metadata.labels,
        service,
        subsets,
    }
}

fn endpoint_address(
    address: &Field<'_>,
    conditions: Conditions,
    owner: &ObjectName,
) -> ManualEndpoint {
    let (pod, uid) = target(&address.get("targetRef"), owner);
    ManualEndpoint {
        identity: EndpointIdentity {
            addresses: address.get("ip").required_ip().into_iter().collect(),
            hostname: address.get("hostname").text(),
            pod,
        },
        uid,
        conditions,
        node: address.get("nodeName").text(),
        zone: SmolStr::default(),
        hints: Hints::default(),
    }
}

fn slice_endpoint(
    endpoint: &Field<'_>,
    family: Option<IpFamily>,
    owner: &ObjectName,
) -> ManualEndpoint {
    let (pod, uid) = target(&endpoint.get("targetRef"), owner);
    let list = endpoint.get("addresses");
    let mut addresses = SmallVec::new();
    for item in list.items() {
        let Some(ip) = item.required_ip() else {
            continue;
        };
        if let Some(family) = family.filter(|family| *family != IpFamily::of(&ip)) {
            item.invalid(format!(
                "{ip} is not of the slice's addressType {}",
                family.as_str()
            ));
        }
        addresses.push(ip);
    }
    addresses.sort_unstable();
    let conditions = endpoint.get("conditions");
    let hints = endpoint.get("hints");
    ManualEndpoint {
        identity: EndpointIdentity {
            addresses,
            hostname: endpoint.get("hostname").text(),
            pod,
        },
        uid,
        conditions: Conditions {
            ready: conditions.get("ready").optional_flag().unwrap_or(true),
            serving: conditions.get("serving").optional_flag().unwrap_or(true),
            terminating: conditions.get("terminating").flag(),
        },
        node: endpoint.get("nodeName").text(),
        zone: endpoint.get("zone").text(),
        hints: Hints {
            zones: names(&hints.get("forZones")),
            nodes: names(&hints.get("forNodes")),
        },
    }
}

fn names(list: &Field<'_>) -> SmallVec<[SmolStr; 1]> {
    list.items()
        .map(|item| item.get("name").required_text())
        .collect()
}

/// The pod behind an address and its UID; a target of another kind is not kept.
fn target(target: &Field<'_>, owner: &ObjectName) -> (Option<ObjectName>, SmolStr) {
    if target.get("kind").text() != "Pod" {
        return (None, SmolStr::default());
    }
    let namespace = target.get("namespace").text();
    let namespace = if namespace.is_empty() {
        owner.namespace.clone()
    } else {
        namespace
    };
    (
        Some(ObjectName {
            namespace,
            name: target.get("name").required_text(),
        }),
        target.get("uid").text(),
    )
}

fn endpoints_port(port: &Field<'_>) -> EndpointPort {
    EndpointPort {
        number: Some(port.get("port").required_port()).filter(|n| *n > 0),
        ..slice_port(port)
    }
}

fn slice_port(port: &Field<'_>) -> EndpointPort {
    EndpointPort {
        name: port.get("name").text(),
        number: port.get("port").port(),
        protocol: port.get("protocol").protocol(),
        app_protocol: port.get("appProtocol").text(),
    }
}

impl Field<'_> {
    /// `IPv4` or `IPv6`, if there.
    pub fn ip_family(&self) -> Option<IpFamily> {
        let families = [IpFamily::V4, IpFamily::V6];
        let text = self.text();
        let family = families.into_iter().find(|family| family.as_str() == text);
        if family.is_none() && !text.is_empty() {
            self.not_supported(&text, &families.map(IpFamily::as_str));
        }
        family
    }
}
