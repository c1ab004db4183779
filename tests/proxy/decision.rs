//! What the kernel does with the first packet of a connection, read off what its tables hold.

use std::collections::{BTreeMap, BTreeSet};

/// Chains by name, and sets by name: keys and what they map to.
#[derive(Debug, Default)]
pub struct KernelTable {
    pub chains: BTreeMap<String, Vec<String>>,
    pub sets: BTreeMap<String, BTreeMap<String, String>>,
}

/// Whence a packet comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Pod,
    Node,
    Outside,
    /// From outside, within the source ranges.
    Allowed,
}

pub const SOURCES: [From; 4] = [From::Pod, From::Node, From::Outside, From::Allowed];

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It goes to one of these, each as likely, and is masqueraded or not.
    Sent {
        to: BTreeSet<String>,
        masqueraded: bool,
    },
    Dropped,
    Refused,
    /// No rule cares.
    Ignored,
}

impl KernelTable {
    /// Reads `nft list table`.
    pub fn read(text: &str) -> KernelTable {
        let mut table = KernelTable::default();
        let text = text.replace(",\n", ", ");
        let mut chain: Option<String> = None;
        let mut set: Option<String> = None;
        for line in text.lines().map(str::trim) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["chain", name, "{"] => {
                    chain = Some((*name).to_owned());
                    table.chains.entry((*name).to_owned()).or_default();
                }
                ["set" | "map", name, "{"] => {
                    set = Some((*name).to_owned());
                    table.sets.entry((*name).to_owned()).or_default();
                }
                ["}"] => (chain, set) = (None, None),
                ["elements", ..] => {
                    let Some(name) = &set else { continue };
                    let list = line
                        .trim_start_matches("elements = {")
                        .trim_end_matches('}');
                    for element in list.split(", ").map(str::trim) {
                        let (key, value) = element.split_once(" : ").unwrap_or((element, ""));
                        let known = table.sets.get_mut(name).unwrap();
                        known.insert(key.to_owned(), value.to_owned());
                    }
                }
                _ => {
                    if let (Some(name), false) = (&chain, line.starts_with("type ")) {
                        table.chains.get_mut(name).unwrap().push(line.to_owned());
                    }
                }
            }
        }
        table
    }

    fn get(&self, set: &str, key: &str) -> Option<&str> {
        self.sets.get(set)?.get(key).map(String::as_str)
    }

    /// The fate of a packet to an address (none: an address of the node) and port.
    pub fn fate(
        &self,
        family: &str,
        ip: Option<&str>,
        protocol: &str,
        port: u16,
        from: From,
    ) -> Fate {
        let packet = Packet {
            table: self,
            family,
            ip,
            protocol,
            port,
            from,
        };
        let key = packet.key();
        if ip.is_some()
            && let Some(verdict) = self.get("firewall-ips", &key)
        {
            let chain = &self.chains[verdict.trim_start_matches("goto ")];
            let passes =
                chain.iter().any(|rule| rule.ends_with(" return")) && from == From::Allowed;
            if !passes {
                return Fate::Dropped;
            }
        }
        let mut state = State::default();
        packet.walk("services", &mut state);
        if !state.to.is_empty() {
            return Fate::Sent {
                to: state.to,
                masqueraded: state.marked,
            };
        }
        let unused = if ip.is_some() {
            "no-endpoint-ips"
        } else {
            "no-endpoint-nodeports"
        };
        match self.get(unused, &key) {
            Some("drop") => Fate::Dropped,
            Some("goto reject-chain") => Fate::Refused,
            Some(other) => panic!("{other}"),
            None => Fate::Ignored,
        }
    }
}

#[derive(Default)]
struct State {
    marked: bool,
    to: BTreeSet<String>,
}

struct Packet<'a> {
    table: &'a KernelTable,
    family: &'a str,
    ip: Option<&'a str>,
    protocol: &'a str,
    port: u16,
    from: From,
}

impl Packet<'_> {
    fn key(&self) -> String {
        match self.ip {
            Some(ip) => format!("{ip} . {} . {}", self.protocol, self.port),
            None => format!("{} . {}", self.protocol, self.port),
        }
    }

    /// Follows a chain; answers whether it ended the journey.
    fn walk(&self, chain: &str, state: &mut State) -> bool {
        let rules = self.table.chains.get(chain);
        let rules = rules.unwrap_or_else(|| panic!("chain {chain} is not there"));
        rules.iter().any(|rule| self.step(rule, state))
    }

    fn step(&self, rule: &str, state: &mut State) -> bool {
        let mut rule = rule;
        let by_ip = format!("{} daddr . meta l4proto . th dport vmap @", self.family);
        let at_ip = format!("{} daddr ", self.family);
        let source = format!("{} saddr ", self.family);
        loop {
            if let Some(rest) = rule.strip_prefix("fib daddr type local ") {
                if self.ip.is_some() {
                    return false;
                }
                rule = rest
                    .split_once(" meta ")
                    .map(|(_, key)| &rest[rest.len() - key.len() - 5..])
                    .unwrap();
            } else if let Some(rest) = rule.strip_prefix("fib saddr type local ") {
                if self.from != From::Node {
                    return false;
                }
                rule = rest;
            } else if rule.starts_with(&source) && rule.contains(" saddr @affinity-") {
                // It is the client's first connection.
                return false;
            } else if let Some(rest) = rule.strip_prefix(&source) {
                let (test, rest) = match rest.strip_prefix("!= ") {
                    Some(rest) => (self.from != From::Pod, rest),
                    None => (self.from == From::Pod, rest),
                };
                if !test {
                    return false;
                }
                rule = rest.split_once(' ').unwrap().1;
            } else if let Some(rest) = rule.strip_prefix(&format!("{at_ip}@cluster-ips ")) {
                if self
                    .ip
                    .is_none_or(|ip| self.table.get("cluster-ips", ip).is_none())
                {
                    return false;
                }
                rule = rest;
            } else if let Some(set) = rule.strip_prefix(&by_ip) {
                return self.ip.is_some() && self.look_up(set, state);
            } else if let Some(set) = rule.strip_prefix("meta l4proto . th dport vmap @") {
                return self.ip.is_none() && self.look_up(set, state);
            } else if rule.starts_with("meta mark set meta mark | 0x00002000") {
                state.marked = true;
                return false;
            } else if let Some(chain) = rule.strip_prefix("goto ") {
                self.walk(chain, state);
                return true;
            } else if let Some(rest) = rule.strip_prefix("numgen random mod ") {
                // Any of them may be chosen.
                let (_, chain) = rest.split_once(" 0 goto ").unwrap();
                self.walk(chain, state);
                return false;
            } else if rule.starts_with("update @affinity-") {
                return false;
            } else if let Some(rest) =
                rule.strip_prefix(&format!("meta l4proto {} dnat to ", self.protocol))
            {
                state.to.insert(rest.to_owned());
                return true;
            } else if rule.starts_with("dnat ") {
                self.pick(rule, state);
                return true;
            } else {
                panic!("{rule:?} is not known");
            }
        }
    }

    fn look_up(&self, set: &str, state: &mut State) -> bool {
        match self.table.get(set, &self.key()) {
            Some(verdict) => self.walk(verdict.strip_prefix("goto ").expect(verdict), state),
            None => false,
        }
    }

    /// All the places that the random number can name have to be taken, by different endpoints.
    fn pick(&self, rule: &str, state: &mut State) {
        let (_, rest) = rule.split_once("numgen random mod ").unwrap();
        let (count, map) = rest.split_once(" map @").unwrap();
        let count: usize = count.parse().unwrap();
        assert!(rule.contains(&format!("{} dport", self.protocol)), "{rule}");
        for place in 0..count {
            let key = match self.ip {
                Some(ip) => format!("{ip} . {} . {place}", self.port),
                None => format!("{} . {place}", self.port),
            };
            let value = self
                .table
                .get(map, &key)
                .unwrap_or_else(|| panic!("{map} {key}"));
            let (ip, port) = value.split_once(" . ").unwrap();
            let to = match ip.contains(':') {
                true => format!("[{ip}]:{port}"),
                false => format!("{ip}:{port}"),
            };
            assert!(state.to.insert(to), "{value} twice");
        }
    }
}
