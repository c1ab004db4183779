//! The same state as kube-proxy's iptables mode lays it out: a rule and a chain for each service, and
//! a chain for each endpoint.

use std::fmt::Write as _;

use super::cluster::{Changed, Cluster, NAMESPACE, PODS, PORT, Service, TARGET_PORT, endpoint_ip};

/// With more endpoints than this at the start, rules about one have no comment.
const LARGE: usize = 1_000;

/// What is there without any service, and how it is come to.
const LAYOUT: &str = "*filter
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-I INPUT -m conntrack --ctstate NEW -m comment --comment \"kubernetes externally-visible service portals\" -j KUBE-EXTERNAL-SERVICES
-I FORWARD -m conntrack --ctstate NEW -m comment --comment \"kubernetes externally-visible service portals\" -j KUBE-EXTERNAL-SERVICES
-I INPUT -m comment --comment \"kubernetes health check service ports\" -j KUBE-NODEPORTS
-I FORWARD -m conntrack --ctstate NEW -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES
-I OUTPUT -m conntrack --ctstate NEW -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES
-I FORWARD -m comment --comment \"kubernetes forwarding rules\" -j KUBE-FORWARD
-I INPUT -m conntrack --ctstate NEW -m comment --comment \"kubernetes load balancer firewall\" -j KUBE-PROXY-FIREWALL
-I OUTPUT -m conntrack --ctstate NEW -m comment --comment \"kubernetes load balancer firewall\" -j KUBE-PROXY-FIREWALL
-I FORWARD -m conntrack --ctstate NEW -m comment --comment \"kubernetes load balancer firewall\" -j KUBE-PROXY-FIREWALL
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-POSTROUTING - [0:0]
-I OUTPUT -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES
-I PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES
-I POSTROUTING -m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING
COMMIT
";

const FILTER: &str = "*filter
:KUBE-NODEPORTS - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FIREWALL - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding rules\" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding conntrack rule\" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
";

const POSTROUTING: &str = "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
-A KUBE-POSTROUTING -m comment --comment \"kubernetes service traffic requiring SNAT\" -j MASQUERADE --random-fully
-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
";

/// The jumps from built-in chains: once.
pub fn jumps() -> &'static str {
    LAYOUT
}

/// Everything but the jumps.
pub fn whole(cluster: &Cluster) -> String {
    restore(cluster, cluster.services.values(), &[])
}

/// What a partial sync writes: the chains that list all services, and those of the one that changed.
pub fn changed(cluster: &Cluster, changed: &Changed) -> String {
    let kept = |end: &u32| {
        let after = changed.after.as_ref();
        after.is_some_and(|after| after.endpoints.contains(end))
    };
    let mut stale = Vec::new();
    if let Some(before) = &changed.before {
        let gone = before.endpoints.iter().filter(|end| !kept(end));
        stale.extend(gone.map(|end| endpoint_chain(*end)));
        if changed.after.is_none() {
            stale.push(service_chain(before));
        }
    }
    restore(cluster, changed.after.iter(), &stale)
}

fn restore<'a>(
    cluster: &'a Cluster,
    services: impl Iterator<Item = &'a Service>,
    stale: &[String],
) -> String {
    let large = cluster.endpoints_at_start > LARGE;
    let (mut chains, mut rules) = (FILTER.to_owned(), String::new());
    chains.push_str("*nat\n");
    for name in ["NODEPORTS", "SERVICES", "POSTROUTING", "MARK-MASQ"] {
        declare(&mut chains, &format!("KUBE-{name}"));
    }
    rules.push_str(POSTROUTING);
    for service in cluster.services.values() {
        let (name, ip, chain) = (service.name(), service.ip(), service_chain(service));
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(
            rules,
            "-A KUBE-SERVICES -m comment --comment \"{NAMESPACE}/{name} cluster IP\" -m tcp -p tcp -d {ip} --dport {PORT} -j {chain}"
        );
    }
    for service in services {
        put(&mut chains, &mut rules, service, large);
    }
    rules.push_str("-A KUBE-SERVICES -m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule in this chain\" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS\n");
    for chain in stale {
        declare(&mut chains, chain);
        let _ = writeln!(rules, "-X {chain}");
    }
    chains.push_str(&rules);
    chains.push_str("COMMIT\n");
    chains
}

fn declare(chains: &mut String, chain: &str) {
    let _ = writeln!(chains, ":{chain} - [0:0]");
}

fn put(chains: &mut String, rules: &mut String, service: &Service, large: bool) {
    let (name, ip, chain) = (service.name(), service.ip(), service_chain(service));
    declare(chains, &chain);
    let _ = writeln!(
        rules,
        "-A {chain} -m comment --comment \"{NAMESPACE}/{name} cluster IP\" -m tcp -p tcp -d {ip} --dport {PORT} ! -s {PODS} -j KUBE-MARK-MASQ"
    );
    let count = service.endpoints.len();
    for (place, end) in service.endpoints.iter().enumerate() {
        let (to, target) = (endpoint_ip(*end), endpoint_chain(*end));
        let comment = match large {
            true => String::new(),
            false => format!("-m comment --comment \"{NAMESPACE}/{name} -> {to}:{TARGET_PORT}\" "),
        };
        let chance = match count - place {
            1 => String::new(),
            left => format!(
                "-m statistic --mode random --probability {:.10} ",
                1.0 / left as f64
            ),
        };
        let _ = writeln!(rules, "-A {chain} {comment}{chance}-j {target}");
        let comment = match large {
            true => String::new(),
            false => format!("-m comment --comment {NAMESPACE}/{name} "),
        };
        declare(chains, &target);
        let _ = writeln!(rules, "-A {target} {comment}-s {to} -j KUBE-MARK-MASQ");
        let _ = writeln!(
            rules,
            "-A {target} {comment}-m tcp -p tcp -j DNAT --to-destination {to}:{TARGET_PORT}"
        );
    }
}

/// As long as kube-proxy's, and as unlike each other.
fn service_chain(service: &Service) -> String {
    format!("KUBE-SVC-{}", hash(service.number))
}

fn endpoint_chain(end: u32) -> String {
    format!("KUBE-SEP-{}", hash(end))
}

fn hash(number: u32) -> String {
    let mixed = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{mixed:016X}")
}
