//! Pods.

use smol_str::SmolStr;

use crate::model::{ContainerPort, ObjectName, Phase, Pod, ReadyCondition};

use super::faults::{Decoded, Faults, port_number};
use super::labels::{decode_labels, encode_labels};
use super::name::{decode_ip, decode_protocol, encode_protocol, unknown_number};
use super::proto;
use super::proto::pod::{ConditionStatus, Phase as WirePhase};

/// A pod, whole.
pub fn encode_pod(pod: &Pod) -> proto::Pod {
    proto::Pod {
        namespace: pod.name.namespace.to_string(),
        name: pod.name.name.to_string(),
        uid: pod.uid.to_string(),
        labels: encode_labels(&pod.labels),
        deletion_timestamp: text(pod.deletion_timestamp.as_ref()),
        node_name: pod.node_name.to_string(),
        hostname: pod.hostname.to_string(),
        subdomain: pod.subdomain.to_string(),
        ports: pod.ports.iter().map(encode_port).collect(),
        phase: encode_phase(pod.phase).into(),
        pod_ips: pod.pod_ips.iter().map(ToString::to_string).collect(),
        ready: encode_ready(pod.ready).into(),
    }
}

/// A pod, as it stands: [`super::decode_transaction`] also asks the rules for entering a transaction.
///
/// # Errors
/// Every field that cannot be what it says.
pub fn decode_pod(pod: proto::Pod) -> Decoded<Pod> {
    let mut faults = Faults::default();
    let decoded = Pod {
        name: ObjectName::new(pod.namespace, pod.name),
        uid: pod.uid.into(),
        labels: faults.part("labels", decode_labels(&pod.labels)),
        deletion_timestamp: optional(pod.deletion_timestamp),
        node_name: pod.node_name.into(),
        hostname: pod.hostname.into(),
        subdomain: pod.subdomain.into(),
        ports: faults
            .list::<_, _, Vec<_>>("ports", pod.ports, decode_port)
            .into(),
        phase: faults.part("phase", decode_phase(pod.phase)),
        pod_ips: faults.list("pod_ips", pod.pod_ips, decode_ip),
        ready: faults.part("ready", decode_ready(pod.ready)),
    };
    faults.finish(decoded)
}

pub(super) fn text(text: Option<&SmolStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

pub(super) fn optional(text: String) -> Option<SmolStr> {
    (!text.is_empty()).then(|| text.into())
}

fn encode_port(port: &ContainerPort) -> proto::ContainerPort {
    proto::ContainerPort {
        name: port.name.to_string(),
        number: port.number.into(),
        protocol: encode_protocol(port.protocol),
        sidecar: port.sidecar,
    }
}

fn decode_port(port: proto::ContainerPort) -> Decoded<ContainerPort> {
    let mut faults = Faults::default();
    let decoded = ContainerPort {
        name: port.name.into(),
        number: faults.part("number", port_number(port.number)),
        protocol: faults.part("protocol", decode_protocol(port.protocol)),
        sidecar: port.sidecar,
    };
    faults.finish(decoded)
}

fn encode_phase(phase: Phase) -> WirePhase {
    match phase {
        Phase::Unset => WirePhase::Unspecified,
        Phase::Pending => WirePhase::Pending,
        Phase::Running => WirePhase::Running,
        Phase::Succeeded => WirePhase::Succeeded,
        Phase::Failed => WirePhase::Failed,
        Phase::Unknown => WirePhase::Unknown,
    }
}

pub(super) fn decode_phase(number: i32) -> Decoded<Phase> {
    match WirePhase::try_from(number) {
        Ok(WirePhase::Unspecified) => Ok(Phase::Unset),
        Ok(WirePhase::Pending) => Ok(Phase::Pending),
        Ok(WirePhase::Running) => Ok(Phase::Running),
        Ok(WirePhase::Succeeded) => Ok(Phase::Succeeded),
        Ok(WirePhase::Failed) => Ok(Phase::Failed),
        Ok(WirePhase::Unknown) => Ok(Phase::Unknown),
        Err(_) => unknown_number(number),
    }
}

fn encode_ready(ready: ReadyCondition) -> ConditionStatus {
    match ready {
        ReadyCondition::Absent => ConditionStatus::Unspecified,
        ReadyCondition::True => ConditionStatus::True,
        ReadyCondition::False => ConditionStatus::False,
        ReadyCondition::Unknown => ConditionStatus::Unknown,
    }
}

pub(super) fn decode_ready(number: i32) -> Decoded<ReadyCondition> {
    match ConditionStatus::try_from(number) {
        Ok(ConditionStatus::Unspecified) => Ok(ReadyCondition::Absent),
        Ok(ConditionStatus::True) => Ok(ReadyCondition::True),
        Ok(ConditionStatus::False) => Ok(ReadyCondition::False),
        Ok(ConditionStatus::Unknown) => Ok(ReadyCondition::Unknown),
        Err(_) => unknown_number(number),
    }
}
