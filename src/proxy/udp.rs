use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use crate::model::{ObjectName, Protocol};

use super::PortRules;
use super::linux::{delete_flow, local_addresses, udp_flows};
use super::stale::UdpServices;

type Ports = Vec<Arc<PortRules>>;

/// Has the kernel forget UDP flows to endpoints that serve no more, once the rules send nobody there.
#[derive(Debug)]
pub(super) struct UdpFlows {
    /// The UDP ports of the services that have some.
    services: BTreeMap<ObjectName, Ports>,
    /// What services that changed were when their rules were last written.
    before: BTreeMap<ObjectName, Ports>,
    /// Ports that changed, as they were and as they are, of which flows have not been looked through.
    changed: Ports,
    /// Whether flows of before this process may be stale.
    unseen: bool,
}

impl UdpFlows {
    pub(super) fn new() -> UdpFlows {
        UdpFlows {
            services: BTreeMap::new(),
            before: BTreeMap::new(),
            changed: Vec::new(),
            unseen: true,
        }
    }

    /// What the ports of a service are to be; empty: it is gone.
    pub(super) fn set(&mut self, service: &ObjectName, ports: &[Arc<PortRules>]) {
        let udp = ports.iter().filter(|p| p.name.protocol == Protocol::Udp);
        let new: Ports = udp.cloned().collect();
        let old = self.services.remove(service).unwrap_or_default();
        if old != new {
            self.before.entry(service.clone()).or_insert(old);
        }
        if !new.is_empty() {
            self.services.insert(service.clone(), new);
        }
    }

    /// The rules have been written, but for those of some services.
    pub(super) fn written(&mut self, refused: impl Fn(&ObjectName) -> bool) {
        let all = std::mem::take(&mut self.before).into_iter();
        let (kept, written): (BTreeMap<_, _>, BTreeMap<_, Ports>) =
            all.partition(|(service, _)| refused(service));
        self.before = kept;
        for (service, old) in written {
            let new = self.services.get(&service).map_or(&[][..], Vec::as_slice);
            // One that is new may have been sent to before there was a rule.
            let differ = old.iter().chain(new);
            let differ = differ.filter(|port| !(old.contains(port) && new.contains(port)));
            self.changed.extend(differ.cloned());
        }
    }

    /// Whether flows have to be looked through.
    pub(super) fn is_due(&self) -> bool {
        !self.changed.is_empty() || self.unseen
    }

    /// Forgets the flows that the changes written so far made stale, and answers how many there were.
    ///
    /// # Errors
    /// When the kernel does not answer. What was to be looked through is kept for the next time.
    pub(super) fn forget(&mut self) -> io::Result<usize> {
        let flows = self.forget_stale()?;
        self.changed.clear();
        self.unseen = false;
        Ok(flows)
    }

    fn forget_stale(&self) -> io::Result<usize> {
        let mut services = UdpServices::default();
        for port in self.services.values().flatten() {
            services.add(port);
        }
        let mut asked = UdpServices::default();
        for port in &self.changed {
            services.add_gone(port);
            asked.add_gone(port);
        }
        if services.is_empty() {
            return Ok(0);
        }
        let node = match services.has_node_ports() {
            true => local_addresses()?,
            false => BTreeSet::new(),
        };
        let stale = udp_flows(|flow| {
            let (to, from) = (flow.destination, flow.answers_from);
            // Of ports that did not change, only flows of before this process can be stale.
            (self.unseen || asked.is_stale(to, from, &node)) && services.is_stale(to, from, &node)
        })?;
        for flow in &stale {
            delete_flow(flow)?;
        }
        Ok(stale.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IpFamily, TrafficPolicy};
    use crate::proxy::{PortName, Target};

    /// A UDP port with the endpoint of this end.
    fn port(service: &ObjectName, end: u8) -> Arc<PortRules> {
        let target = Target {
            ip: [10, 244, 0, end].into(),
            port: 53,
        };
        Arc::new(PortRules {
            name: PortName {
                family: IpFamily::V4,
                service: service.clone(),
                port: "".into(),
                protocol: Protocol::Udp,
            },
            cluster_ips: vec![[10, 96, 0, 1].into()],
            port: 53,
            node_port: 0,
            health_check_port: 0,
            external_ips: Vec::new(),
            guarded_ips: Vec::new(),
            source_ranges: Vec::new(),
            affinity_seconds: None,
            internal_policy: TrafficPolicy::Cluster,
            external_policy: TrafficPolicy::Cluster,
            has_endpoints: true,
            cluster: [target].into(),
            local: BTreeSet::new(),
            serving: [target].into(),
            hairpin: BTreeSet::new(),
        })
    }

    #[test]
    fn flows_are_looked_through_once_the_rules_are_written() {
        let service = ObjectName::new("a", "b");
        let mut flows = UdpFlows::new();
        flows.unseen = false;
        flows.set(&service, &[port(&service, 1)]);
        assert!(!flows.is_due(), "nothing is written yet");
        flows.written(|_| false);
        assert!(flows.is_due());
        flows.changed.clear();

        // The same again is no change.
        flows.set(&service, &[port(&service, 1)]);
        flows.written(|_| false);
        assert!(!flows.is_due());

        // Refused, the old rules still send clients to the old endpoint; tried again, it is the same.
        flows.set(&service, &[port(&service, 2)]);
        flows.written(|_| true);
        assert!(!flows.is_due());
        flows.set(&service, &[port(&service, 2)]);
        flows.written(|_| false);
        assert_eq!(flows.changed.len(), 2);
        flows.changed.clear();

        flows.set(&service, &[]);
        flows.written(|_| false);
        assert_eq!(flows.changed, [port(&service, 2)]);
    }
}
