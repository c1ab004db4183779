//! What a table has whatever the services are: base chains, maps, and the rules that look things up.

use crate::model::{IpFamily, Protocol};

use super::super::cidr::merged;
use super::super::{Cidr, PodTraffic, ProxyOptions, protocol_word};
use super::{Item, Key, Shared};

/// The tables' name, in both families.
pub const TABLE: &str = "selectord";

/// A chain that says which layout a table has: of another one nothing is taken over.
const LAYOUT: &str = "layout-1";

/// What packets are known by: their address and port; or, at a node port, their port alone.
pub(super) const IP_KEY: &str = "daddr . meta l4proto . th dport";
pub(super) const PORT_KEY: &str = "meta l4proto . th dport";

pub(super) const REJECT: &str = "reject-chain";
pub(super) const EXTERNAL_LOCAL_IPS: &str = "external-local-ips";
pub(super) const EXTERNAL_LOCAL_NODE_PORTS: &str = "external-local-nodeports";

/// The family as nft spells it in tables and addresses.
pub(super) fn word(family: IpFamily) -> &'static str {
    match family {
        IpFamily::V4 => "ip",
        IpFamily::V6 => "ip6",
    }
}

/// Whether a chain is there whatever the layout's version: a table without it is of another one.
pub(super) fn is_layout_mark(name: &str) -> bool {
    name == LAYOUT
}

/// How a base chain hangs in the kernel; none for other chains. A priority cannot be changed in place.
pub(super) fn hook(chain: &str) -> Option<&'static str> {
    Some(match chain {
        "filter-prerouting-pre-dnat" => {
            "type filter hook prerouting priority -110 ; policy accept ;"
        }
        "filter-output-pre-dnat" => "type filter hook output priority -110 ; policy accept ;",
        "filter-input" => "type filter hook input priority 0 ; policy accept ;",
        "filter-forward" => "type filter hook forward priority 0 ; policy accept ;",
        "filter-output" => "type filter hook output priority 0 ; policy accept ;",
        "nat-prerouting" => "type nat hook prerouting priority -100 ; policy accept ;",
        "nat-output" => "type nat hook output priority -100 ; policy accept ;",
        "nat-postrouting" => "type nat hook postrouting priority 100 ; policy accept ;",
        _ => return None,
    })
}

/// What an endpoint's key begins with, as an expression.
pub(super) fn endpoint_key(family: IpFamily, key: Key, protocol: Protocol) -> String {
    let protocol = protocol_word(protocol);
    match key {
        Key::Ip => format!("{} daddr . {protocol} dport", word(family)),
        Key::NodePort => format!("{protocol} dport"),
    }
}

/// How a shared set or map is declared.
pub(super) fn declaration(set: Shared, family: IpFamily) -> String {
    let ip = word(family);
    let address = match family {
        IpFamily::V4 => "ipv4_addr",
        IpFamily::V6 => "ipv6_addr",
    };
    // Only a typeof can say that a part of a key is a random number.
    let place = "numgen random mod 1";
    match set {
        Shared::Service(Key::Ip)
        | Shared::ShortCircuit(Key::Ip)
        | Shared::Local(Key::Ip)
        | Shared::NoEndpoint(Key::Ip)
        | Shared::Firewall => format!("type {address} . inet_proto . inet_service : verdict ;"),
        Shared::Service(Key::NodePort)
        | Shared::ShortCircuit(Key::NodePort)
        | Shared::Local(Key::NodePort)
        | Shared::NoEndpoint(Key::NodePort) => {
            "type inet_proto . inet_service : verdict ;".to_owned()
        }
        // One map for each protocol: of a port whose protocol is left open, nft 1.0.6 makes no rule once
        // the map is in the kernel.
        Shared::Endpoint(key, protocol) | Shared::LocalEndpoint(key, protocol) => {
            let (key, protocol) = (endpoint_key(family, key, protocol), protocol_word(protocol));
            format!("typeof {key} . {place} : {ip} daddr . {protocol} dport ;")
        }
        Shared::ClusterIps => format!("type {address} ;"),
        Shared::Hairpin => format!("type {address} . {address} ;"),
    }
}

/// Everything that is there without any service: chains with their rules, and sets.
///
/// Rules are spelt as nft lists them, so that what is read back can be compared as text.
pub fn fixed(family: IpFamily, options: &ProxyOptions) -> Vec<(Item, String)> {
    let ip = word(family);
    let mark = options.mark();
    let set_mark = format!("meta mark set meta mark | 0x{mark:08x}");
    let by_ip = |set: Shared| format!("{ip} {IP_KEY} vmap @{}", set.as_str());
    let by_port = |set: Shared| format!("{PORT_KEY} vmap @{}", set.as_str());
    let at_node = at_node(family, options);
    let from_pods = from_pods(family, &options.pod_traffic, true);
    let not_from_pods = from_pods_negated(family, options);

    let mut services = Vec::new();
    if let Some(outside) = not_from_pods {
        services.push(format!("{outside}{ip} daddr @cluster-ips {set_mark}"));
    }
    services.push(by_ip(Shared::Service(Key::Ip)));
    services.push(format!(
        "{at_node}{}",
        by_port(Shared::Service(Key::NodePort))
    ));

    let external_local = |short: String, local: String| {
        let mut rules = Vec::new();
        rules.extend(from_pods.iter().map(|pods| format!("{pods}{short}")));
        rules.push(format!("fib saddr type local {set_mark}"));
        rules.push(format!("fib saddr type local {short}"));
        rules.push(local);
        rules
    };

    let unused = format!("ct state new {}", by_ip(Shared::NoEndpoint(Key::Ip)));
    let unused_node_port = format!(
        "ct state new {at_node}{}",
        by_port(Shared::NoEndpoint(Key::NodePort))
    );
    let mut forward = vec![
        unused.clone(),
        format!("ct state new {ip} daddr @cluster-ips goto {REJECT}"),
    ];
    let ranges = merged(&options.service_cidrs, family);
    if !ranges.is_empty() {
        forward.push(format!("ct state new {ip} daddr {} drop", one_of(&ranges)));
    }
    let guard = format!("ct state new {}", by_ip(Shared::Firewall));
    let masquerade = format!(
        "meta mark & 0x{mark:08x} == 0x{mark:08x} meta mark set meta mark & 0x{:08x} masquerade fully-random",
        !mark
    );

    let chains = [
        (LAYOUT, Vec::new()),
        // A reset is not held back as ICMP errors are, of which a kernel sends few a second.
        (
            REJECT,
            vec!["reject with tcp reset".to_owned(), "reject".to_owned()],
        ),
        (
            EXTERNAL_LOCAL_IPS,
            external_local(
                by_ip(Shared::ShortCircuit(Key::Ip)),
                by_ip(Shared::Local(Key::Ip)),
            ),
        ),
        (
            EXTERNAL_LOCAL_NODE_PORTS,
            external_local(
                by_port(Shared::ShortCircuit(Key::NodePort)),
                by_port(Shared::Local(Key::NodePort)),
            ),
        ),
        ("services", services),
        ("filter-prerouting-pre-dnat", vec![guard.clone()]),
        ("filter-output-pre-dnat", vec![guard]),
        ("filter-input", vec![unused_node_port, unused]),
        ("filter-forward", forward.clone()),
        ("filter-output", forward),
        ("nat-prerouting", vec!["jump services".to_owned()]),
        ("nat-output", vec!["jump services".to_owned()]),
        (
            "nat-postrouting",
            vec![
                format!("ct status dnat {ip} saddr . {ip} daddr @hairpin masquerade fully-random"),
                masquerade,
            ],
        ),
    ];
    let sets = Shared::all().map(|set| (Item::Set(set), String::new()));
    let chains = chains.map(|(name, rules)| (Item::Chain(name.to_owned()), rules.join("\n")));
    sets.chain(chains).collect()
}

/// What is true of packets to an address at which node ports answer.
fn at_node(family: IpFamily, options: &ProxyOptions) -> String {
    let (ip, loopback) = match family {
        IpFamily::V4 => ("ip", "127.0.0.0/8"),
        IpFamily::V6 => ("ip6", "::1"),
    };
    let all = |range: &Cidr| range.family() == family && range.is_everything();
    let ranges = merged(&options.node_port_addresses, family);
    let chosen = if ranges.is_empty() || options.node_port_addresses.iter().any(all) {
        format!("!= {loopback}")
    } else {
        one_of(&ranges)
    };
    format!("fib daddr type local {ip} daddr {chosen} ")
}

fn from_pods(family: IpFamily, traffic: &PodTraffic, yes: bool) -> Option<String> {
    let ip = word(family);
    let not = if yes { "" } else { "!= " };
    match traffic {
        PodTraffic::Unknown => None,
        PodTraffic::Cidrs(ranges) => {
            let ranges = merged(ranges, family);
            (!ranges.is_empty()).then(|| format!("{ip} saddr {not}{} ", one_of(&ranges)))
        }
        PodTraffic::Interface(name) => Some(format!("iifname {not}\"{name}\" ")),
        PodTraffic::InterfacePrefix(prefix) => {
            // An interface's name has at most 15 letters: one that begins with as many is that.
            const LONGEST: usize = 15;
            let any = if prefix.len() < LONGEST { "*" } else { "" };
            Some(format!("iifname {not}\"{prefix}{any}\" "))
        }
    }
}

/// What is true of packets to virtual IPs that are to be masqueraded; none: none are.
fn from_pods_negated(family: IpFamily, options: &ProxyOptions) -> Option<String> {
    if options.masquerade_all {
        return Some(String::new());
    }
    from_pods(family, &options.pod_traffic, false)
}

fn one_of(ranges: &[String]) -> String {
    match ranges {
        [one] => one.clone(),
        many => format!("{{ {} }}", many.join(", ")),
    }
}
