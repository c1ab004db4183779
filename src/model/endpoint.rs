use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::sync::Arc;

use smallvec::SmallVec;
use smol_str::SmolStr;

use super::{IpFamily, ObjectName, Protocol};

/// The addresses of one endpoint: nearly always one, sorted, all of one family.
pub type Addresses = SmallVec<[IpAddr; 1]>;

/// What makes an endpoint the same endpoint from one state to the next: sorted addresses, hostname
/// and the pod behind it. A new UID under the same identity is a change, not another endpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EndpointIdentity {
    /// The addresses, sorted.
    pub addresses: Addresses,
    /// The hostname, or empty.
    pub hostname: SmolStr,
    /// The pod behind the endpoint; hand-made endpoints may have none.
    pub pod: Option<ObjectName>,
}

impl EndpointIdentity {
    /// The family of the endpoint's addresses.
    pub fn family(&self) -> IpFamily {
        self.addresses.first().map_or(IpFamily::V4, IpFamily::of)
    }
}

impl fmt::Display for EndpointIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, address) in self.addresses.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{address}")?;
        }
        match &self.pod {
            Some(pod) => write!(f, " ({pod})"),
            None => Ok(()),
        }
    }
}

/// The three conditions of an endpoint; all three are always written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conditions {
    /// Should be given traffic.
    pub ready: bool,
    /// Could answer: ready, whether or not terminating.
    pub serving: bool,
    /// Is being deleted.
    pub terminating: bool,
}

/// For whom an endpoint is meant. Empty hints mean no hints.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hints {
    /// Zones whose clients should prefer this endpoint.
    pub zones: SmallVec<[SmolStr; 1]>,
    /// Nodes whose clients should prefer this endpoint.
    pub nodes: SmallVec<[SmolStr; 1]>,
}

impl Hints {
    /// Whether there are no hints.
    pub fn is_empty(&self) -> bool {
        self.zones.is_empty() && self.nodes.is_empty()
    }
}

/// A port of an EndpointSlice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EndpointPort {
    /// The service port's name, empty when it has none.
    pub name: SmolStr,
    /// The number; `None` in a hand-made slice means every port.
    pub number: Option<u16>,
    /// The protocol.
    pub protocol: Protocol,
    /// The application protocol, or empty.
    pub app_protocol: SmolStr,
}

/// Where an endpoint listens, said as briefly as it can be.
///
/// The numbers themselves are the port set: no table assigns an index to them, so that two
/// replicas with different histories say the same thing of the same endpoint. Turned into an
/// EndpointSlice's ports by [`super::Service::endpoint_ports`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointPorts {
    /// Every target port of the service is a number, so the service says it all.
    OfService,
    /// At least one target port is a name: one number for each service port, in the service's
    /// order, `None` where this pod has no port of that name.
    Resolved(SmallVec<[Option<NonZeroU16>; 4]>),
    /// A hand-made endpoint brings its own.
    Own(Arc<[EndpointPort]>),
}

/// One endpoint of a service, as the stream carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Who it is.
    pub identity: EndpointIdentity,
    /// UID of the pod behind it, or empty.
    pub uid: SmolStr,
    /// Where it listens.
    pub ports: EndpointPorts,
    /// Its conditions.
    pub conditions: Conditions,
    /// The node it is on, or empty.
    pub node: SmolStr,
    /// The zone of that node, or empty.
    pub zone: SmolStr,
    /// Its hints.
    pub hints: Hints,
}
