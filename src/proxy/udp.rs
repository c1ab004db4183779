use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::sync::Arc;

use crate::model::{ObjectName, Protocol};

use super::PortRules;
use super::linux::{UdpTable, local_addresses};
use super::stale::{UdpKey, UdpServices};

type Ports = Vec<Arc<PortRules>>;

/// Most places that wait to be looked through by name; of more, all that services have are.
const MOST_ASKED: usize = 1 << 16;
/// Flows that are forgotten for one reading of the kernel's, so that no storm of them fills the memory.
const PASS: usize = 1 << 14;
/// Most readings: with new flows as fast as old ones go, there would be no end.
const MOST_PASSES: usize = 64;

/// Which UDP flows have to be looked through, once the rules send nobody to where they go.
#[derive(Debug)]
pub(super) struct UdpFlows {
    /// The UDP ports of the services that have some.
    services: BTreeMap<ObjectName, Ports>,
    /// Which of them are at a place.
    holders: HashMap<UdpKey, BTreeSet<ObjectName>>,
    /// What services that changed were when their rules were last written.
    before: BTreeMap<ObjectName, Ports>,
    /// Places whose rules changed since their flows were looked through.
    asked: HashSet<UdpKey>,
    /// Whether flows at any place may be stale: those of before this process.
    everything: bool,
}

/// Flows that have to be looked through, apart from whatever changes meanwhile.
#[derive(Debug)]
pub struct StaleFlows {
    services: UdpServices,
    everything: bool,
}

impl StaleFlows {
    /// Has the kernel forget the flows in question that go where nobody serves, and answers how many
    /// there were. The work is that of the flows there are, and a message for each that is stale.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub fn forget(&self) -> io::Result<usize> {
        let node = match self.services.has_node_ports() {
            true => local_addresses()?,
            false => BTreeSet::new(),
        };
        let mut table = UdpTable::open()?;
        let mut forgotten = 0usize;
        for _ in 0..MOST_PASSES {
            let is_stale = |to, from| self.services.is_stale(to, from, &node);
            let stale = table.find(PASS, is_stale)?;
            for flow in &stale {
                table.forget(flow)?;
            }
            forgotten = forgotten.saturating_add(stale.len());
            if stale.len() < PASS {
                break;
            }
        }
        Ok(forgotten)
    }
}

impl UdpFlows {
    pub(super) fn new() -> UdpFlows {
        UdpFlows {
            services: BTreeMap::new(),
            holders: HashMap::new(),
            before: BTreeMap::new(),
            asked: HashSet::new(),
            everything: true,
        }
    }

    /// What the ports of a service are to be; empty: it is gone.
    pub(super) fn set(&mut self, service: &ObjectName, ports: &[Arc<PortRules>]) {
        let udp = ports.iter().filter(|p| p.name.protocol == Protocol::Udp);
        let new: Ports = udp.cloned().collect();
        let old = self.services.remove(service).unwrap_or_default();
        for key in keys(&old) {
            if let Some(holders) = self.holders.get_mut(&key) {
                holders.remove(service);
                if holders.is_empty() {
                    self.holders.remove(&key);
                }
            }
        }
        for key in keys(&new) {
            let holders = self.holders.entry(key).or_default();
            holders.insert(service.clone());
        }
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
            let changed: Vec<UdpKey> = differ.flat_map(|port| UdpKey::of(port)).collect();
            self.ask(changed);
        }
    }

    /// Flows at these places have to be looked through.
    pub(super) fn ask(&mut self, keys: impl IntoIterator<Item = UdpKey>) {
        self.asked.extend(keys);
        if self.asked.len() > MOST_ASKED {
            self.asked.clear();
            self.everything = true;
        }
    }

    /// Flows that have to be looked through, if any; nobody else is told of them. The work is that of
    /// the places that changed.
    pub(super) fn take(&mut self) -> Option<StaleFlows> {
        let mut keys = std::mem::take(&mut self.asked);
        let everything = std::mem::take(&mut self.everything);
        if everything {
            keys.extend(self.holders.keys());
        }
        let mut services = UdpServices::default();
        for key in keys {
            services.add(key, []);
            for service in self.holders.get(&key).into_iter().flatten() {
                let ports = self.services.get(service).into_iter().flatten();
                for port in ports.filter(|port| UdpKey::of(port).contains(&key)) {
                    services.add(key, &port.serving);
                }
            }
        }
        (!services.is_empty()).then_some(StaleFlows {
            services,
            everything,
        })
    }

    /// What was taken could not be looked through.
    pub(super) fn give_back(&mut self, flows: &StaleFlows) {
        self.everything |= flows.everything;
        self.ask(flows.services.keys());
    }
}

fn keys(ports: &[Arc<PortRules>]) -> Vec<UdpKey> {
    ports.iter().flat_map(|port| UdpKey::of(port)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::Target;
    use crate::proxy::fixture;

    /// A UDP port with the endpoint of this end.
    fn port(service: &ObjectName, end: u8) -> Arc<PortRules> {
        let endpoint = format!("10.244.0.{end}:53");
        let mut port = fixture::port("b", Protocol::Udp, "10.96.0.1", &[&endpoint]);
        Arc::make_mut(&mut port.name).service = service.clone();
        Arc::new(port)
    }

    fn is_due(flows: &mut UdpFlows) -> bool {
        flows.take().is_some()
    }

    #[test]
    fn flows_are_looked_through_once_the_rules_are_written() {
        let service = ObjectName::new("a", "b");
        let mut flows = UdpFlows::new();
        flows.set(&service, &[port(&service, 1)]);
        flows.everything = false;
        assert!(!is_due(&mut flows), "nothing is written yet");
        flows.written(|_| false);
        assert!(is_due(&mut flows));

        // The same again is no change.
        flows.set(&service, &[port(&service, 1)]);
        flows.written(|_| false);
        assert!(!is_due(&mut flows));

        // Refused, the old rules still send clients to the old endpoint; tried again, it is the same.
        flows.set(&service, &[port(&service, 2)]);
        flows.written(|_| true);
        assert!(!is_due(&mut flows));
        flows.set(&service, &[port(&service, 2)]);
        flows.written(|_| false);
        assert!(is_due(&mut flows));

        flows.set(&service, &[]);
        flows.written(|_| false);
        assert!(is_due(&mut flows));
        assert!(flows.holders.is_empty() && flows.services.is_empty());
    }

    #[test]
    fn what_could_not_be_looked_through_waits_and_does_not_grow() {
        let service = ObjectName::new("a", "b");
        let mut flows = UdpFlows::new();
        flows.everything = false;
        let to = Target {
            ip: "10.96.0.1".parse().unwrap(),
            port: 80,
        };
        let from = |end: u8| Target {
            ip: [10, 244, 0, end].into(),
            port: 53,
        };
        let node = BTreeSet::new();
        for end in 1..=200 {
            flows.set(&service, &[port(&service, end)]);
            flows.written(|_| false);
            let taken = flows.take().unwrap();
            assert!(taken.services.is_stale(to, from(end - 1), &node));
            assert!(!taken.services.is_stale(to, from(end), &node));
            flows.give_back(&taken);
            assert_eq!(flows.asked.len(), 1);
        }
        // Places that went for good do not pile up either.
        let gone = |port: u32| UdpKey::Address(u32::to_be_bytes(port).into(), 53);
        flows.ask((0..100_000).map(gone));
        assert!(flows.asked.len() <= MOST_ASKED && flows.everything);
    }
}
