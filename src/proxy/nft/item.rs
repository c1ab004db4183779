use crate::model::Protocol;

use super::super::ledger::Entry;

/// What a packet is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Its destination address and port.
    Ip,
    /// Its destination port alone, at the node's own addresses.
    NodePort,
}

/// A set or map that all services share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shared {
    /// Key → the chain that picks an endpoint.
    Service(Key),
    /// Key → the chain for traffic from inside, under the external policy Local.
    ShortCircuit(Key),
    /// Key → the chain for everybody else, under the external policy Local.
    Local(Key),
    /// Key without its protocol, place → endpoint.
    Endpoint(Key, Protocol),
    /// Key without its protocol, place → endpoint on this node.
    LocalEndpoint(Key, Protocol),
    /// Key → refusal or silence.
    NoEndpoint(Key),
    /// Key of an address → the chain that knows who may come in.
    Firewall,
    /// Every virtual IP.
    ClusterIps,
    /// Pairs of an address with itself.
    Hairpin,
}

const PROTOCOLS: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];

impl Shared {
    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = Shared> {
        let keys = [Key::Ip, Key::NodePort].into_iter();
        let by_key = keys.flat_map(|key| {
            let protocols = PROTOCOLS.into_iter();
            let endpoints = protocols.flat_map(move |protocol| {
                [
                    Shared::Endpoint(key, protocol),
                    Shared::LocalEndpoint(key, protocol),
                ]
            });
            [
                Shared::Service(key),
                Shared::ShortCircuit(key),
                Shared::Local(key),
                Shared::NoEndpoint(key),
            ]
            .into_iter()
            .chain(endpoints)
        });
        by_key.chain([Shared::Firewall, Shared::ClusterIps, Shared::Hairpin])
    }

    /// Its name in the table.
    pub fn as_str(self) -> &'static str {
        use Key::{Ip, NodePort};
        use Protocol::{Sctp, Tcp, Udp};
        match self {
            Shared::Service(Ip) => "service-ips",
            Shared::Service(NodePort) => "service-nodeports",
            Shared::ShortCircuit(Ip) => "short-circuit-ips",
            Shared::ShortCircuit(NodePort) => "short-circuit-nodeports",
            Shared::Local(Ip) => "local-ips",
            Shared::Local(NodePort) => "local-nodeports",
            Shared::NoEndpoint(Ip) => "no-endpoint-ips",
            Shared::NoEndpoint(NodePort) => "no-endpoint-nodeports",
            Shared::Endpoint(Ip, Tcp) => "endpoint-ips-tcp",
            Shared::Endpoint(Ip, Udp) => "endpoint-ips-udp",
            Shared::Endpoint(Ip, Sctp) => "endpoint-ips-sctp",
            Shared::Endpoint(NodePort, Tcp) => "endpoint-nodeports-tcp",
            Shared::Endpoint(NodePort, Udp) => "endpoint-nodeports-udp",
            Shared::Endpoint(NodePort, Sctp) => "endpoint-nodeports-sctp",
            Shared::LocalEndpoint(Ip, Tcp) => "local-endpoint-ips-tcp",
            Shared::LocalEndpoint(Ip, Udp) => "local-endpoint-ips-udp",
            Shared::LocalEndpoint(Ip, Sctp) => "local-endpoint-ips-sctp",
            Shared::LocalEndpoint(NodePort, Tcp) => "local-endpoint-nodeports-tcp",
            Shared::LocalEndpoint(NodePort, Udp) => "local-endpoint-nodeports-udp",
            Shared::LocalEndpoint(NodePort, Sctp) => "local-endpoint-nodeports-sctp",
            Shared::Firewall => "firewall-ips",
            Shared::ClusterIps => "cluster-ips",
            Shared::Hairpin => "hairpin",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Shared> {
        Shared::all().find(|set| set.as_str() == name)
    }

    /// Whether its elements map to something.
    pub fn is_map(self) -> bool {
        !matches!(self, Shared::ClusterIps | Shared::Hairpin)
    }
}

/// One thing in a table that can come, change and go by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// A set or map whose elements are items of their own. They are declared before other sets: a
    /// kernel may look for a name along the list of all.
    Set(Shared),
    /// A set that the kernel fills, with times.
    AffinitySet(String),
    /// A chain; its value is its rules, one a line.
    Chain(String),
    /// An element and its key; its value is what the key maps to, or empty.
    Element(Shared, String),
}

impl Entry for Item {
    fn same(&self, one: &str, other: &str) -> bool {
        // nft lists `dnat ip addr . port to` without the words between.
        let spelt = |rules: &str| rules.replace(" addr . port to ", " to ");
        match self {
            Item::Chain(_) => one == other || spelt(one) == spelt(other),
            _ => one == other,
        }
    }
}
