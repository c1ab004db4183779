//! Which UDP flows go where nobody serves any more.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use crate::model::Protocol;

use super::{PortRules, Target};

/// Where flows of UDP services may go.
///
/// A flow that was once translated is not looked up again, so a client that keeps its port stays with
/// an endpoint that is gone until the flow is forgotten.
#[derive(Debug, Default)]
pub struct UdpServices {
    addresses: HashMap<(IpAddr, u16), BTreeSet<Target>>,
    node_ports: HashMap<u16, BTreeSet<Target>>,
}

impl UdpServices {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.node_ports.is_empty()
    }

    /// Whether some of it is a node port, so that the node's addresses matter.
    pub fn has_node_ports(&self) -> bool {
        !self.node_ports.is_empty()
    }

    /// Adds a service port, unless it is of another protocol. What two have, either may serve.
    pub fn add(&mut self, port: &PortRules) {
        self.put(port, &port.serving);
    }

    /// Adds where a service port was, which nobody serves now unless somebody else is added.
    pub fn add_gone(&mut self, port: &PortRules) {
        self.put(port, &BTreeSet::new());
    }

    fn put(&mut self, port: &PortRules, serving: &BTreeSet<Target>) {
        if port.name.protocol != Protocol::Udp {
            return;
        }
        for ip in port.cluster_ips.iter().chain(&port.external_ips) {
            let targets = self.addresses.entry((*ip, port.port)).or_default();
            targets.extend(serving);
        }
        if port.node_port != 0 {
            let targets = self.node_ports.entry(port.node_port).or_default();
            targets.extend(serving);
        }
    }

    /// Whether a flow to `destination`, answered from there, goes where nobody serves.
    pub fn is_stale(
        &self,
        destination: Target,
        answers_from: Target,
        node: &BTreeSet<IpAddr>,
    ) -> bool {
        let at_address = self.addresses.get(&(destination.ip, destination.port));
        let at_node = || {
            let targets = self.node_ports.get(&destination.port)?;
            node.contains(&destination.ip).then_some(targets)
        };
        at_address
            .or_else(at_node)
            .is_some_and(|serving| !serving.contains(&answers_from))
    }
}
