use std::num::NonZeroU16;

use smol_str::SmolStr;

use crate::model::{ContainerPort, EndpointPorts, Protocol, TargetPort};

use super::service_facts::ServiceFacts;

/// Where a pod with these container ports listens for a service.
///
/// A numeric target port needs no container port. A named one is the first container port of that name
/// and protocol; only if there is none, the first such port of a sidecar. One that is not found leaves
/// that port out for this pod, not the pod.
pub(crate) fn resolve(service: ServiceFacts<'_>, containers: &[ContainerPort]) -> EndpointPorts {
    if !service.has_named_target_port() {
        return EndpointPorts::OfService;
    }
    let numbers = service.ports.iter().map(|port| {
        let number = match &port.target_port {
            TargetPort::Number(number) => Some(*number),
            TargetPort::Name(name) => find(containers, name, port.protocol),
        };
        number.and_then(NonZeroU16::new)
    });
    EndpointPorts::Resolved(numbers.collect())
}

fn find(containers: &[ContainerPort], name: &SmolStr, protocol: Protocol) -> Option<u16> {
    let fits = |port: &&ContainerPort| port.name == *name && port.protocol == protocol;
    let ordinary = containers.iter().filter(|port| !port.sidecar).find(fits);
    ordinary
        .or_else(|| containers.iter().filter(|port| port.sidecar).find(fits))
        .map(|port| port.number)
}
