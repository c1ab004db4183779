//! One service port's part of the tables: a pure function of its rules.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::model::{IpFamily, Protocol, TrafficPolicy};

use super::super::{PortRules, ProxyOptions, Target, protocol_word};
use super::layout::{
    EXTERNAL_SERVICES, MARK_MASQ, MARK_OUTSIDE, NODE_PORTS, Outside, PROXY_FIREWALL, Pods,
    SERVICES, at_node, host, source,
};
use super::listing::matches;
use super::{Item, Kernel, PerTable, Table, names};

/// Everything a service port has in the tables of its family. The work is that of its endpoints and
/// its addresses.
pub fn render(
    port: &PortRules,
    options: &ProxyOptions,
    kernel: Kernel,
) -> PerTable<Vec<(Item, String)>> {
    let family = port.name.family;
    let mut rendering = Rendering {
        port,
        options,
        kernel,
        pods: Pods::of(family, options),
        title: names::of_port(&port.name),
        protocol: protocol_word(port.name.protocol),
        items: PerTable::default(),
    };
    for ip in &port.cluster_ips {
        rendering.inside(*ip);
    }
    for ip in &port.external_ips {
        rendering.outside(*ip);
    }
    if port.node_port != 0 {
        rendering.node_port();
    }
    rendering.external_chain();
    rendering.firewall_chain();
    rendering.endpoints();
    rendering.health_check();
    rendering.items
}

struct Rendering<'a> {
    port: &'a PortRules,
    options: &'a ProxyOptions,
    kernel: Kernel,
    pods: Pods,
    /// `namespace/name:port`.
    title: String,
    protocol: &'static str,
    items: PerTable<Vec<(Item, String)>>,
}

impl Rendering<'_> {
    fn rule(&mut self, table: Table, chain: &'static str, rule: String) {
        let item = Item::Rule(chain, matches(&rule));
        self.items.of_mut(table).push((item, rule));
    }

    fn chain(&mut self, name: String, rules: &[String]) {
        let item = Item::Chain(name);
        self.items.nat.push((item, rules.join("\n")));
    }

    /// What is sent to an address and the service's port.
    fn to(&self, ip: IpAddr, what: &str, target: &str) -> String {
        self.between("", ip, "", what, target)
    }

    fn between(&self, from: &str, ip: IpAddr, by: &str, what: &str, target: &str) -> String {
        let (protocol, title) = (self.protocol, &self.title);
        format!(
            "{from}-d {} {by}-p {protocol} -m comment --comment \"{title} {what}\" \
             -m {protocol} --dport {} -j {target}",
            host(ip),
            self.port.port
        )
    }

    /// A virtual IP.
    fn inside(&mut self, ip: IpAddr) {
        let port = self.port;
        if port.internal().is_empty() {
            let (what, target) = self.nobody();
            return self.rule(Table::Filter, SERVICES, self.to(ip, what, target));
        }
        let chain = match port.internal_policy {
            TrafficPolicy::Cluster => names::service_chain(&port.name),
            TrafficPolicy::Local => names::local_chain(&port.name),
        };
        self.rule(Table::Nat, SERVICES, self.to(ip, "cluster IP", &chain));
    }

    /// An external or load-balancer IP.
    fn outside(&mut self, ip: IpAddr) {
        let port = self.port;
        let guarded = port.guarded_ips().contains(&ip);
        let firewall = names::firewall_chain(&port.name);
        if guarded {
            let what = format!("traffic not accepted by {firewall}");
            self.rule(Table::Filter, PROXY_FIREWALL, self.to(ip, &what, "DROP"));
        }
        if port.has_endpoints {
            let rule = match guarded {
                true => self.to(ip, "loadbalancer IP", &firewall),
                false => self.to(ip, "external IP", &names::external_chain(&port.name)),
            };
            self.rule(Table::Nat, SERVICES, rule);
        }
        if !port.has_endpoints || self.none_here() {
            let (what, target) = self.nobody();
            let sources: Vec<String> = match guarded {
                true => port.source_ranges.iter().map(source).collect(),
                false => vec![String::new()],
            };
            for from in sources {
                let rule = self.between(&from, ip, "", what, target);
                self.rule(Table::Filter, EXTERNAL_SERVICES, rule);
            }
        }
    }

    fn node_port(&mut self) {
        let port = self.port;
        let (protocol, title, number) = (self.protocol, &self.title, port.node_port);
        if port.has_endpoints {
            let rule = format!(
                "-p {protocol} -m comment --comment \"{title}\" -m {protocol} --dport {number} -j {}",
                names::external_chain(&port.name)
            );
            self.rule(Table::Nat, NODE_PORTS, rule);
        }
        if !port.has_endpoints || self.none_here() {
            let (what, target) = self.nobody();
            for destination in at_node(port.name.family, self.options) {
                let rule = format!(
                    "{destination}-p {protocol} -m comment --comment \"{} {what}\" -m addrtype \
                     --dst-type LOCAL -m {protocol} --dport {number} -j {target}",
                    self.title
                );
                self.rule(Table::Filter, EXTERNAL_SERVICES, rule);
            }
        }
    }

    /// Whether outsiders find nobody, while insiders are sent on.
    fn none_here(&self) -> bool {
        self.port.external_policy == TrafficPolicy::Local && self.port.local.is_empty()
    }

    /// What becomes of packets that nobody here answers.
    fn nobody(&self) -> (&'static str, &'static str) {
        if self.port.has_endpoints {
            return ("has no local endpoints", "DROP");
        }
        // A reset is not held back as ICMP errors are, of which a kernel sends few a second.
        let target = match (self.port.name.protocol, self.port.name.family) {
            (Protocol::Tcp, _) => "REJECT --reject-with tcp-reset",
            (_, IpFamily::V4) => "REJECT --reject-with icmp-port-unreachable",
            (_, IpFamily::V6) => "REJECT --reject-with icmp6-port-unreachable",
        };
        ("has no endpoints", target)
    }

    /// What comes through other addresses than the virtual IPs.
    fn external_chain(&mut self) {
        let port = self.port;
        if !port.has_endpoints || !port.is_external() {
            return;
        }
        let title = &self.title;
        let everywhere = names::service_chain(&port.name);
        let mut rules = Vec::new();
        match port.external_policy {
            TrafficPolicy::Cluster => {
                rules.push(format!(
                    "-m comment --comment \"masquerade traffic for {title} external destinations\" -j {MARK_MASQ}"
                ));
                rules.push(format!("-j {everywhere}"));
            }
            TrafficPolicy::Local => {
                // As if it had gone out to the load balancer and come back.
                rules.extend(self.pods.inside().map(|from| {
                    format!(
                        "{from}-m comment --comment \"pod traffic for {title} external destinations\" \
                         -j {everywhere}"
                    )
                }));
                for (what, chain) in [("masquerade", MARK_MASQ), ("route", everywhere.as_str())] {
                    rules.push(format!(
                        "-m comment --comment \"{what} LOCAL traffic for {title} external destinations\" \
                         -m addrtype --src-type LOCAL -j {chain}"
                    ));
                }
                if !port.local.is_empty() {
                    rules.push(format!("-j {}", names::local_chain(&port.name)));
                }
            }
        }
        self.chain(names::external_chain(&port.name), &rules);
    }

    /// Who is not let on has its old destination still when it comes to the filter.
    fn firewall_chain(&mut self) {
        let port = self.port;
        if port.guarded_ips().is_empty() || !port.has_endpoints {
            return;
        }
        let (title, chain) = (&self.title, names::external_chain(&port.name));
        let allowed = port.source_ranges.iter().map(|range| {
            format!(
                "{}-m comment --comment \"{title} loadbalancer IP\" -j {chain}",
                source(range)
            )
        });
        let rules: Vec<String> = allowed.collect();
        self.chain(names::firewall_chain(&port.name), &rules);
    }

    /// The chains that pick an endpoint, and those of endpoints.
    fn endpoints(&mut self) {
        let port = self.port;
        let inside = |policy| port.internal_policy == policy;
        for (policy, targets, chain) in [
            (
                TrafficPolicy::Cluster,
                &port.cluster,
                names::service_chain(&port.name),
            ),
            (
                TrafficPolicy::Local,
                &port.local,
                names::local_chain(&port.name),
            ),
        ] {
            if port.reached_by(policy).next().is_some() {
                let rules = self.picking(targets, inside(policy));
                self.chain(chain, &rules);
            }
        }
        if self.has_endpoint_chains() {
            for target in &port.reached() {
                self.endpoint(target);
            }
        }
    }

    /// Whether something is done for each endpoint beside sending on: clients are remembered, or those
    /// that are sent to themselves are marked.
    fn has_endpoint_chains(&self) -> bool {
        self.port.affinity_seconds.is_some() || !self.kernel.compares
    }

    /// A client goes back to the endpoint that it is remembered for; else to any, each as likely.
    fn picking(&self, targets: &BTreeSet<Target>, inside: bool) -> Vec<String> {
        let port = self.port;
        let mut rules = Vec::new();
        if inside {
            rules.extend(
                port.cluster_ips
                    .iter()
                    .filter_map(|ip| self.mark_outsiders(*ip)),
            );
        }
        if let Some(seconds) = port.affinity_seconds {
            let mask = mask(port.name.family);
            rules.extend(targets.iter().map(|target| {
                let chain = names::endpoint_chain(&port.name, target);
                format!(
                    "-m recent --rcheck --seconds {seconds} --reap --name {chain} --mask {mask} --rsource -j {chain}"
                )
            }));
        }
        let mut left = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        for target in targets {
            let chance = match left {
                2.. => format!(
                    "-m statistic --mode random --probability {} ",
                    probability(left)
                ),
                _ => String::new(),
            };
            // No comment: with one, a rule is twice as large, and the legacy kernel is given all of them.
            rules.push(match self.has_endpoint_chains() {
                true => format!("{chance}-j {}", names::endpoint_chain(&port.name, target)),
                false => self.send(&chance, target),
            });
            left = left.saturating_sub(1);
        }
        rules
    }

    fn mark_outsiders(&self, ip: IpAddr) -> Option<String> {
        let what = "cluster IP";
        match self.pods.outside(self.options) {
            Outside::Never => None,
            Outside::Rule { source, interface } => {
                Some(self.between(&source, ip, &interface, what, MARK_MASQ))
            }
            Outside::Chain => Some(self.to(ip, what, MARK_OUTSIDE)),
        }
    }

    fn endpoint(&mut self, target: &Target) {
        let port = self.port;
        let chain = names::endpoint_chain(&port.name, target);
        let mut rules = Vec::new();
        if !self.kernel.compares {
            // Who reaches itself would answer itself past this node.
            rules.push(format!("-s {} -j {MARK_MASQ}", host(target.ip)));
        }
        let remember = match port.affinity_seconds {
            Some(_) => {
                let mask = mask(port.name.family);
                format!("-m recent --set --name {chain} --mask {mask} --rsource ")
            }
            None => String::new(),
        };
        rules.push(self.send(&remember, target));
        self.chain(chain, &rules);
    }

    /// The rule that sends on to an endpoint, if something else matches too.
    fn send(&self, matches: &str, target: &Target) -> String {
        format!(
            "-p {} {matches}-j DNAT --to-destination {}",
            self.protocol,
            names::socket(target)
        )
    }

    /// Where a load balancer asks whether the node has endpoints.
    fn health_check(&mut self) {
        let port = self.port;
        if port.health_check_port == 0 {
            return;
        }
        let service = &port.name.service;
        let rule = format!(
            "-p tcp -m comment --comment \"{}/{} health check node port\" -m tcp --dport {} -j ACCEPT",
            service.namespace, service.name, port.health_check_port
        );
        self.rule(Table::Filter, NODE_PORTS, rule);
    }
}

/// One in so many, as it is read back: the kernel keeps 31 bits of it, and eleven digits are printed.
fn probability(of: u32) -> String {
    const WHOLE: u32 = 1 << 31;
    let of = of.max(1);
    let kept = WHOLE.saturating_add(of / 2) / of;
    format!("{:.11}", f64::from(kept) / f64::from(WHOLE))
}

fn mask(family: IpFamily) -> &'static str {
    match family {
        IpFamily::V4 => "255.255.255.255",
        IpFamily::V6 => "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    }
}

#[cfg(test)]
mod tests {
    use super::probability;

    #[test]
    fn probabilities_are_those_that_are_read_back() {
        for (of, printed) in [
            (2, "0.50000000000"),
            (3, "0.33333333349"),
            (7, "0.14285714272"),
            (4096, "0.00024414062"),
        ] {
            assert_eq!(probability(of), printed, "1/{of}");
        }
    }
}
