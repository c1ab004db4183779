use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use crate::engine::{Event, View};
use crate::model::{ObjectName, TrafficPolicy};

use super::linux::local_addresses;
use super::udp::{StaleFlows, UdpFlows};
use super::{
    Backend, Claims, HealthCheck, NodeView, PortRules, ProxyOptions, Report, SyncError, choose,
    health_check,
};

/// Keeps the kernel's rules what a view says, whichever way they are kept.
///
/// Synchronous: it waits for the kernel. It works in the network namespace of the thread it runs on,
/// which has to be the same one each time.
#[derive(Debug)]
pub struct Syncer {
    backend: Box<dyn Backend>,
    claims: Claims,
    node: NodeView,
    /// Services to be looked at.
    dirty: BTreeSet<ObjectName>,
    /// Services whose rules were refused, and why.
    refused: BTreeMap<ObjectName, String>,
    checks: BTreeMap<ObjectName, HealthCheck>,
    /// Services of which the node's addresses matter: those with source ranges.
    guarded: BTreeSet<ObjectName>,
    /// Ports of which a policy Local hides all endpoints there are: by the internal policy, by the
    /// external one.
    no_local: BTreeMap<ObjectName, [usize; 2]>,
    udp: UdpFlows,
}

impl Syncer {
    /// A syncer that knows of no service yet.
    pub fn new(options: &ProxyOptions, backend: Box<dyn Backend>) -> Syncer {
        Syncer {
            backend,
            claims: Claims::default(),
            node: NodeView {
                name: options.node.clone(),
                ..NodeView::default()
            },
            dirty: BTreeSet::new(),
            refused: BTreeMap::new(),
            checks: BTreeMap::new(),
            guarded: BTreeSet::new(),
            no_local: BTreeMap::new(),
            udp: UdpFlows::new(),
        }
    }

    /// Notes what a cut changed. Nothing is written.
    pub fn note(&mut self, view: &View, events: &[Event], dropped: &[ObjectName]) {
        self.dirty.extend(dropped.iter().cloned());
        for event in events {
            match event {
                Event::Replace(entry) | Event::Entry(entry) => {
                    self.dirty.insert(entry.service.name.clone());
                }
                Event::Endpoint { service, .. } | Event::Removed { service, .. } => {
                    if !self.dirty.contains(service) {
                        self.dirty.insert(service.clone());
                    }
                }
                Event::Remove(name) => {
                    self.dirty.insert(name.clone());
                }
                // Rules say nothing of revisions; of what a reset drops, the names are given.
                Event::Reset | Event::Rewritten { .. } | Event::Node(_) | Event::NodeRemoved(_) => {
                }
            }
        }
        if self.node.see(view) {
            self.dirty.extend(view.services().keys().cloned());
        }
    }

    /// Makes the kernel's rules what the view says, of all services that changed and of both families
    /// together. Whatever was noted and not written yet is written together.
    ///
    /// The kernel's rules are read and compared the first time, after a failure, and when
    /// [`Syncer::check`] found that somebody else wrote. A service whose rules are refused keeps those it
    /// had.
    ///
    /// # Errors
    /// When nothing could be written. What was noted is kept for the next time.
    pub fn sync(&mut self, view: &View) -> Result<Report, SyncError> {
        if self.node.addresses.is_empty() {
            self.see_addresses();
        }
        self.write(Some(view))
    }

    /// Makes the kernel's rules what they were when they were last written, whatever was noted since.
    ///
    /// # Errors
    /// When nothing could be written.
    pub fn mend(&mut self) -> Result<Report, SyncError> {
        self.write(None)
    }

    fn write(&mut self, view: Option<&View>) -> Result<Report, SyncError> {
        let mut report = Report::default();
        self.backend.begin(&mut report)?;
        if let Some(view) = view {
            self.choose(view);
        }
        let written = self.backend.write(&mut self.claims, &mut report);
        // Who was given up is to be tried again, whatever became of the others.
        for (service, why) in &report.refused {
            tracing::error!(%service, why, "the rules of this service were refused: it keeps those it had");
        }
        self.refused.extend(report.refused.iter().cloned());
        written?;
        // Who was refused may have given places back that others had lost to it.
        let settled = self.claims.written();
        for conflict in &settled.conflicts {
            tracing::warn!("{conflict}");
        }
        report.conflicts = settled.conflicts;
        for (name, ports) in &settled.services {
            self.udp.set(name, ports);
        }
        self.udp.written(|name| self.refused.contains_key(name));
        self.udp.ask(report.gone.iter().copied());
        Ok(report)
    }

    /// Whether the kernel has rules for any service, written by another process before this one. If they
    /// cannot be read, they may be there.
    pub fn finds_services(&mut self) -> bool {
        let begun = self.backend.begin(&mut Report::default());
        begun.is_err() || self.backend.found_services()
    }

    /// UDP flows that have to be looked through, after the rules that were written so far; none: none
    /// have to be. Whoever takes them has them forgotten, or gives them back.
    pub fn stale_flows(&mut self) -> Option<StaleFlows> {
        self.udp.take()
    }

    /// Takes back what could not be looked through.
    pub fn give_back(&mut self, flows: &StaleFlows) {
        self.udp.give_back(flows);
    }

    /// Looks at the addresses of the node's interfaces. Answers whether they are others than before: then
    /// services with source ranges are looked at by the next sync.
    pub fn see_addresses(&mut self) -> bool {
        let mut addresses = match local_addresses() {
            Ok(addresses) => addresses,
            Err(error) => {
                tracing::warn!(%error, "cannot ask for the node's addresses");
                return false;
            }
        };
        addresses.retain(|ip| !is_of_this_link_alone(ip));
        if addresses == self.node.addresses {
            return false;
        }
        self.node.addresses = addresses;
        self.dirty.extend(self.guarded.iter().cloned());
        true
    }

    /// Looks at the services that changed.
    fn choose(&mut self, view: &View) {
        for name in std::mem::take(&mut self.dirty) {
            self.refused.remove(&name);
            let service = view.services().get(&name);
            match service.and_then(|service| health_check(service, &self.node)) {
                Some(check) => self.checks.insert(name.clone(), check),
                None => self.checks.remove(&name),
            };
            let ports = service.map_or_else(Vec::new, |service| choose(service, &self.node));
            let ports: Vec<_> = ports.into_iter().map(Arc::new).collect();
            match ports.iter().any(|port| !port.guarded_ips().is_empty()) {
                true => self.guarded.insert(name.clone()),
                false => self.guarded.remove(&name),
            };
            match hidden(&ports) {
                [0, 0] => self.no_local.remove(&name),
                hidden => self.no_local.insert(name.clone(), hidden),
            };
            self.claims.put(&name, ports);
        }
        for (name, ports) in self.claims.settle() {
            self.backend.set(&name, ports);
        }
    }

    /// Who has which address and port, or node port, that several want.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The way in which rules are kept.
    pub fn backend(&mut self) -> &mut dyn Backend {
        self.backend.as_mut()
    }

    /// Whether somebody else changed rules since the last write. If so, the next sync reads and compares.
    pub fn check(&mut self) -> bool {
        self.backend.check()
    }

    /// The addresses of the node's interfaces, when they were last looked at, without those of a link
    /// alone.
    pub fn addresses(&self) -> &BTreeSet<IpAddr> {
        &self.node.addresses
    }

    /// Service ports that have endpoints, of which a policy Local hides all: the internal policy, the
    /// external one. The work is that of the services that have such ports.
    pub fn no_local(&self) -> [usize; 2] {
        let add =
            |[a, b]: [usize; 2], [c, d]: &[usize; 2]| [a.saturating_add(*c), b.saturating_add(*d)];
        self.no_local.values().fold([0, 0], add)
    }

    /// Has the services whose rules were refused tried again. Answers whether there are any.
    pub fn retry_refused(&mut self) -> bool {
        self.dirty.extend(self.refused.keys().cloned());
        !self.refused.is_empty()
    }

    /// Services whose rules were refused, and why.
    pub fn refused(&self) -> &BTreeMap<ObjectName, String> {
        &self.refused
    }

    /// What load balancers ask this node.
    pub fn health_checks(&self) -> Vec<HealthCheck> {
        self.checks.values().cloned().collect()
    }

    /// The whole rules as text, as if nothing were there.
    pub fn print(&mut self, view: &View) -> String {
        self.see_addresses();
        self.choose(view);
        self.backend.print()
    }
}

/// How many ports have endpoints of which a policy Local hides all, in any family: the internal policy, the
/// external one.
fn hidden(ports: &[Arc<PortRules>]) -> [usize; 2] {
    let mut hidden = [BTreeSet::new(), BTreeSet::new()];
    for port in ports
        .iter()
        .filter(|p| p.has_endpoints && p.local.is_empty())
    {
        // A port of both families is one.
        let name = (&port.name.port, port.name.protocol);
        let [internal, external] = &mut hidden;
        if port.internal_policy == TrafficPolicy::Local {
            internal.insert(name);
        }
        if port.external_policy == TrafficPolicy::Local && port.is_external() {
            external.insert(name);
        }
    }
    hidden.map(|ports| ports.len())
}

/// Whether nobody else can reach the node at an address.
fn is_of_this_link_alone(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Protocol;
    use crate::proxy::fixture;

    #[test]
    fn a_port_of_both_families_that_a_policy_hides_is_one() {
        let port = |ip: &str, endpoint: &str| {
            let mut port = fixture::port("web", Protocol::Tcp, ip, &[endpoint]);
            port.internal_policy = TrafficPolicy::Local;
            Arc::new(port)
        };
        let both = [
            port("10.96.0.1", "10.244.1.2:80"),
            port("fd00::1", "[fd00:1::2]:80"),
        ];
        assert_eq!(hidden(&both), [1, 0]);
    }
}
