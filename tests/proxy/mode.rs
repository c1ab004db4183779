//! The ways of keeping rules. What is asked of one is asked of each.

use std::process::Command;

use selectord::proxy::iptables::Iptables;
use selectord::proxy::linux::Nft;
use selectord::proxy::{Backend, Nftables, PodTraffic, ProxyOptions, Syncer};

use super::decision::KernelTable;
use super::iptables;
use super::namespace::{Namespace, available};
use super::world::{NODE, PODS};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Nftables,
    /// In the variant of this name.
    Iptables(&'static str),
}

const MODES: [Mode; 3] = [
    Mode::Nftables,
    Mode::Iptables("nft"),
    Mode::Iptables("legacy"),
];

/// Those of them that there are here. Says loudly of which not, and which test does without.
pub fn modes(test: &str) -> Vec<Mode> {
    if !available(test) {
        return Vec::new();
    }
    let mut modes = MODES.to_vec();
    modes.retain(|mode| mode.is_here(test));
    modes
}

/// Asks the same of each of them.
pub fn in_each_mode(test: &str, ask: impl FnMut(Mode)) {
    modes(test).into_iter().for_each(ask);
}

pub fn options() -> ProxyOptions {
    ProxyOptions {
        pod_traffic: PodTraffic::Cidrs(PODS.split(',').map(|c| c.parse().unwrap()).collect()),
        ..ProxyOptions::of_node(NODE)
    }
}

impl Mode {
    pub fn is_here(self, test: &str) -> bool {
        let Mode::Iptables(variant) = self else {
            return true;
        };
        let is_missing = |family| {
            let program = format!("{family}-{variant}-save");
            !Command::new(program)
                .output()
                .is_ok_and(|output| output.status.success())
        };
        let missing = ["iptables", "ip6tables"].into_iter().any(is_missing);
        if missing {
            eprintln!(
                "SKIPPED {test} with {self:?}: it needs iptables and ip6tables of this variant"
            );
        }
        !missing
    }

    /// As `--mode` has it.
    pub fn flag(self) -> &'static str {
        match self {
            Mode::Nftables => "nftables",
            Mode::Iptables(_) => "iptables",
        }
    }

    /// All programs that may be run to write rules: the plain name is of the variant that the system
    /// prefers.
    pub fn tools(self) -> &'static [&'static str] {
        match self {
            Mode::Nftables => &["nft"],
            Mode::Iptables("legacy") => &[
                "iptables-restore",
                "ip6tables-restore",
                "iptables-legacy-restore",
                "ip6tables-legacy-restore",
            ],
            Mode::Iptables(_) => &[
                "iptables-restore",
                "ip6tables-restore",
                "iptables-nft-restore",
                "ip6tables-nft-restore",
            ],
        }
    }

    /// Whether one of [`Mode::lines`] is of what the first run of a program in a sync writes.
    pub fn is_first(self, line: &str) -> bool {
        match self {
            Mode::Nftables => true,
            Mode::Iptables(_) => line.starts_with("iptables "),
        }
    }

    pub fn syncer(self) -> Syncer {
        let backend: Box<dyn Backend> = match self {
            Mode::Nftables => Box::new(Nftables::new(options(), Nft::default())),
            Mode::Iptables(variant) => {
                Box::new(Iptables::new(options(), iptables::programs(variant)))
            }
        };
        Syncer::new(&options(), backend)
    }

    /// What has to be in a namespace for a process to find out the variant.
    pub fn prepare(self, namespace: &Namespace) {
        if let Mode::Iptables(variant) = self {
            namespace.sh(&format!(
                "iptables-{variant} -w -t mangle -N KUBE-IPTABLES-HINT"
            ));
        }
    }

    pub fn cleanup(self) {
        match self {
            Mode::Nftables => Nftables::cleanup(&Nft::default()).unwrap(),
            Mode::Iptables(variant) => {
                Iptables::cleanup(&iptables::programs(variant)).unwrap();
            }
        }
    }

    /// Whether a port of a virtual IP that no service has is refused, and not only not answered.
    pub fn refuses_unknown_ports(self) -> bool {
        self == Mode::Nftables
    }

    /// All our rules as lines in one order, without what history alone decides.
    pub fn lines(self, namespace: &Namespace) -> Vec<String> {
        match self {
            Mode::Nftables => nft_lines(namespace),
            Mode::Iptables(variant) => iptables::our_lines(namespace, variant),
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
                "nft 'add set ip selectord theirs { type inet_service; flags interval; }'".to_owned(),
                // What hangs elsewhere, drops what it does not know, or sleeps.
                "nft 'chain ip selectord filter-input { policy drop; }'".to_owned(),
                "nft 'flush chain ip6 selectord nat-output; delete chain ip6 selectord nat-output; \
                 add chain ip6 selectord nat-output { type nat hook output priority 5; }; \
                 add rule ip6 selectord nat-output jump services'"
                    .to_owned(),
                "nft 'add table ip selectord { flags dormant; }'".to_owned(),
                // A table of another layout, as an older version may have left it.
                "nft 'delete table ip selectord; add table ip selectord; add chain ip selectord services; \
                 add set ip selectord service-ips { type ipv4_addr; }'"
                    .to_owned(),
            ],
            Mode::Iptables(variant) => iptables::damages(variant),
        }
    }

    /// A script that takes every rule away, whoever's it is. A proxy may mend in the midst of it.
    pub fn flush(self) -> &'static str {
        match self {
            Mode::Iptables("legacy") => {
                "for i in iptables ip6tables; do for t in nat filter; do \
                 $i-legacy -w -t $t -F; $i-legacy -w -t $t -X || :; done; done"
            }
            _ => "nft flush ruleset",
        }
    }

    /// A script that adds something that is none of ours, and one that says what there is beside ours.
    pub fn theirs(self) -> [&'static str; 2] {
        match self {
            Mode::Nftables => [
                "nft add table ip theirs; nft add chain ip theirs c",
                "nft list tables",
            ],
            Mode::Iptables("nft") => [
                "iptables-nft -t mangle -N THEIRS; iptables-nft -t nat -A PREROUTING -p udp -j RETURN",
                "iptables-nft-save | grep -e THEIRS -e '-A' | sort",
            ],
            Mode::Iptables(_) => [
                "iptables-legacy -t mangle -N THEIRS; iptables-legacy -t nat -A PREROUTING -p udp -j RETURN",
                "iptables-legacy-save | grep -e THEIRS -e '-A' | sort",
            ],
        }
    }

    /// A script that takes away what lets a pod reach itself over IPv4.
    pub fn no_hairpin(self) -> &'static str {
        match self {
            Mode::Nftables => "nft flush set ip selectord hairpin",
            Mode::Iptables("legacy") => "iptables-legacy -w -t nat -D SELD-POSTROUTING 1",
            Mode::Iptables(_) => "iptables-nft -t nat -D SELD-POSTROUTING 1",
        }
    }

    /// Whether some rule is about an address.
    pub fn has(self, namespace: &Namespace, ip: &str) -> bool {
        let list = match self {
            Mode::Nftables => {
                "nft list table ip selectord || true; nft list table ip6 selectord || true"
            }
            Mode::Iptables("legacy") => "iptables-legacy-save; ip6tables-legacy-save",
            Mode::Iptables(_) => "iptables-nft-save; ip6tables-nft-save",
        };
        let listed = namespace.sh(list);
        listed
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | '/'))
            .any(|word| word == ip)
    }
}

/// Both tables as lines in one order, without places of endpoints and whom affinity remembers.
fn nft_lines(namespace: &Namespace) -> Vec<String> {
    let mut lines = Vec::new();
    for family in ["ip", "ip6"] {
        // Somebody may have taken it away.
        let listed = namespace.try_sh(&format!("nft list table {family} selectord"));
        let listed = String::from_utf8(listed.stdout).unwrap();
        // Where chains hang, what they do with the rest, and whether the table sleeps.
        let frame = listed
            .lines()
            .map(str::trim)
            .filter(|line| line.contains(" hook ") || line.starts_with("flags dormant"));
        lines.extend(frame.map(|line| format!("{family}: {line}")));
        let table = KernelTable::read(&listed);
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
            // Whom affinity remembers.
            if name.starts_with("affinity-") {
                continue;
            }
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
