//! Which UDP flows go where nobody serves any more.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use crate::model::Protocol;

use super::{PortRules, Target};

/// Where packets of a UDP service are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UdpKey {
    /// To an address and a port.
    Address(IpAddr, u16),
    /// To a port of any of the node's addresses.
    NodePort(u16),
}

impl UdpKey {
    /// Those of a service port; none, if it is of another protocol.
    pub fn of(port: &PortRules) -> Vec<UdpKey> {
        if port.name.protocol != Protocol::Udp {
            return Vec::new();
        }
        let ips = port.cluster_ips.iter().chain(&port.external_ips);
        let addresses = ips.map(|ip| UdpKey::Address(*ip, port.port));
        let node_port = (port.node_port != 0).then_some(UdpKey::NodePort(port.node_port));
        addresses.chain(node_port).collect()
    }
}

/// Who serves at some places of UDP services.
///
/// A flow that was once translated is not looked up again, so a client that keeps its port stays with
/// an endpoint that is gone until the flow is forgotten.
#[derive(Debug, Default)]
pub struct UdpServices {
    serving: HashMap<UdpKey, BTreeSet<Target>>,
    has_node_ports: bool,
}

impl UdpServices {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.serving.is_empty()
    }

    /// Whether some of it is a node port, so that the node's addresses matter.
    pub fn has_node_ports(&self) -> bool {
        self.has_node_ports
    }

    /// Adds who serves at a place, perhaps nobody. What two services have, either may serve.
    pub fn add<'a>(&mut self, key: UdpKey, serving: impl IntoIterator<Item = &'a Target>) {
        self.has_node_ports |= matches!(key, UdpKey::NodePort(_));
        self.serving.entry(key).or_default().extend(serving);
    }

    /// The places.
    pub fn keys(&self) -> impl Iterator<Item = UdpKey> {
        self.serving.keys().copied()
    }

    /// Whether a flow to `destination`, answered from there, goes where nobody serves.
    pub fn is_stale(
        &self,
        destination: Target,
        answers_from: Target,
        node: &BTreeSet<IpAddr>,
    ) -> bool {
        let at = |key| self.serving.get(&key);
        at(UdpKey::Address(destination.ip, destination.port))
            .or_else(|| {
                let serving = at(UdpKey::NodePort(destination.port))?;
                node.contains(&destination.ip).then_some(serving)
            })
            .is_some_and(|serving| !serving.contains(&answers_from))
    }
}
