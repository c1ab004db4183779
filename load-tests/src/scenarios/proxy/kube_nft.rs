//! The same state as kube-proxy's nftables mode lays it out: a chain for each service, whose one rule
//! picks an endpoint out of a map of its own.

use std::fmt::Write as _;

use super::cluster::{
    Changed, Cluster, NAMESPACE, PODS, PORT, Service, TARGET_PORT, endpoint_ip, is_local,
};

/// What is there without any service.
const LAYOUT: &str = "add table ip kube-proxy
add set ip kube-proxy cluster-ips { type ipv4_addr ; }
add set ip kube-proxy nodeport-ips { type ipv4_addr ; }
add set ip kube-proxy hairpin-connections { type ipv4_addr . ipv4_addr . inet_proto . inet_service ; }
add map ip kube-proxy firewall-ips { type ipv4_addr . inet_proto . inet_service : verdict ; }
add map ip kube-proxy no-endpoint-services { type ipv4_addr . inet_proto . inet_service : verdict ; }
add map ip kube-proxy no-endpoint-nodeports { type inet_proto . inet_service : verdict ; }
add map ip kube-proxy service-ips { type ipv4_addr . inet_proto . inet_service : verdict ; }
add map ip kube-proxy service-nodeports { type inet_proto . inet_service : verdict ; }
add chain ip kube-proxy filter-prerouting-pre-dnat { type filter hook prerouting priority -110 ; }
add chain ip kube-proxy filter-output-pre-dnat { type filter hook output priority -110 ; }
add chain ip kube-proxy filter-input { type filter hook input priority 0 ; }
add chain ip kube-proxy filter-forward { type filter hook forward priority 0 ; }
add chain ip kube-proxy filter-output { type filter hook output priority 0 ; }
add chain ip kube-proxy nat-prerouting { type nat hook prerouting priority -100 ; }
add chain ip kube-proxy nat-output { type nat hook output priority -100 ; }
add chain ip kube-proxy nat-postrouting { type nat hook postrouting priority 100 ; }
add chain ip kube-proxy services
add chain ip kube-proxy masquerading
add chain ip kube-proxy reject-chain
add chain ip kube-proxy firewall-check
add chain ip kube-proxy service-endpoints-check
add chain ip kube-proxy nodeport-endpoints-check
add chain ip kube-proxy cluster-ips-check
add rule ip kube-proxy filter-prerouting-pre-dnat ct state new jump firewall-check
add rule ip kube-proxy filter-output-pre-dnat ct state new jump firewall-check
add rule ip kube-proxy filter-input ct state new jump nodeport-endpoints-check
add rule ip kube-proxy filter-input ct state new jump service-endpoints-check
add rule ip kube-proxy filter-forward ct state new jump service-endpoints-check
add rule ip kube-proxy filter-forward ct state new jump cluster-ips-check
add rule ip kube-proxy filter-output ct state new jump service-endpoints-check
add rule ip kube-proxy filter-output ct state new jump cluster-ips-check
add rule ip kube-proxy nat-prerouting jump services
add rule ip kube-proxy nat-output jump services
add rule ip kube-proxy nat-postrouting jump masquerading
add rule ip kube-proxy reject-chain reject
add rule ip kube-proxy firewall-check ip daddr . meta l4proto . th dport vmap @firewall-ips
add rule ip kube-proxy service-endpoints-check ip daddr . meta l4proto . th dport vmap @no-endpoint-services
add rule ip kube-proxy nodeport-endpoints-check ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports
add rule ip kube-proxy cluster-ips-check ip daddr @cluster-ips reject
add rule ip kube-proxy masquerading ct status dnat ip saddr . ip daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random
add rule ip kube-proxy masquerading meta mark & 0x4000 == 0 return
add rule ip kube-proxy masquerading meta mark set meta mark ^ 0x4000
add rule ip kube-proxy masquerading masquerade fully-random
";

/// Everything, for an empty machine.
pub fn whole(cluster: &Cluster) -> String {
    let mut text = LAYOUT.to_owned();
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        text,
        "add rule ip kube-proxy services ip saddr != {PODS} ip daddr @cluster-ips meta mark set meta mark | 0x4000"
    );
    for rule in [
        "ip daddr . meta l4proto . th dport vmap @service-ips",
        "ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports",
    ] {
        let _ = writeln!(text, "add rule ip kube-proxy services {rule}");
    }
    for service in cluster.services.values() {
        put(&mut text, None, service);
    }
    text
}

/// What a partial sync writes for one service: its chain anew, and elements that differ.
pub fn changed(changed: &Changed) -> String {
    let mut text = String::new();
    match (&changed.before, &changed.after) {
        (before, Some(after)) => put(&mut text, before.as_ref(), after),
        (Some(before), None) => remove(&mut text, before),
        (None, None) => {}
    }
    text
}

/// What it takes away a second later, once nothing refers to it.
pub fn stale(changed: &Changed) -> Option<String> {
    let gone = changed.before.as_ref().filter(|_| changed.after.is_none());
    gone.map(|service| format!("delete chain ip kube-proxy {}\n", chain(service)))
}

fn put(text: &mut String, before: Option<&Service>, service: &Service) {
    let (chain, ip, name) = (chain(service), service.ip(), service.name());
    let _ = writeln!(text, "add chain ip kube-proxy {chain}");
    let _ = writeln!(text, "flush chain ip kube-proxy {chain}");
    let to = |end: &u32| format!("{} . {TARGET_PORT}", endpoint_ip(*end));
    let picked = match service.endpoints.as_slice() {
        [] => None,
        [one] => Some(format!("dnat to {}:{TARGET_PORT}", endpoint_ip(*one))),
        many => {
            let places = many.iter().enumerate();
            let places: Vec<String> = places
                .map(|(at, end)| format!("{at} : {}", to(end)))
                .collect();
            let (count, places) = (many.len(), places.join(", "));
            Some(format!(
                "dnat ip addr . port to numgen random mod {count} map {{ {places} }}"
            ))
        }
    };
    if let Some(picked) = picked {
        let _ = writeln!(
            text,
            "add rule ip kube-proxy {chain} meta l4proto tcp {picked}"
        );
    }
    let ends = |service: &Service| service.endpoints.clone();
    let old = before.map(ends).unwrap_or_default();
    for end in old.iter().filter(|end| !service.endpoints.contains(end)) {
        hairpin(text, "delete", *end);
    }
    for end in service.endpoints.iter().filter(|end| !old.contains(end)) {
        hairpin(text, "add", *end);
    }
    if before.is_none() {
        let _ = writeln!(
            text,
            "add element ip kube-proxy cluster-ips {{ {ip} comment \"{NAMESPACE}/{name}\" }}"
        );
        let _ = writeln!(
            text,
            "add element ip kube-proxy service-ips {{ {ip} . tcp . {PORT} comment \"{NAMESPACE}/{name}\" : goto {chain} }}"
        );
    }
}

fn remove(text: &mut String, service: &Service) {
    let (chain, ip) = (chain(service), service.ip());
    let _ = writeln!(text, "delete element ip kube-proxy cluster-ips {{ {ip} }}");
    let _ = writeln!(
        text,
        "delete element ip kube-proxy service-ips {{ {ip} . tcp . {PORT} }}"
    );
    for end in &service.endpoints {
        hairpin(text, "delete", *end);
    }
    let _ = writeln!(text, "flush chain ip kube-proxy {chain}");
}

fn hairpin(text: &mut String, verb: &str, end: u32) {
    if is_local(end) {
        let ip = endpoint_ip(end);
        let _ = writeln!(
            text,
            "{verb} element ip kube-proxy hairpin-connections {{ {ip} . {ip} . tcp . {TARGET_PORT} }}"
        );
    }
}

/// As long as kube-proxy's, and as unlike each other.
fn chain(service: &Service) -> String {
    let hash = service.number.wrapping_mul(0x9e37_79b1);
    format!("service-{hash:08X}-{NAMESPACE}/{}/tcp/", service.name())
}
