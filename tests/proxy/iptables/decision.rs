//! What the kernel does with the first packet of a connection, read off what `iptables-save` prints.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use selectord::proxy::Cidr;

use crate::decision::{Fate, From};

/// Rules by table and chain.
#[derive(Debug, Default)]
pub struct Saved {
    pub chains: BTreeMap<(String, String), Vec<String>>,
}

impl Saved {
    pub fn read(text: &str) -> Saved {
        let mut saved = Saved::default();
        let mut table = String::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('*') {
                table = name.to_owned();
            } else if let Some(rest) = line.strip_prefix(':') {
                let chain = rest.split(' ').next().unwrap().to_owned();
                saved.chains.entry((table.clone(), chain)).or_default();
            } else if let Some(rest) = line.strip_prefix("-A ") {
                let (chain, rule) = rest.split_once(' ').unwrap_or((rest, ""));
                let chain = saved.chains.get_mut(&(table.clone(), chain.to_owned()));
                chain.unwrap().push(rule.to_owned());
            }
        }
        saved
    }

    /// The fate of a packet to an address (none: an address of the node) and port.
    pub fn fate(&self, v4: bool, ip: Option<&str>, protocol: &str, port: u16, from: From) -> Fate {
        let (node, pod, outside, allowed) = match v4 {
            true => ("198.18.0.1", "10.244.1.77", "198.18.7.7", "192.0.2.9"),
            false => (
                "2001:db8::1",
                "fd00:244:1::77",
                "2001:db8::9",
                "2001:db8::9",
            ),
        };
        let source = match from {
            From::Pod => pod,
            From::Node => node,
            From::Outside => outside,
            From::Allowed => allowed,
        };
        let mut packet = Packet {
            saved: self,
            protocol,
            source: source.parse().unwrap(),
            destination: ip.unwrap_or(node).parse().unwrap(),
            node: node.parse().unwrap(),
            port,
            marked: false,
            to: BTreeSet::new(),
        };
        let own = from == From::Node;
        packet.walk("nat", if own { "OUTPUT" } else { "PREROUTING" });
        if packet.to.is_empty() {
            let mut hooks = vec![];
            if own {
                hooks.push("OUTPUT");
            }
            match ip {
                Some(_) if own => {}
                Some(_) => hooks.push("FORWARD"),
                None => hooks.push("INPUT"),
            }
            return packet.filtered(&hooks).unwrap_or(Fate::Ignored);
        }
        // What was sent on is not held back.
        for to in packet.to.clone() {
            let to: std::net::SocketAddr = to.parse().unwrap();
            let mut sent = Packet {
                destination: to.ip(),
                port: to.port(),
                to: BTreeSet::new(),
                ..packet
            };
            let hook = if own { "OUTPUT" } else { "FORWARD" };
            assert_eq!(sent.filtered(&[hook]), None, "to {to}");
        }
        Fate::Sent {
            to: packet.to,
            masqueraded: packet.marked,
        }
    }
}

#[derive(PartialEq)]
enum End {
    Sent,
    Accepted,
    Dropped,
    Refused,
}

struct Packet<'a> {
    saved: &'a Saved,
    protocol: &'a str,
    source: IpAddr,
    destination: IpAddr,
    node: IpAddr,
    port: u16,
    marked: bool,
    to: BTreeSet<String>,
}

impl Packet<'_> {
    fn filtered(&mut self, hooks: &[&str]) -> Option<Fate> {
        hooks
            .iter()
            .find_map(|hook| match self.walk("filter", hook) {
                Some(End::Dropped) => Some(Fate::Dropped),
                Some(End::Refused) => Some(Fate::Refused),
                Some(End::Accepted | End::Sent) | None => None,
            })
    }

    /// Follows a chain; answers how the journey ended in it.
    fn walk(&mut self, table: &str, chain: &str) -> Option<End> {
        let saved = self.saved;
        let rules = saved.chains.get(&(table.to_owned(), chain.to_owned()));
        let rules = rules.unwrap_or_else(|| panic!("{table} has no chain {chain}"));
        for rule in rules {
            let Some((target, maybe)) = self.matches(rule) else {
                continue;
            };
            let mut words = target.into_iter();
            let end = match (words.next().unwrap().as_str(), words.next(), words.next()) {
                ("RETURN", ..) => return None,
                ("ACCEPT", ..) => Some(End::Accepted),
                ("DROP", ..) => Some(End::Dropped),
                ("REJECT", Some(_), Some(with)) => {
                    let fits = match (self.protocol, self.destination.is_ipv4()) {
                        ("tcp", _) => "tcp-reset",
                        (_, true) => "icmp-port-unreachable",
                        (_, false) => "icmp6-port-unreachable",
                    };
                    assert_eq!(with, fits, "{rule}");
                    Some(End::Refused)
                }
                ("MARK", Some(_), Some(mark)) => {
                    assert_eq!(mark, "0x2000/0x2000");
                    self.marked = true;
                    None
                }
                ("DNAT", Some(_), Some(to)) => {
                    assert!(self.to.insert(to), "{rule}: twice");
                    Some(End::Sent)
                }
                (chain, None, None) => self.walk(table, chain),
                _ => panic!("{rule:?} is not known"),
            };
            // One that is up to chance may be passed as well.
            if end.is_some() && !maybe {
                return end;
            }
        }
        None
    }

    /// The target of a rule that matches, in words, and whether it does so by chance.
    fn matches(&self, rule: &str) -> Option<(Vec<String>, bool)> {
        let mut words = words(rule).into_iter();
        let (mut not, mut maybe) = (false, false);
        let mut odds = String::new();
        while let Some(word) = words.next() {
            let mut next = || words.next().unwrap();
            let matched = match word.as_str() {
                "!" => {
                    not = true;
                    continue;
                }
                "-m" => {
                    next();
                    continue;
                }
                "-j" => {
                    assert!(!maybe || odds.parse::<f64>().unwrap() < 1.0);
                    return Some((std::iter::once(next()).chain(words).collect(), maybe));
                }
                "--comment" | "--mode" | "--name" | "--mask" | "--seconds" => {
                    next();
                    continue;
                }
                "--reap" | "--rsource" | "--set" => continue,
                "--probability" => {
                    maybe = true;
                    odds = next();
                    continue;
                }
                // It is the client's first connection.
                "--rcheck" => false,
                "-s" => next().parse::<Cidr>().unwrap().contains(self.source),
                "-d" => next().parse::<Cidr>().unwrap().contains(self.destination),
                "-p" => next() == self.protocol,
                "--dport" => next() == self.port.to_string(),
                "--ctstate" => next().split(',').any(|state| state == "NEW"),
                "--dst-type" => next() == "LOCAL" && self.destination == self.node,
                "--src-type" => next() == "LOCAL" && self.source == self.node,
                "--mark" => next() == "0x2000/0x2000" && self.marked,
                _ => panic!("{word} of {rule:?} is not known"),
            };
            if matched == std::mem::take(&mut not) {
                return None;
            }
        }
        panic!("{rule:?} goes nowhere");
    }
}

fn words(rule: &str) -> Vec<String> {
    let parts = rule.split('"').enumerate();
    let words = parts.flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().map(ToOwned::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}
