//! The ways of keeping rules. What is asked of one is asked of each.

use std::path::Path;

use selectord::proxy::linux::Nft;
use selectord::proxy::{Nftables, PodTraffic, ProxyOptions, Syncer};

use super::decision::KernelTable;
use super::namespace::Namespace;
use super::world::{NODE, PODS};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Nftables,
}

pub const MODES: [Mode; 1] = [Mode::Nftables];

pub fn options() -> ProxyOptions {
    ProxyOptions {
        pod_traffic: PodTraffic::Cidrs(PODS.split(',').map(|c| c.parse().unwrap()).collect()),
        ..ProxyOptions::of_node(NODE)
    }
}

impl Mode {
    /// As `--mode` has it.
    pub fn flag(self) -> &'static str {
        match self {
            Mode::Nftables => "nftables",
        }
    }

    /// The program that writes rules.
    pub fn tool(self) -> &'static str {
        match self {
            Mode::Nftables => "nft",
        }
    }

    /// All programs that read or write rules.
    pub fn tools(self) -> &'static [&'static str] {
        match self {
            Mode::Nftables => &["nft"],
        }
    }

    /// Whether one run of a program writes all that changes.
    pub fn writes_at_once(self) -> bool {
        match self {
            Mode::Nftables => true,
        }
    }

    pub fn syncer(self) -> Syncer {
        self.syncer_with(Path::new(self.tool()))
    }

    /// With another program in the tool's place.
    pub fn syncer_with(self, tool: &Path) -> Syncer {
        let backend = match self {
            Mode::Nftables => Box::new(Nftables::new(options(), Nft::at(tool))),
        };
        Syncer::new(&options(), backend)
    }

    pub fn cleanup(self) {
        match self {
            Mode::Nftables => Nftables::cleanup(&Nft::default()).unwrap(),
        }
    }

    /// All our rules as lines in one order, without what history alone decides.
    pub fn lines(self, namespace: &Namespace) -> Vec<String> {
        match self {
            Mode::Nftables => nft_lines(namespace),
        }
    }

    /// Scripts that change our rules, each in another way; `ip` is a virtual IP of a service.
    pub fn damages(self, ip: &str) -> Vec<String> {
        match self {
            Mode::Nftables => vec![
                "nft flush ruleset".to_owned(),
                "nft delete table ip6 selectord".to_owned(),
                "nft flush table ip selectord".to_owned(),
                "nft flush chain ip selectord services".to_owned(),
                "nft insert rule ip selectord services accept".to_owned(),
                "nft add chain ip selectord theirs".to_owned(),
                format!("nft delete element ip selectord cluster-ips {{ {ip} }}"),
                "nft add element ip selectord cluster-ips { 192.0.2.99 }".to_owned(),
                "nft 'add element ip selectord service-ips { 192.0.2.99 . tcp . 1 : drop }'".to_owned(),
                // A table of another layout, as an older version may have left it.
                "nft 'delete table ip selectord; add table ip selectord; add chain ip selectord services; \
                 add set ip selectord service-ips { type ipv4_addr; }'"
                    .to_owned(),
            ],
        }
    }

    /// Whether a virtual IP refuses ports that its service does not have.
    pub fn refuses_wrong_ports(self) -> bool {
        match self {
            Mode::Nftables => true,
        }
    }

    /// A script that takes every rule away, whoever's it is.
    pub fn flush(self) -> &'static str {
        match self {
            Mode::Nftables => "nft flush ruleset",
        }
    }

    /// A script that adds something that is none of ours, and one that says what there is beside ours.
    pub fn theirs(self) -> [&'static str; 2] {
        match self {
            Mode::Nftables => [
                "nft add table ip theirs; nft add chain ip theirs c",
                "nft list tables",
            ],
        }
    }

    /// A script that takes away what lets a pod reach itself over IPv4.
    pub fn no_hairpin(self) -> &'static str {
        match self {
            Mode::Nftables => "nft flush set ip selectord hairpin",
        }
    }

    /// Whether some rule is about an address.
    pub fn has(self, namespace: &Namespace, ip: &str) -> bool {
        let list = match self {
            Mode::Nftables => "nft list ruleset",
        };
        let listed = namespace.sh(list);
        listed
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | '/'))
            .any(|word| word == ip)
    }

    /// A script for the tool's place, in a shell: refuses every text with a line about `word`, and names
    /// the line.
    pub fn refusing(self, word: &str) -> String {
        match self {
            Mode::Nftables => format!(
                "#!/bin/sh\nif [ \"$1\" != -f ]; then exec nft \"$@\"; fi\ntext=$(mktemp)\ncat > $text\n\
                 line=$(grep -n -F -m 1 -e '{word}' $text | cut -d: -f1)\n\
                 if [ -n \"$line\" ]; then echo \"/dev/stdin:$line:1-9: Error: not that one\" >&2; rm $text; exit 1; fi\n\
                 nft -f $text; status=$?; rm $text; exit $status\n"
            ),
        }
    }
}

/// Both tables as lines in one order, places of endpoints left out.
fn nft_lines(namespace: &Namespace) -> Vec<String> {
    let mut lines = Vec::new();
    for family in ["ip", "ip6"] {
        // Somebody may have taken it away.
        let listed = namespace.try_sh(&format!("nft list table {family} selectord"));
        let table = KernelTable::read(&String::from_utf8(listed.stdout).unwrap());
        for (name, rules) in &table.chains {
            lines.push(format!("{family} chain {name}"));
            lines.extend(
                rules
                    .iter()
                    .map(|rule| format!("{family} chain {name}: {rule}")),
            );
        }
        for (name, elements) in &table.sets {
            lines.push(format!("{family} set {name}"));
            let mut some: Vec<String> = Vec::new();
            for (key, value) in elements {
                some.push(
                    match name.contains("endpoint-") && !name.starts_with("no-endpoint") {
                        true => format!(
                            "{family} {name}: {} → {value}",
                            key.rsplit_once(" . ").unwrap().0
                        ),
                        false => format!("{family} {name}: {key} → {value}"),
                    },
                );
            }
            some.sort();
            lines.extend(some);
        }
    }
    lines
}
