use smallvec::SmallVec;

use crate::model::{ContainerPort, Phase, Pod, Protocol, ReadyCondition};

use super::{Field, Metadata};

/// A v1 Pod.
pub fn pod(object: &Field<'_>, metadata: Metadata) -> Pod {
    let spec = object.get("spec");
    let status = object.get("status");
    Pod {
        name: metadata.name,
        uid: metadata.uid,
        labels: metadata.labels,
        deletion_timestamp: metadata.deletion_timestamp,
        node_name: spec.get("nodeName").text(),
        hostname: spec.get("hostname").text(),
        subdomain: spec.get("subdomain").text(),
        ports: ports(&spec).into(),
        phase: status.get("phase").choice(
            Phase::from_name,
            &["Pending", "Running", "Succeeded", "Failed", "Unknown"],
        ),
        pod_ips: ips(&status),
        ready: ready(&status.get("conditions")),
    }
}

/// Ports of the containers, then those of the sidecars: init containers that restart always.
fn ports(spec: &Field<'_>) -> Vec<ContainerPort> {
    let mut ports = Vec::new();
    for container in spec.get("containers").items() {
        ports.extend(
            container
                .get("ports")
                .items()
                .map(|port| container_port(&port, false)),
        );
    }
    for container in spec.get("initContainers").items() {
        if container.get("restartPolicy").text() == "Always" {
            ports.extend(
                container
                    .get("ports")
                    .items()
                    .map(|port| container_port(&port, true)),
            );
        }
    }
    ports
}

fn container_port(port: &Field<'_>, sidecar: bool) -> ContainerPort {
    ContainerPort {
        name: port.get("name").text(),
        number: port.get("containerPort").required_port(),
        protocol: port.get("protocol").protocol(),
        sidecar,
    }
}

/// `podIPs`, else `podIP`.
fn ips(status: &Field<'_>) -> SmallVec<[std::net::IpAddr; 1]> {
    let list = status.get("podIPs");
    if list.items().len() == 0 {
        return status.get("podIP").ip().into_iter().collect();
    }
    list.items()
        .filter_map(|entry| entry.get("ip").required_ip())
        .collect()
}

/// The first condition of type Ready is the one that counts.
fn ready(conditions: &Field<'_>) -> ReadyCondition {
    let statuses = conditions
        .items()
        .filter(|c| c.get("type").text() == "Ready")
        .map(|c| c.get("status").text());
    match statuses.into_iter().next().as_deref() {
        None => ReadyCondition::Absent,
        Some("True") => ReadyCondition::True,
        Some("False") => ReadyCondition::False,
        Some(_) => ReadyCondition::Unknown,
    }
}

impl Field<'_> {
    /// A transport protocol, TCP if absent.
    pub fn protocol(&self) -> Protocol {
        self.choice(Protocol::from_name, &["TCP", "UDP", "SCTP"])
    }
}
