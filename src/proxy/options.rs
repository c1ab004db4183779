use std::time::Duration;

use smol_str::SmolStr;

use super::Cidr;

/// What the operator decides about a node's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyOptions {
    /// The node whose rules these are.
    pub node: SmolStr,
    /// How traffic of this node's pods is told from other traffic.
    pub pod_traffic: PodTraffic,
    /// Local addresses at which node ports answer; empty: at all but loopback.
    pub node_port_addresses: Vec<Cidr>,
    /// Ranges of cluster IPs: what goes to an address in them that no service has is dropped.
    pub service_cidrs: Vec<Cidr>,
    /// Whether everything that goes to a cluster IP is masqueraded.
    pub masquerade_all: bool,
    /// Which bit of a packet's mark says that it is to be masqueraded, from 0 to 31.
    pub masquerade_bit: u8,
    /// Least time from the beginning of one write to the beginning of the next.
    pub min_sync_period: Duration,
    /// How often it is asked whether somebody else changed the rules, or the node's addresses.
    pub check_period: Duration,
    /// The longest wait before what failed is tried again: a write, or a service that was refused.
    pub sync_period: Duration,
}

/// How traffic of this node's pods is told from other traffic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PodTraffic {
    /// It cannot be told: traffic from outside to a cluster IP is not masqueraded, and pods are
    /// outsiders to services with the external policy Local.
    #[default]
    Unknown,
    /// By its source address.
    Cidrs(Vec<Cidr>),
    /// By the bridge it comes from.
    Interface(SmolStr),
    /// By how the names of the interfaces it comes from begin.
    InterfacePrefix(SmolStr),
}

impl ProxyOptions {
    /// The defaults, for a node.
    pub fn of_node(node: impl Into<SmolStr>) -> ProxyOptions {
        ProxyOptions {
            node: node.into(),
            pod_traffic: PodTraffic::Unknown,
            node_port_addresses: Vec::new(),
            service_cidrs: Vec::new(),
            masquerade_all: false,
            // 14 and 15 are kube-proxy's and the kubelet's, 16 to 31 Calico's, 8 to 11 Cilium's.
            masquerade_bit: 13,
            min_sync_period: Duration::from_millis(100),
            check_period: Duration::from_secs(10),
            sync_period: Duration::from_secs(30),
        }
    }

    /// For how long an update may wait: twice as long as it does at most while writes succeed, or between
    /// two that fail.
    pub(super) fn patience(&self) -> Duration {
        self.sync_period.max(self.min_sync_period).saturating_mul(2)
    }

    /// The mark's bit, set.
    pub(super) fn mark(&self) -> u32 {
        1u32.checked_shl(u32::from(self.masquerade_bit))
            .unwrap_or(1 << 13)
    }
}
