//! What a table holds of one service port already, so that it can stay.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::super::{PortRules, protocol_word};
use super::{Item, Key, Shared};

/// The items of a kernel's table that send on what goes to a port's addresses: its elements, and the
/// chains and sets that those lead to. Items that the layout has are left out. The work is that of the
/// port's addresses and of what is found.
pub fn held(
    port: &PortRules,
    kernel: &BTreeMap<Item, String>,
    is_fixed: impl Fn(&Item) -> bool,
) -> Vec<(Item, String)> {
    let mut held = Held {
        kernel,
        is_fixed: &is_fixed,
        items: BTreeMap::new(),
    };
    let protocol = protocol_word(port.name.protocol);
    for ip in &port.cluster_ips {
        held.element(Shared::ClusterIps, ip.to_string());
    }
    for ip in port.cluster_ips.iter().chain(&port.external_ips) {
        held.element(
            Shared::Firewall,
            format!("{ip} . {protocol} . {}", port.port),
        );
        held.at(Key::Ip, port, &ip.to_string(), port.port);
    }
    if port.node_port != 0 {
        held.at(Key::NodePort, port, "", port.node_port);
    }
    held.items.into_iter().collect()
}

struct Held<'a, F> {
    kernel: &'a BTreeMap<Item, String>,
    is_fixed: &'a F,
    items: BTreeMap<Item, String>,
}

impl<F: Fn(&Item) -> bool> Held<'_, F> {
    /// All that is known by an address and port, or a node port.
    fn at(&mut self, key: Key, port: &PortRules, ip: &str, number: u16) {
        let protocol = port.name.protocol;
        let word = protocol_word(protocol);
        let (with, without) = match key {
            Key::Ip => (
                format!("{ip} . {word} . {number}"),
                format!("{ip} . {number}"),
            ),
            Key::NodePort => (format!("{word} . {number}"), number.to_string()),
        };
        for set in [
            Shared::Service(key),
            Shared::ShortCircuit(key),
            Shared::Local(key),
            Shared::NoEndpoint(key),
        ] {
            self.element(set, with.clone());
        }
        self.places(Shared::Endpoint(key, protocol), &without);
        self.places(Shared::LocalEndpoint(key, protocol), &without);
    }

    fn places(&mut self, set: Shared, key: &str) {
        let mut place = 0usize;
        while self.element(set, format!("{key} . {place}")) {
            place = place.saturating_add(1);
        }
    }

    /// Answers whether it is there.
    fn element(&mut self, set: Shared, key: String) -> bool {
        self.item(Item::Element(set, key))
    }

    /// Whoever is sent to may be the sender.
    fn hairpin(&mut self, ip: &str) -> bool {
        self.element(Shared::Hairpin, format!("{ip} . {ip}"))
    }

    fn item(&mut self, item: Item) -> bool {
        let Some(value) = self.kernel.get(&item) else {
            return false;
        };
        if (self.is_fixed)(&item) || self.items.insert(item.clone(), value.clone()).is_some() {
            return true;
        }
        if let Item::Element(Shared::Endpoint(..) | Shared::LocalEndpoint(..), _) = &item {
            self.hairpin(value.split(' ').next().unwrap_or_default());
        }
        let words = value.split_whitespace();
        for (before, word) in words.clone().zip(words.skip(1)) {
            match (before, word.strip_prefix('@')) {
                ("goto" | "jump", _) => self.item(Item::Chain(word.to_owned())),
                ("to", None) => {
                    let target = word.parse::<SocketAddr>();
                    target.is_ok_and(|target| self.hairpin(&target.ip().to_string()))
                }
                (_, Some(set)) => self.item(Item::AffinitySet(set.to_owned())),
                _ => false,
            };
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Slots, fixed, place, render};
    use super::*;
    use crate::proxy::fixture::{kinds, options};

    #[test]
    fn what_a_port_of_any_kind_has_is_found_by_its_addresses() {
        let options = options();
        for (name, port) in kinds() {
            let slots = Slots {
                cluster: place(&[], &port.cluster),
                local: place(&[], &port.local),
            };
            let fixed: BTreeMap<Item, String> =
                fixed(port.name.family, &options).into_iter().collect();
            let rendered: BTreeMap<Item, String> =
                render(&port, &slots, &options).into_iter().collect();
            let mut kernel = fixed.clone();
            kernel.extend(rendered.clone());
            // Now it has no endpoint, affinity or range.
            let mut bare = port.clone();
            (bare.cluster, bare.local) = Default::default();
            bare.has_endpoints = false;
            bare.affinity_seconds = None;
            bare.balancer_ips.clear();
            let found = held(&bare, &kernel, |item| fixed.contains_key(item));
            let found: BTreeMap<Item, String> = found.into_iter().collect();
            assert_eq!(found, rendered, "{name}");
        }
    }
}
