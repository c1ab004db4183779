//! Who has an address and port, or a node port, that several service ports want.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

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
/// virtual IPs are given out by the cluster. A load-balancer IP comes before an external IP: a controller
/// writes it, and whoever may write a service can give it any external IP, another's among them. Among
/// equals, one with endpoints comes before one that has none, and then it is the first by name.
#[derive(Debug, Default)]
pub struct Claims {
    /// The ports of each service as it wants them.
    services: BTreeMap<ObjectName, Vec<Arc<PortRules>>>,
    places: HashMap<Place, Claimants>,
    /// What ports want and others have.
    lost: BTreeMap<Arc<PortName>, BTreeSet<Place>>,
    /// Services that were put since they were last settled.
    put: BTreeSet<ObjectName>,
    /// What ports gained or lost since then, and whether they lacked it before.
    moved: BTreeMap<(Arc<PortName>, Place), bool>,
    /// Services that were put or settled since rules were last written, as they wanted their ports then.
    before: BTreeMap<ObjectName, Vec<Arc<PortRules>>>,
    /// What ports gained or lost since then, and whether they lacked it before.
    lacked: BTreeMap<(Arc<PortName>, Place), bool>,
}

/// A port wants a place. The least has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    kind: Kind,
    /// kube-proxy refuses what no rule has sent on, so that one with endpoints answers there.
    has_no_endpoints: bool,
    port: Arc<PortName>,
}

/// What a place is to who wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    VirtualIp,
    BalancerIp,
    ExternalIp,
    NodePort,
}

/// Who wants a place: nearly always one, and of an external IP that all services have, thousands. Never
/// empty.
#[derive(Debug)]
enum Claimants {
    One(Claim),
    Many(BTreeSet<Claim>),
}

impl Claimants {
    /// Who has the place.
    fn first(&self) -> Option<&Claim> {
        match self {
            Claimants::One(claim) => Some(claim),
            Claimants::Many(claims) => claims.first(),
        }
    }

    /// Answers whether it is new. The work is the logarithm of the claims'.
    fn insert(&mut self, claim: Claim) -> bool {
        match self {
            Claimants::One(only) if *only == claim => false,
            Claimants::One(only) => {
                *self = Claimants::Many(BTreeSet::from([only.clone(), claim]));
                true
            }
            Claimants::Many(claims) => claims.insert(claim),
        }
    }

    /// Answers whether anybody is left.
    fn remove(&mut self, claim: &Claim) -> bool {
        match self {
            Claimants::One(only) => only != claim,
            Claimants::Many(claims) => {
                claims.remove(claim);
                !claims.is_empty()
            }
        }
    }
}

/// The ports of services, without what others have.
pub type SettledServices = Vec<(ObjectName, Vec<Arc<PortRules>>)>;

/// What changed since rules were last written.
#[derive(Debug)]
pub struct Settled {
    /// The services that were put, and those that gained or lost a place.
    pub services: SettledServices,
    /// Who lacks a place that it did not lack before.
    pub conflicts: Vec<Conflict>,
}

impl Claims {
    /// Makes the ports of a service these; none: it is gone. The work is that of its places, and the
    /// logarithm of all.
    pub fn put(&mut self, service: &ObjectName, ports: Vec<Arc<PortRules>>) {
        let old = self.services.remove(service).unwrap_or_default();
        let (was, is) = (wanted(&old), wanted(&ports));
        // One that wants a place otherwise than before, or has endpoints now or none, claims it anew.
        for (place, claim) in was.difference(&is) {
            self.release(*place, claim);
        }
        for (place, claim) in is.difference(&was) {
            self.claim(*place, claim.clone());
        }
        if !ports.is_empty() {
            self.services.insert(service.clone(), ports);
        }
        self.before.entry(service.clone()).or_insert(old);
        self.put.insert(service.clone());
    }

    fn claim(&mut self, place: Place, claim: Claim) {
        let claimants = match self.places.entry(place) {
            Entry::Occupied(claimants) => claimants.into_mut(),
            Entry::Vacant(nobody) => {
                nobody.insert(Claimants::One(claim));
                return;
            }
        };
        let owner = claimants.first().cloned();
        if claimants.insert(claim.clone()) {
            // Who comes first takes it from who was, and others go without.
            let loser = owner.map_or(claim.clone(), |owner| owner.max(claim));
            self.note(loser.port, place, true);
        }
    }

    fn release(&mut self, place: Place, claim: &Claim) {
        let Some(claimants) = self.places.get_mut(&place) else {
            return;
        };
        let was_owner = claimants.first() == Some(claim);
        let is_left = claimants.remove(claim);
        let next = match was_owner {
            true => claimants.first().filter(|_| is_left),
            // It wants it no more.
            false => Some(claim),
        };
        let next = next.map(|next| next.port.clone());
        if !is_left {
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

    /// Answers the services that were put since the last time, and those that gained or lost a place, each
    /// with its ports without what others have. The work is that of the ports of these services.
    pub fn settle(&mut self) -> SettledServices {
        let mut names = std::mem::take(&mut self.put);
        for ((port, place), was_lost) in std::mem::take(&mut self.moved) {
            if self.lacks(&port, place) != was_lost {
                names.insert(port.service.clone());
            }
            self.lacked.entry((port, place)).or_insert(was_lost);
        }
        for name in &names {
            if !self.before.contains_key(name) {
                let now = self.now(name).to_vec();
                self.before.insert(name.clone(), now);
            }
        }
        self.without_lost(names)
    }

    /// What was settled has been written. Answers what came of it since the last time: what was taken back
    /// in between is no change. The work is that of the ports of the services that were settled.
    pub fn written(&mut self) -> Settled {
        let lacked = std::mem::take(&mut self.lacked).into_iter();
        let new = lacked.filter(|(_, was_lost)| !was_lost);
        let conflicts = new.filter_map(|((port, place), _)| self.conflict(&port, place));
        let conflicts = conflicts.collect();
        let names = std::mem::take(&mut self.before).into_keys();
        Settled {
            services: self.without_lost(names),
            conflicts,
        }
    }

    /// The ports of a service as it wants them.
    pub fn now(&self, service: &ObjectName) -> &[Arc<PortRules>] {
        self.services.get(service).map_or(&[], Vec::as_slice)
    }

    /// The ports of a service as it wanted them when rules were last written.
    pub fn before(&self, service: &ObjectName) -> &[Arc<PortRules>] {
        match self.before.get(service) {
            Some(before) => before,
            None => self.now(service),
        }
    }

    fn lacks(&self, port: &Arc<PortName>, place: Place) -> bool {
        let lost = self.lost.get(port);
        lost.is_some_and(|lost| lost.contains(&place))
    }

    fn conflict(&self, wants: &Arc<PortName>, place: Place) -> Option<Conflict> {
        self.lacks(wants, place).then_some(())?;
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

    fn without_lost(&self, names: impl IntoIterator<Item = ObjectName>) -> SettledServices {
        let ports = |name: ObjectName| {
            let ports = self.ports(&name);
            (name, ports)
        };
        names.into_iter().map(ports).collect()
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
        let mut want = |place, kind| {
            let claim = Claim {
                kind,
                has_no_endpoints: !port.has_endpoints,
                port: port.name.clone(),
            };
            all.insert((place, claim));
        };
        for ip in &port.cluster_ips {
            want(port.at(*ip), Kind::VirtualIp);
        }
        for ip in &port.external_ips {
            let kind = match port.balancer_ips.contains(ip) {
                true => Kind::BalancerIp,
                false => Kind::ExternalIp,
            };
            want(port.at(*ip), kind);
        }
        if let Some(place) = port.at_node() {
            want(place, Kind::NodePort);
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
    left.balancer_ips.retain(is_left);
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
