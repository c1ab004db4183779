use std::net::IpAddr;
use std::sync::Arc;

use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::labels::LabelSet;

use super::{IpFamily, ObjectName};

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Protocol {
    /// TCP, the API's default.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// `TCP`, `UDP` or `SCTP`.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Sctp => "SCTP",
        }
    }

    /// Reads Kubernetes' own spelling, case and all.
    pub fn from_name(name: &str) -> Option<Protocol> {
        [Protocol::Tcp, Protocol::Udp, Protocol::Sctp]
            .into_iter()
            .find(|p| p.as_str() == name)
    }
}

/// `status.phase`. Only [`Phase::Succeeded`] and [`Phase::Failed`] keep a pod out of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Phase {
    /// Absent or empty.
    #[default]
    Unset,
    /// Accepted, not all containers started.
    Pending,
    /// At least one container runs, starts or restarts.
    Running,
    /// All containers ended well and will not restart.
    Succeeded,
    /// All containers ended, at least one badly.
    Failed,
    /// The kubelet could not be asked.
    Unknown,
}

impl Phase {
    /// Kubernetes' own word, empty when unset.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Unset => "",
            Phase::Pending => "Pending",
            Phase::Running => "Running",
            Phase::Succeeded => "Succeeded",
            Phase::Failed => "Failed",
            Phase::Unknown => "Unknown",
        }
    }

    /// Reads Kubernetes' own spelling, case and all; empty is [`Phase::Unset`].
    pub fn from_name(name: &str) -> Option<Phase> {
        [
            Phase::Unset,
            Phase::Pending,
            Phase::Running,
            Phase::Succeeded,
            Phase::Failed,
            Phase::Unknown,
        ]
        .into_iter()
        .find(|p| p.as_str() == name)
    }

    /// Whether the pod has ended for good.
    pub fn is_terminal(self) -> bool {
        matches!(self, Phase::Succeeded | Phase::Failed)
    }
}

/// Status of the first condition of type Ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ReadyCondition {
    /// There is no such condition.
    #[default]
    Absent,
    /// `True`: the only value that makes a pod ready.
    True,
    /// `False`.
    False,
    /// `Unknown`, or any other text.
    Unknown,
}

/// A port of a container, in container order; ports of sidecars (init containers that restart
/// always) come after those of ordinary containers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerPort {
    /// Its name, or empty. A service's named target port is looked up by it.
    pub name: SmolStr,
    /// Its number, 1 to 65535.
    pub number: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// Whether it belongs to a sidecar: consulted only when no ordinary container's port fits.
    pub sidecar: bool,
}

/// What is kept of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pod {
    /// Namespace and name.
    pub name: ObjectName,
    /// Its UID, or empty.
    pub uid: SmolStr,
    /// Its labels.
    pub labels: LabelSet,
    /// RFC 3339 text; set, even in the future, it makes the pod a terminating one.
    pub deletion_timestamp: Option<SmolStr>,
    /// `spec.nodeName`, or empty.
    pub node_name: SmolStr,
    /// `spec.hostname`, or empty.
    pub hostname: SmolStr,
    /// `spec.subdomain`, or empty.
    pub subdomain: SmolStr,
    /// Container ports: those of ordinary containers, then those of sidecars.
    pub ports: Arc<[ContainerPort]>,
    /// `status.phase`.
    pub phase: Phase,
    /// `status.podIPs`, in order; filled from `status.podIP` where that list is empty.
    pub pod_ips: SmallVec<[IpAddr; 1]>,
    /// The Ready condition.
    pub ready: ReadyCondition,
}

impl Pod {
    /// The addresses of one family, in the pod's order.
    pub fn ips(&self, family: IpFamily) -> impl Iterator<Item = &IpAddr> {
        self.pod_ips
            .iter()
            .filter(move |ip| IpFamily::of(ip) == family)
    }
}
