//! What the tables hold of one service port already, so that it can stay.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::model::{IpFamily, Protocol};

use super::super::{Place, PortName, UdpKey, protocol_word};
use super::layout::{NODE_PORTS, SERVICES};
use super::listing::matches;
use super::{Item, Listing, PerTable, Table, names};

type Items = BTreeMap<Item, String>;

/// The rules of a port in the shared chains, known by their comments, and the chains that they lead to;
/// without those of places that are another's now. The work is that of all that is listed.
pub fn held(
    port: &PortName,
    listing: &Listing,
    is_anothers: impl Fn(Place) -> bool,
) -> PerTable<Vec<(Item, String)>> {
    let mut held = PerTable::default();
    for table in Table::ALL {
        let listed = listing.items.of(table);
        let mut items = Items::new();
        for (item, rule) in listed {
            // Of several that match the same, the first is the one that counts.
            let counts = matches!(item, Item::Rule(_, name) if *name == matches(rule));
            let is_lost = || place(port.family, item).is_some_and(&is_anothers);
            if counts && is_of(rule, port) && !is_lost() {
                items.insert(item.clone(), rule.clone());
                follow(rule, listed, &mut items);
            }
        }
        *held.of_mut(table) = items.into_iter().collect();
    }
    held
}

fn is_of(rule: &str, port: &PortName) -> bool {
    let service = &port.service;
    let health = format!(
        "--comment \"{}/{} health check node port\"",
        service.namespace, service.name
    );
    let title = format!("--comment \"{}", names::of_port(port));
    let has_title = || {
        let (_, rest) = rule.split_once(&title)?;
        Some(rest.starts_with([' ', '"']))
    };
    let protocol = format!("-p {} ", protocol_word(port.protocol));
    rule.contains(&health) || rule.contains(&protocol) && has_title().unwrap_or(false)
}

/// Adds the chains of services that rules lead to.
fn follow(rules: &str, listed: &Items, into: &mut Items) {
    let words = rules.split_whitespace();
    for (before, target) in words.clone().zip(words.skip(1)) {
        let leads_on = before == "-j" && names::is_of_service(target);
        let chain = Item::Chain(target.to_owned());
        if leads_on
            && let Some(rules) = listed.get(&chain)
            && into.insert(chain, rules.clone()).is_none()
        {
            follow(rules, listed, into);
        }
    }
}

/// Where packets go that a rule of a shared chain is about.
fn place(family: IpFamily, item: &Item) -> Option<Place> {
    let Item::Rule(chain, rule) = item else {
        return None;
    };
    let after = |flag: &str| {
        let mut words = rule.split(' ').skip_while(|word| *word != flag);
        words.nth(1)
    };
    let word = after("-p")?;
    let protocols = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];
    let protocol = protocols.into_iter().find(|p| protocol_word(*p) == word)?;
    let port = after("--dport")?.parse().ok()?;
    if *chain == NODE_PORTS || after("--dst-type").is_some() {
        return Some(Place::NodePort(family, protocol, port));
    }
    let ip: IpAddr = after("-d")?.split('/').next()?.parse().ok()?;
    Some(Place::Address(ip, protocol, port))
}

/// Where UDP packets go that a rule of the table nat sends on.
pub(super) fn udp_key(family: IpFamily, item: &Item) -> Option<UdpKey> {
    match (item, place(family, item)?) {
        (Item::Rule(SERVICES, _), Place::Address(ip, Protocol::Udp, port)) => {
            Some(UdpKey::Address(ip, port))
        }
        (Item::Rule(NODE_PORTS, _), Place::NodePort(_, Protocol::Udp, port)) => {
            Some(UdpKey::NodePort(port))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Kernel, parse, render};
    use super::*;
    use crate::model::ObjectName;
    use crate::proxy::fixture::{kinds, options};

    #[test]
    fn what_a_port_of_any_kind_has_is_found_by_its_comments() {
        let all = kinds().into_iter();
        for (name, mut port, compares) in
            all.flat_map(|(n, p)| [true, false].map(|c| (n, p.clone(), c)))
        {
            let kernel = Kernel {
                is_liberal: false,
                compares,
            };
            let rendered = render(&port, &options(), kernel);
            let mut listing = Listing::default();
            for table in Table::ALL {
                let items = rendered.of(table).iter().cloned();
                *listing.items.of_mut(table) = items.collect();
            }
            let found = held(&port.name, &listing, |_| false);
            for table in Table::ALL {
                let of = |items: &PerTable<Vec<(Item, String)>>| -> Items {
                    items.of(table).iter().cloned().collect()
                };
                assert_eq!(of(&found), of(&rendered), "{name}");
            }
            // Of a place that is another's now, nothing is kept.
            let found = held(&port.name, &listing, |_| true);
            assert_eq!(found, PerTable::default(), "{name}");
            // Nothing of it is another's.
            let other = ObjectName::new("default", "we");
            Arc::make_mut(&mut port.name).service = other;
            let found = held(&port.name, &listing, |_| false);
            assert_eq!(found, PerTable::default(), "{name}");
        }
    }

    #[test]
    fn places_of_udp_are_read_off_rules() {
        let text = "*nat\n:SELD-SERVICES - [0:0]\n:SELD-NODEPORTS - [0:0]\n\
            -A SELD-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment \"a/b:c cluster IP\" -m udp --dport 53 -j SELD-SVC-A\n\
            -A SELD-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment \"a/b cluster IP\" -m tcp --dport 80 -j SELD-SVC-B\n\
            -A SELD-NODEPORTS -p udp -m comment --comment \"a/b:c\" -m udp --dport 30053 -j SELD-EXT-A\n";
        let listing = parse(text);
        let items = listing.items.nat.keys();
        let keys: Vec<UdpKey> = items.filter_map(|i| udp_key(IpFamily::V4, i)).collect();
        let ip = "10.96.0.10".parse().unwrap();
        assert_eq!(keys, [UdpKey::NodePort(30053), UdpKey::Address(ip, 53)]);
    }
}
