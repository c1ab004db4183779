use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::model::{IpFamily, ObjectName, Protocol, TrafficPolicy};

use super::{Cidr, Place};

/// One port of a service in one IP family: what rules are made for, and what they are called by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortName {
    /// The family.
    pub family: IpFamily,
    /// The service.
    pub service: ObjectName,
    /// The port's name, or empty.
    pub port: SmolStr,
    /// Its protocol.
    pub protocol: Protocol,
}

/// A protocol as the kernel's tools spell it.
pub fn protocol_word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Sctp => "sctp",
    }
}

/// `namespace/name/protocol/port`, as kube-proxy's nftables mode has it.
impl fmt::Display for PortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}/{}",
            self.service.namespace,
            self.service.name,
            protocol_word(self.protocol),
            self.port
        )
    }
}

/// Where an endpoint listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Its address.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
}

/// What this node does with the traffic of one service port: everything rules are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortRules {
    /// Which port this is.
    pub name: Arc<PortName>,
    /// The service's virtual IPs of the family: nearly always one.
    pub cluster_ips: Vec<IpAddr>,
    /// The port of the virtual IPs.
    pub port: u16,
    /// The port on every node, or 0.
    pub node_port: u16,
    /// The port at which load balancers ask for the service's health, or 0.
    pub health_check_port: u16,
    /// External IPs and load-balancer IPs, each once.
    pub external_ips: Vec<IpAddr>,
    /// Which of them are load balancers': a controller writes those into the service's status.
    pub balancer_ips: Vec<IpAddr>,
    /// Who may use the load balancers' IPs; empty: everybody.
    pub source_ranges: Vec<Cidr>,
    /// For how many seconds a client stays with its endpoint; none: each connection is new.
    pub affinity_seconds: Option<u32>,
    /// Whom traffic to the virtual IPs may reach.
    pub internal_policy: TrafficPolicy,
    /// Whom traffic to the other addresses and the node port may reach.
    pub external_policy: TrafficPolicy,
    /// Whether there is an endpoint that could answer, on any node: without one, connections are
    /// refused; with one that a Local policy hides, packets are dropped.
    pub has_endpoints: bool,
    /// Whom the policy Cluster reaches.
    pub cluster: BTreeSet<Target>,
    /// Whom the policy Local reaches.
    pub local: BTreeSet<Target>,
    /// Everyone who serves, on any node: flows to others are stale.
    pub serving: BTreeSet<Target>,
}

impl PortRules {
    /// Whom traffic to the virtual IPs reaches.
    pub fn internal(&self) -> &BTreeSet<Target> {
        match self.internal_policy {
            TrafficPolicy::Cluster => &self.cluster,
            TrafficPolicy::Local => &self.local,
        }
    }

    /// Whom something reaches by a policy, in the order of their addresses; none, if nothing goes by it.
    pub fn reached_by(&self, policy: TrafficPolicy) -> impl Iterator<Item = &Target> {
        let external = self.is_external();
        let (goes_by_it, targets) = match policy {
            // Insiders go anywhere, whatever the external policy.
            TrafficPolicy::Cluster => (external, &self.cluster),
            TrafficPolicy::Local => (external && self.external_policy == policy, &self.local),
        };
        let goes_by_it = goes_by_it || self.internal_policy == policy;
        targets.iter().filter(move |_| goes_by_it)
    }

    /// Whom traffic reaches by any policy. Each of them may be the sender, on whatever node it is: what
    /// it sends to this node's addresses comes here, and may be sent back to it.
    pub fn reached(&self) -> BTreeSet<Target> {
        let everywhere = self.reached_by(TrafficPolicy::Cluster);
        let here = self.reached_by(TrafficPolicy::Local);
        everywhere.chain(here).copied().collect()
    }

    /// Where its traffic to an address goes.
    pub fn at(&self, ip: IpAddr) -> Place {
        Place::Address(ip, self.name.protocol, self.port)
    }

    /// Where its traffic to the node goes, if it has a node port.
    pub fn at_node(&self) -> Option<Place> {
        let place = Place::NodePort(self.name.family, self.name.protocol, self.node_port);
        (self.node_port != 0).then_some(place)
    }

    /// Whether it is everywhere that another is.
    pub fn has_all_of(&self, other: &PortRules) -> bool {
        let has = |ours: &[IpAddr], theirs: &[IpAddr]| theirs.iter().all(|ip| ours.contains(ip));
        has(&self.cluster_ips, &other.cluster_ips)
            && has(&self.external_ips, &other.external_ips)
            && (other.node_port == 0 || other.node_port == self.node_port)
    }

    /// Load-balancer IPs that only `source_ranges` may use.
    pub fn guarded_ips(&self) -> &[IpAddr] {
        match self.source_ranges.is_empty() {
            true => &[],
            false => &self.balancer_ips,
        }
    }

    /// Whether anything reaches it but through its virtual IPs.
    pub fn is_external(&self) -> bool {
        self.node_port != 0 || !self.external_ips.is_empty()
    }
}

/// A port on the node at which a load balancer asks whether the node has endpoints of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HealthCheck {
    /// The service.
    pub service: ObjectName,
    /// The port.
    pub port: u16,
    /// Ready endpoints on this node.
    pub local_endpoints: usize,
}
