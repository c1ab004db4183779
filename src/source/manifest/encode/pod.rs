use serde_json::Value;

use crate::model::{ContainerPort, Pod, ReadyCondition, Revision};

use super::fields::Fields;
use super::object::Metadata;

/// A v1 Pod. Containers are not kept, only their ports: ordinary ones show as those of one
/// container, sidecars' as those of one init container that restarts always.
pub fn pod(pod: &Pod, revision: Revision) -> Value {
    let metadata = Metadata {
        deletion_timestamp: pod.deletion_timestamp.as_ref(),
        ..Metadata::new(&pod.name, &pod.uid, &pod.labels, revision)
    };
    Fields::new()
        .with("apiVersion", "v1")
        .with("kind", "Pod")
        .with("metadata", metadata.json())
        .with("spec", spec(pod))
        .with("status", status(pod))
        .into()
}

fn spec(pod: &Pod) -> Fields {
    let ports = |sidecar: bool| -> Vec<Value> {
        pod.ports
            .iter()
            .filter(|port| port.sidecar == sidecar)
            .map(container_port)
            .collect()
    };
    let containers: Vec<Value> = match ports(false) {
        ports if ports.is_empty() => Vec::new(),
        ports => vec![Fields::new().with("ports", ports).into()],
    };
    let sidecars: Vec<Value> = match ports(true) {
        ports if ports.is_empty() => Vec::new(),
        ports => vec![
            Fields::new()
                .with("ports", ports)
                .with("restartPolicy", "Always")
                .into(),
        ],
    };
    Fields::new()
        .with("containers", containers)
        .with_some("hostname", pod.hostname.as_str())
        .with_some("initContainers", sidecars)
        .with_some("nodeName", pod.node_name.as_str())
        .with_some("subdomain", pod.subdomain.as_str())
}

fn container_port(port: &ContainerPort) -> Value {
    Fields::new()
        .with("containerPort", port.number)
        .with_some("name", port.name.as_str())
        .with("protocol", port.protocol.as_str())
        .into()
}

fn status(pod: &Pod) -> Fields {
    let ready = match pod.ready {
        ReadyCondition::Absent => None,
        ReadyCondition::True => Some("True"),
        ReadyCondition::False => Some("False"),
        ReadyCondition::Unknown => Some("Unknown"),
    };
    let conditions: Vec<Value> = ready
        .map(|status| {
            Fields::new()
                .with("status", status)
                .with("type", "Ready")
                .into()
        })
        .into_iter()
        .collect();
    let ips: Vec<Value> = pod
        .pod_ips
        .iter()
        .map(|ip| Fields::new().with("ip", ip.to_string()).into())
        .collect();
    Fields::new()
        .with_some("conditions", conditions)
        .with_some("phase", pod.phase.as_str())
        .with_some("podIP", pod.pod_ips.first().map(ToString::to_string))
        .with_some("podIPs", ips)
}
