//! One service port's part of the table: a pure function of its rules and its endpoints' places.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::model::{IpFamily, TrafficPolicy};

use super::super::{PortRules, ProxyOptions, Target, protocol_word};
use super::layout::{EXTERNAL_LOCAL_IPS, EXTERNAL_LOCAL_NODE_PORTS, REJECT, endpoint_key, word};
use super::{Item, Key, Shared, Slots, names};

/// Most items of a kind that a port of few endpoints has.
const FEW: usize = 16;

/// Everything a service port has in the table of its family, by its endpoints' `slots`. The work is
/// that of its endpoints times its addresses.
pub fn render(port: &PortRules, slots: &Slots, options: &ProxyOptions) -> Vec<(Item, String)> {
    let mut rendering = Rendering {
        port,
        slots,
        options,
        items: Vec::with_capacity(FEW),
    };
    rendering.shared_by_ports();
    for ip in &port.cluster_ips {
        rendering.inside(*ip);
    }
    for ip in &port.external_ips {
        rendering.outside(Key::Ip, &rendering.ip_key(*ip));
    }
    if port.node_port != 0 {
        rendering.outside(Key::NodePort, &rendering.node_port_key());
    }
    rendering.firewall();
    if port.affinity_seconds.is_some() {
        rendering.affinity();
    }
    rendering.items
}

/// Where the places of a port's endpoints stand, so that they can be read back: those that the policy
/// Cluster reaches, those that the policy Local reaches. Keys lack the place.
pub fn slot_keys(port: &PortRules) -> [Option<(Shared, String)>; 2] {
    let protocol = port.name.protocol;
    let inside = port.cluster_ips.first().map(|ip| {
        let set = Shared::Endpoint(Key::Ip, protocol);
        (set, format!("{ip} . {}", port.port))
    });
    let outside = |of: fn(Key, crate::model::Protocol) -> Shared| {
        if port.node_port != 0 {
            return Some((of(Key::NodePort, protocol), port.node_port.to_string()));
        }
        let ip = port.external_ips.first()?;
        Some((of(Key::Ip, protocol), format!("{ip} . {}", port.port)))
    };
    // Its virtual IP may be another's.
    let anywhere = || outside(Shared::Endpoint);
    let here = || match port.external_policy {
        TrafficPolicy::Local => outside(Shared::LocalEndpoint),
        TrafficPolicy::Cluster => None,
    };
    match port.internal_policy {
        TrafficPolicy::Cluster => [inside.or_else(anywhere), here()],
        TrafficPolicy::Local => [anywhere(), inside.or_else(here)],
    }
}

/// The rule of a chain that picks one of `count` endpoints, each as likely, for a service port's key.
fn picking_rule(
    family: IpFamily,
    key: Key,
    map: Shared,
    protocol: crate::model::Protocol,
    count: usize,
) -> String {
    format!(
        "dnat {} addr . port to {} . numgen random mod {count} map @{}",
        word(family),
        endpoint_key(family, key, protocol),
        map.as_str()
    )
}

struct Rendering<'a> {
    port: &'a PortRules,
    slots: &'a Slots,
    options: &'a ProxyOptions,
    items: Vec<(Item, String)>,
}

impl Rendering<'_> {
    fn put(&mut self, item: Item, value: impl Into<String>) {
        self.items.push((item, value.into()));
    }

    fn element(&mut self, set: Shared, key: impl Into<String>, value: impl Into<String>) {
        self.put(Item::Element(set, key.into()), value);
    }

    fn ip_key(&self, ip: IpAddr) -> String {
        let protocol = protocol_word(self.port.name.protocol);
        format!("{ip} . {protocol} . {}", self.port.port)
    }

    fn node_port_key(&self) -> String {
        let protocol = protocol_word(self.port.name.protocol);
        format!("{protocol} . {}", self.port.node_port)
    }

    /// What ports of one service, or of several, say alike.
    fn shared_by_ports(&mut self) {
        let port = self.port;
        for ip in &port.cluster_ips {
            self.element(Shared::ClusterIps, ip.to_string(), "");
        }
        let senders = port.reached().into_iter().map(|target| target.ip);
        for ip in senders.collect::<BTreeSet<IpAddr>>() {
            self.element(Shared::Hairpin, format!("{ip} . {ip}"), "");
        }
    }

    /// A virtual IP.
    fn inside(&mut self, ip: IpAddr) {
        let key = self.ip_key(ip);
        if self.port.internal().is_empty() {
            return self.nobody(Key::Ip, &key);
        }
        let local = self.port.internal_policy == TrafficPolicy::Local;
        let slots = self.slots;
        let chosen = if local { &slots.local } else { &slots.cluster };
        let chain = match (self.port.affinity_seconds, local) {
            (Some(_), true) => names::local_chain(&self.port.name),
            (Some(_), false) => names::service_chain(&self.port.name),
            (None, _) => self.pick(Shared::Endpoint, Key::Ip, &key, chosen),
        };
        self.element(Shared::Service(Key::Ip), key, format!("goto {chain}"));
    }

    /// Another address, or the node port.
    fn outside(&mut self, at: Key, key: &str) {
        let port = self.port;
        if !port.has_endpoints {
            return self.nobody(at, key);
        }
        let slots = self.slots;
        let everywhere = match port.affinity_seconds {
            Some(_) => names::service_chain(&port.name),
            None => self.pick(Shared::Endpoint, at, key, &slots.cluster),
        };
        if port.external_policy == TrafficPolicy::Cluster {
            let chain = match port.affinity_seconds {
                Some(_) => names::external_chain(&port.name),
                None => format!("masquerade-{everywhere}"),
            };
            let rules = format!("{}\ngoto {everywhere}", self.set_mark());
            self.put(Item::Chain(chain.clone()), rules);
            return self.element(Shared::Service(at), key, format!("goto {chain}"));
        }
        let chain = match at {
            Key::Ip => EXTERNAL_LOCAL_IPS,
            Key::NodePort => EXTERNAL_LOCAL_NODE_PORTS,
        };
        self.element(Shared::Service(at), key, format!("goto {chain}"));
        self.element(Shared::ShortCircuit(at), key, format!("goto {everywhere}"));
        if port.local.is_empty() {
            // Who was let through the short circuit has another destination by then.
            return self.element(Shared::NoEndpoint(at), key, "drop");
        }
        let here = match port.affinity_seconds {
            Some(_) => names::local_chain(&port.name),
            None => self.pick(Shared::LocalEndpoint, at, key, &slots.local),
        };
        self.element(Shared::Local(at), key, format!("goto {here}"));
    }

    fn nobody(&mut self, at: Key, key: &str) {
        let verdict = if self.port.has_endpoints {
            "drop".to_owned()
        } else {
            format!("goto {REJECT}")
        };
        self.element(Shared::NoEndpoint(at), key, verdict);
    }

    /// The endpoints' places, and the chain for as many of them.
    fn pick(
        &mut self,
        map: fn(Key, crate::model::Protocol) -> Shared,
        at: Key,
        key: &str,
        targets: &[Target],
    ) -> String {
        let name = &self.port.name;
        let set = map(at, name.protocol);
        // The map is of one protocol, and its keys are without it.
        let word = protocol_word(name.protocol);
        let key = match at {
            Key::Ip => key.replacen(&format!(" . {word} . "), " . ", 1),
            Key::NodePort => self.port.node_port.to_string(),
        };
        for (place, target) in targets.iter().enumerate() {
            self.element(
                set,
                format!("{key} . {place}"),
                format!("{} . {}", target.ip, target.port),
            );
        }
        let count = targets.len();
        let kind = match set {
            Shared::LocalEndpoint(Key::Ip, _) => "local-pick",
            Shared::LocalEndpoint(Key::NodePort, _) => "local-node-pick",
            Shared::Endpoint(Key::NodePort, _) => "node-pick",
            _ => "pick",
        };
        let chain = format!("{kind}-{word}-{count}");
        let rule = picking_rule(name.family, at, set, name.protocol, count);
        self.put(Item::Chain(chain.clone()), rule);
        chain
    }

    fn set_mark(&self) -> String {
        format!("meta mark set meta mark | 0x{:08x}", self.options.mark())
    }

    fn firewall(&mut self) {
        let port = self.port;
        if port.guarded_ips().is_empty() {
            return;
        }
        let ip = word(port.name.family);
        let chain = names::firewall_chain(&port.name);
        let mut rules: Vec<String> = port
            .source_ranges
            .iter()
            .map(|range| match range.is_everything() {
                true => "return".to_owned(),
                false => format!("{ip} saddr {range} return"),
            })
            .collect();
        rules.push("drop".to_owned());
        for guarded in port.guarded_ips() {
            let key = self.ip_key(*guarded);
            self.element(Shared::Firewall, key, format!("goto {chain}"));
        }
        self.put(Item::Chain(chain), rules.join("\n"));
    }

    /// A client goes back to the endpoint that it is remembered for; else to any, each as likely.
    fn affinity(&mut self) {
        let port = self.port;
        let Some(seconds) = port.affinity_seconds else {
            return;
        };
        let needs_local = port.internal_policy == TrafficPolicy::Local
            || (port.external_policy == TrafficPolicy::Local && port.is_external());
        let needs_cluster = port.internal_policy == TrafficPolicy::Cluster || port.is_external();
        let mut used: Vec<&Target> = Vec::new();
        if needs_cluster && !port.cluster.is_empty() {
            let rules = self.sticky_rules(port.cluster.iter());
            self.put(Item::Chain(names::service_chain(&port.name)), rules);
            used.extend(&port.cluster);
        }
        if needs_local && !port.local.is_empty() {
            let rules = self.sticky_rules(port.local.iter());
            self.put(Item::Chain(names::local_chain(&port.name)), rules);
            used.extend(&port.local);
        }
        used.sort_unstable();
        used.dedup();
        let ip = word(port.name.family);
        let protocol = protocol_word(port.name.protocol);
        for target in used {
            let set = names::affinity_set(&port.name, target);
            let address = match target.ip {
                IpAddr::V4(ip) => format!("{ip}:{}", target.port),
                IpAddr::V6(ip) => format!("[{ip}]:{}", target.port),
            };
            let rules = format!(
                "update @{set} {{ {ip} saddr timeout {} }}\nmeta l4proto {protocol} dnat to {address}",
                names::duration(seconds)
            );
            self.put(
                Item::Chain(names::endpoint_chain(&port.name, target)),
                rules,
            );
            self.put(Item::AffinitySet(set), "");
        }
    }

    fn sticky_rules<'t>(
        &self,
        targets: impl ExactSizeIterator<Item = &'t Target> + Clone,
    ) -> String {
        let name = &self.port.name;
        let ip = word(name.family);
        let count = targets.len();
        let remembered = targets.clone().map(|target| {
            format!(
                "{ip} saddr @{} goto {}",
                names::affinity_set(name, target),
                names::endpoint_chain(name, target)
            )
        });
        // Each is as likely as those that are left.
        let new = targets.enumerate().map(|(place, target)| {
            let chain = names::endpoint_chain(name, target);
            match count.saturating_sub(place) {
                left @ 2.. => format!("numgen random mod {left} 0 goto {chain}"),
                _ => format!("goto {chain}"),
            }
        });
        remembered.chain(new).collect::<Vec<_>>().join("\n")
    }
}
