//! What is there whatever the services are: the chains that all share, and the jumps to them.

use std::net::IpAddr;

use crate::model::IpFamily;

use super::super::{Cidr, PodTraffic, ProxyOptions};
use super::{Item, Kernel, PerTable, Table, hairpin};

pub(super) const SERVICES: &str = "SELD-SERVICES";
pub(super) const EXTERNAL_SERVICES: &str = "SELD-EXTERNAL-SERVICES";
pub(super) const NODE_PORTS: &str = "SELD-NODEPORTS";
pub(super) const PROXY_FIREWALL: &str = "SELD-PROXY-FIREWALL";
pub(super) const MARK_MASQ: &str = "SELD-MARK-MASQ";
const FORWARD: &str = "SELD-FORWARD";
const POSTROUTING: &str = "SELD-POSTROUTING";
/// Marks what no pod sent: a rule can leave out one range of pods, and this is for several.
pub(super) const MARK_OUTSIDE: &str = "SELD-MARK-OUTSIDE";

/// Says of a rule that it has to stand last.
const LAST_NOTE: &str = "NOTE: this must be the last rule in this chain";

/// The shared chains of a table.
pub(super) fn shared(table: Table) -> &'static [&'static str] {
    match table {
        Table::Filter => &[SERVICES, EXTERNAL_SERVICES, NODE_PORTS, PROXY_FIREWALL],
        Table::Nat => &[SERVICES, NODE_PORTS],
    }
}

/// Whether a rule is one of those that stand last in a shared chain.
pub(super) fn is_last(rule: &str) -> bool {
    rule.contains(LAST_NOTE)
}

/// Whether a rule that jumps to a chain of ours says that the layout has it.
pub(super) fn is_of_layout(rule: &str) -> bool {
    rule.contains("--comment \"kubernetes ")
}

/// Everything that is there without any service, by table.
pub fn fixed(
    family: IpFamily,
    options: &ProxyOptions,
    kernel: Kernel,
) -> PerTable<Vec<(Item, String)>> {
    PerTable {
        filter: filter(family, options, kernel),
        nat: nat(family, options, kernel),
    }
}

fn filter(family: IpFamily, options: &ProxyOptions, kernel: Kernel) -> Vec<(Item, String)> {
    let new = |text: &str, chain: &str| {
        format!("-m conntrack --ctstate NEW -m comment --comment \"kubernetes {text}\" -j {chain}")
    };
    // Who may come in and finds nobody is refused; who may not is not told.
    let external = new("externally-visible service portals", EXTERNAL_SERVICES);
    let services = new("service portals", SERVICES);
    let firewall = new("load balancer firewall", PROXY_FIREWALL);
    let health = comment_jump("kubernetes health check service ports", NODE_PORTS);
    let forward = comment_jump("kubernetes forwarding rules", FORWARD);
    let mark = mark(options);
    let mut forwarding = Vec::new();
    if !kernel.is_liberal {
        // The kernel would answer for a connection that it does not know, and break it.
        forwarding.push("-m conntrack --ctstate INVALID -j DROP".to_owned());
    }
    forwarding.push(format!(
        "-m comment --comment \"kubernetes forwarding rules\" -m mark --mark {mark}/{mark} -j ACCEPT"
    ));
    forwarding.push(
        "-m comment --comment \"kubernetes forwarding conntrack rule\" -m conntrack \
         --ctstate RELATED,ESTABLISHED -j ACCEPT"
            .to_owned(),
    );
    if kernel.compares {
        // What will be masqueraded is let through, though it is not marked yet.
        forwarding.push(hairpin::of_all(family, "ACCEPT"));
    }
    let mut items = shared_items(Table::Filter);
    items.push(chain(FORWARD, &forwarding));
    items.push(jumps("INPUT", &[&external, &health, &firewall]));
    items.push(jumps(
        "FORWARD",
        &[&external, &services, &firewall, &forward],
    ));
    items.push(jumps("OUTPUT", &[&external, &services, &firewall]));
    let ranges = of_family(&options.service_cidrs, family);
    if !ranges.is_empty() {
        let comment = format!("no service has this address; {LAST_NOTE}");
        let drop = |range: &Cidr| {
            let destination = destination(range);
            format!("{destination}-m comment --comment \"{comment}\" -j DROP")
        };
        items.push(last(SERVICES, ranges.iter().map(drop)));
    }
    items
}

fn nat(family: IpFamily, options: &ProxyOptions, kernel: Kernel) -> Vec<(Item, String)> {
    let mark = mark(options);
    let portals = comment_jump("kubernetes service portals", SERVICES);
    let postrouting = comment_jump("kubernetes postrouting rules", POSTROUTING);
    let mut items = shared_items(Table::Nat);
    items.push(chain(
        MARK_MASQ,
        &[format!("-j MARK --set-xmark {mark}/{mark}")],
    ));
    let mut masquerading = vec![
        format!("-m mark ! --mark {mark}/{mark} -j RETURN"),
        // Tunnels send a packet through here again, with its mark.
        format!("-j MARK --set-xmark {mark}/0x0"),
        "-m comment --comment \"kubernetes service traffic requiring SNAT\" -j MASQUERADE --random-fully"
            .to_owned(),
    ];
    if kernel.compares {
        // What never leaves the node is answered here anyway.
        let rule = format!("! -o lo {}", hairpin::of_all(family, MARK_MASQ));
        masquerading.insert(0, rule);
    }
    items.push(chain(POSTROUTING, &masquerading));
    let pods = Pods::of(family, options);
    if let Outside::Chain = pods.outside(options) {
        let mut rules: Vec<String> = pods
            .inside()
            .map(|from| format!("{from}-j RETURN"))
            .collect();
        rules.push(format!("-j {MARK_MASQ}"));
        items.push(chain(MARK_OUTSIDE, &rules));
    }
    let comment = format!("kubernetes service nodeports; {LAST_NOTE}");
    let node_ports = at_node(family, options).into_iter().map(|destination| {
        format!(
            "{destination}-m comment --comment \"{comment}\" -m addrtype --dst-type LOCAL -j {NODE_PORTS}"
        )
    });
    items.push(last(SERVICES, node_ports));
    items.push(jumps("PREROUTING", &[&portals]));
    items.push(jumps("OUTPUT", &[&portals]));
    items.push(jumps("POSTROUTING", &[&postrouting]));
    items
}

fn shared_items(table: Table) -> Vec<(Item, String)> {
    let items = shared(table)
        .iter()
        .map(|name| (Item::Shared(name), String::new()));
    items.collect()
}

fn chain(name: &str, rules: &[String]) -> (Item, String) {
    (Item::Chain(name.to_owned()), rules.join("\n"))
}

fn last(chain: &'static str, rules: impl Iterator<Item = String>) -> (Item, String) {
    (Item::Last(chain), rules.collect::<Vec<_>>().join("\n"))
}

fn jumps(chain: &str, rules: &[&String]) -> (Item, String) {
    let rules: Vec<&str> = rules.iter().map(|rule| rule.as_str()).collect();
    (Item::Jumps(chain.to_owned()), rules.join("\n"))
}

fn comment_jump(comment: &str, chain: &str) -> String {
    format!("-m comment --comment \"{comment}\" -j {chain}")
}

/// The mark's bit as it is printed: `0x2000`.
fn mark(options: &ProxyOptions) -> String {
    format!("{:#x}", options.mark())
}

/// How traffic of pods is told from other traffic: matches of which one is true of it. None: it is
/// not told; an empty one: everything is a pod's.
pub(super) struct Pods(Vec<String>);

/// How what no pod sent is marked.
pub(super) enum Outside {
    /// Nothing is.
    Never,
    /// By a rule with a match for the source and one for the interface, each possibly empty.
    Rule { source: String, interface: String },
    /// By a chain of its own.
    Chain,
}

impl Pods {
    pub(super) fn of(family: IpFamily, options: &ProxyOptions) -> Pods {
        Pods(match &options.pod_traffic {
            PodTraffic::Unknown => Vec::new(),
            PodTraffic::Cidrs(ranges) => {
                let ranges = of_family(ranges, family);
                match ranges.iter().find(|range| range.is_everything()) {
                    Some(all) => vec![source(all)],
                    None => ranges.iter().map(source).collect(),
                }
            }
            PodTraffic::Interface(name) => vec![format!("-i {name} ")],
            PodTraffic::InterfacePrefix(prefix) => {
                // An interface's name has at most 15 letters, and so has a pattern.
                const LONGEST: usize = 15;
                let any = if prefix.len() < LONGEST { "+" } else { "" };
                vec![format!("-i {prefix}{any} ")]
            }
        })
    }

    /// Matches, of which one is true of what a pod sent.
    pub(super) fn inside(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// How what goes to a virtual IP and no pod sent is marked.
    pub(super) fn outside(&self, options: &ProxyOptions) -> Outside {
        let rule = |source: String, interface: String| Outside::Rule { source, interface };
        match self.0.as_slice() {
            _ if options.masquerade_all => rule(String::new(), String::new()),
            [] => Outside::Never,
            [all] if all.is_empty() => Outside::Never,
            [one] if one.starts_with("-i") => rule(String::new(), format!("! {one}")),
            [one] => rule(format!("! {one}"), String::new()),
            _ => Outside::Chain,
        }
    }
}

/// Matches of destinations, of which one is true where node ports answer, if the address is the
/// node's.
pub(super) fn at_node(family: IpFamily, options: &ProxyOptions) -> Vec<String> {
    let ranges = of_family(&options.node_port_addresses, family);
    if ranges.is_empty() || ranges.iter().any(Cidr::is_everything) {
        let but_loopback = match family {
            IpFamily::V4 => "! -d 127.0.0.0/8 ",
            IpFamily::V6 => "! -d ::1/128 ",
        };
        return vec![but_loopback.to_owned()];
    }
    ranges.iter().map(destination).collect()
}

/// A match of a destination, none of what is everything.
fn destination(range: &Cidr) -> String {
    match range.is_everything() {
        true => String::new(),
        false => format!("-d {} ", with_length(range)),
    }
}

/// A match of a source, none of what is everything.
pub(super) fn source(range: &Cidr) -> String {
    match range.is_everything() {
        true => String::new(),
        false => format!("-s {} ", with_length(range)),
    }
}

/// A single address as a range.
pub(super) fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(_) => format!("{ip}/32"),
        IpAddr::V6(_) => format!("{ip}/128"),
    }
}

fn with_length(range: &Cidr) -> String {
    let text = range.to_string();
    match (text.contains('/'), range.family()) {
        (true, _) => text,
        (false, IpFamily::V4) => format!("{text}/32"),
        (false, IpFamily::V6) => format!("{text}/128"),
    }
}

fn of_family(ranges: &[Cidr], family: IpFamily) -> Vec<Cidr> {
    let mut ranges: Vec<Cidr> = ranges
        .iter()
        .copied()
        .filter(|r| r.family() == family)
        .collect();
    ranges.sort_unstable();
    ranges.dedup();
    ranges
}
