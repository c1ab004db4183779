//! Who has an address and port, or a node port, that several service ports want.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::model::{IpFamily, ObjectName, Protocol};

use super::{PortName, PortRules, protocol_word};

/// Where packets are sent to that a service port wants for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A port of an address.
    Address(IpAddr, Protocol, u16),
    /// A port of all addresses that the node has in a family.
    NodePort(IpFamily, Protocol, u16),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Address(ip, protocol, port) => {
                write!(f, "{} port {port} of {ip}", protocol_word(*protocol))
            }
            Place::NodePort(family, protocol, port) => {
                let (protocol, family) = (protocol_word(*protocol), family.as_str());
                write!(f, "{protocol} node port {port} of {family}")
            }
        }
    }
}

/// Two service ports want one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What both want.
    pub place: Place,
    /// Who has it.
    pub has: Arc<PortName>,
    /// Who has nothing of it.
    pub wants: Arc<PortName>,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is {}'s, and {} wants it too",
            self.place, self.has, self.wants
        )
    }
}

/// Settles who has which place, before anybody's rules are made: each place is one service port's, and
/// others have nothing there.
///
/// Whose it is does not depend on who came first. A virtual IP comes before addresses of other kinds:
/// virtual IPs are given out by the cluster, and whoever may write a service can give it any external
/// IP, another's virtual IP among them. Among equals it is the first by name.
#[derive(Debug, Default)]
pub struct Claims {
    /// The ports of each service as it wants them.
    services: BTreeMap<ObjectName, Vec<Arc<PortRules>>>,
    /// Who wants a place, in the order in which they come to have it: nearly always one.
    places: HashMap<Place, SmallVec<[Claim; 1]>>,
    /// What ports want and others have.
    lost: BTreeMap<Arc<PortName>, BTreeSet<Place>>,
    /// Services that were put since they were last settled.
    put: BTreeSet<ObjectName>,
    /// What ports gained or lost since then, and whether they lacked it before.
    moved: BTreeMap<(Arc<PortName>, Place), bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    /// Whether it is anything but a virtual IP.
    is_external: bool,
    port: Arc<PortName>,
}

/// What changed since claims were last settled.
#[derive(Debug)]
pub struct Settled {
    /// The services that were put, and those that gained or lost a place, each with its ports without
    /// what others have.
    pub services: Vec<(ObjectName, Vec<Arc<PortRules>>)>,
    /// Who lacks a place that it did not lack before.
    pub conflicts: Vec<Conflict>,
}

impl Claims {
    /// Makes the ports of a service these; none: it is gone. The work is that of its places, and the
    /// logarithm of all.
    pub fn put(&mut self, service: &ObjectName, ports: Vec<Arc<PortRules>>) {
        let old = self.services.remove(service).unwrap_or_default();
        let (was, is) = (wanted(&old), wanted(&ports));
        // A port that wants a place otherwise than before wants it once.
        for (place, claim) in was.difference(&is) {
            self.release(*place, claim);
        }
        for (place, claim) in is.difference(&was) {
            self.claim(*place, claim.clone());
        }
        if !ports.is_empty() {
            self.services.insert(service.clone(), ports);
        }
        self.put.insert(service.clone());
    }

    fn claim(&mut self, place: Place, claim: Claim) {
        let claims = self.places.entry(place).or_default();
        let Err(at) = claims.binary_search(&claim) else {
            return;
        };
        claims.insert(at, claim);
        // Who comes first takes it from who was, and others go without.
        if let Some(loser) = claims.get(at.max(1)) {
            let loser = loser.port.clone();
            self.note(loser, place, true);
        }
    }

    fn release(&mut self, place: Place, claim: &Claim) {
        let Some(claims) = self.places.get_mut(&place) else {
            return;
        };
        let Ok(at) = claims.binary_search(claim) else {
            return;
        };
        let released = claims.remove(at);
        let next = match at {
            0 => claims.first().map(|next| next.port.clone()),
            // It wants it no more.
            _ => Some(released.port),
        };
        if claims.is_empty() {
            self.places.remove(&place);
        }
        if let Some(port) = next {
            self.note(port, place, false);
        }
    }

    /// Whether a port lacks a place that it wants.
    fn note(&mut self, port: Arc<PortName>, place: Place, is_lost: bool) {
        let lost = self.lost.entry(port.clone()).or_default();
        let was_lost = match is_lost {
            true => !lost.insert(place),
            false => lost.remove(&place),
        };
        if lost.is_empty() {
            self.lost.remove(&port);
        }
        self.moved.entry((port, place)).or_insert(was_lost);
    }

    /// Answers what changed since the last time. The work is that of the ports of these services.
    pub fn settle(&mut self) -> Settled {
        let mut names = std::mem::take(&mut self.put);
        let mut conflicts = Vec::new();
        for ((port, place), was_lost) in std::mem::take(&mut self.moved) {
            let conflict = self.conflict(&port, place);
            if conflict.is_some() != was_lost {
                names.insert(port.service.clone());
            }
            conflicts.extend(conflict.filter(|_| !was_lost));
        }
        let ports = |name: ObjectName| {
            let ports = self.ports(&name);
            (name, ports)
        };
        Settled {
            services: names.into_iter().map(ports).collect(),
            conflicts,
        }
    }

    fn conflict(&self, wants: &Arc<PortName>, place: Place) -> Option<Conflict> {
        self.lost.get(wants)?.get(&place)?;
        Some(Conflict {
            place,
            has: self.owner(place)?.clone(),
            wants: wants.clone(),
        })
    }

    /// Whose a place is.
    pub fn owner(&self, place: Place) -> Option<&Arc<PortName>> {
        Some(&self.places.get(&place)?.first()?.port)
    }

    /// The ports of a service, without what others have.
    fn ports(&self, service: &ObjectName) -> Vec<Arc<PortRules>> {
        let ports = self.services.get(service).into_iter().flatten();
        let without = |port: &Arc<PortRules>| match self.lost.get(&port.name) {
            None => port.clone(),
            Some(lost) => Arc::new(without(port, lost)),
        };
        ports.map(without).collect()
    }

    /// How many service ports lack a place that they want.
    pub fn losers(&self) -> usize {
        self.lost.len()
    }

    /// Who lacks which place now, in order of their names.
    pub fn conflicts(&self) -> impl Iterator<Item = Conflict> {
        let lost = self.lost.iter();
        let places = lost.flat_map(|(port, places)| places.iter().map(move |place| (port, *place)));
        places.filter_map(|(port, place)| self.conflict(port, place))
    }
}

/// What ports want.
fn wanted(ports: &[Arc<PortRules>]) -> BTreeSet<(Place, Claim)> {
    let mut all = BTreeSet::new();
    for port in ports {
        let mut want = |place, is_external| {
            let port = port.name.clone();
            all.insert((place, Claim { is_external, port }));
        };
        for ip in &port.cluster_ips {
            want(port.at(*ip), false);
        }
        for ip in &port.external_ips {
            want(port.at(*ip), true);
        }
        if let Some(place) = port.at_node() {
            want(place, true);
        }
    }
    all
}

/// A port without places that others have.
fn without(port: &PortRules, lost: &BTreeSet<Place>) -> PortRules {
    let mut left = port.clone();
    let is_left = |ip: &IpAddr| !lost.contains(&port.at(*ip));
    left.cluster_ips.retain(is_left);
    left.external_ips.retain(is_left);
    left.guarded_ips.retain(is_left);
    if port.at_node().is_some_and(|place| lost.contains(&place)) {
        left.node_port = 0;
    }
    if left.cluster_ips.is_empty() && !left.is_external() {
        // Nobody is sent to whom nothing leads to.
        left.cluster.clear();
        left.local.clear();
    }
    left
}
