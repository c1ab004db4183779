//! What a node should do with a packet: from the objects alone, in the words of the specification.

use std::collections::BTreeSet;
use std::net::IpAddr;

use selectord::engine::{ServiceView, View};
use selectord::model::{ClusterIp, Endpoint, Service, TargetPort, TrafficPolicy};

use super::decision::{Fate, From};
use super::world::NODE;

/// What can be reached: a service's address (none: an address of the node), protocol, port; and whether it
/// is anything but a virtual IP.
pub type Frontend = (Option<IpAddr>, &'static str, u16, bool);

/// Everything of a service that can be reached.
pub fn frontends(service: &Service) -> Vec<Frontend> {
    let mut all = Vec::new();
    let ClusterIp::Ips(ips) = &service.cluster_ip else {
        return all;
    };
    for port in &service.ports {
        let protocol = match port.protocol.as_str() {
            "TCP" => "tcp",
            "UDP" => "udp",
            _ => "sctp",
        };
        for ip in ips {
            all.push((Some(*ip), protocol, port.port, false));
        }
        let outside = service.external_ips.iter().copied();
        for ip in outside.chain(service.load_balancer_ips.iter().map(|lb| lb.ip)) {
            if ips.iter().any(|own| own.is_ipv4() == ip.is_ipv4()) {
                all.push((Some(ip), protocol, port.port, true));
            }
        }
        if port.node_port != 0 {
            all.push((None, protocol, port.node_port, true));
        }
    }
    all
}

/// What a frontend of any service is, and whose: that of the one that has it, where several want it. A
/// virtual IP comes before a load balancer's, and that before an external one; then one with endpoints
/// before one without; then the first by name.
pub fn owner(view: &View, v4: bool, wanted: Frontend) -> (&ServiceView, Frontend) {
    let mut all: Vec<_> = view
        .services()
        .iter()
        .flat_map(|(name, held)| {
            let all = frontends(&held.entry.service);
            let families: BTreeSet<bool> =
                all.iter().filter_map(|f| Some(f.0?.is_ipv4())).collect();
            let all = all.into_iter().filter(move |_| families.contains(&v4));
            all.map(move |frontend| (frontend.3, name, held, frontend))
        })
        .filter(|(.., f)| (f.0, f.1, f.2) == (wanted.0, wanted.1, wanted.2))
        .collect();
    all.sort_by_key(|(is_external, name, held, frontend)| {
        let balancers = &held.entry.service.load_balancer_ips;
        let is_balancers = balancers.iter().any(|lb| Some(lb.ip) == frontend.0);
        let mut endpoints = held.endpoints.values();
        let has_endpoints = endpoints.any(|e| {
            let conditions = &e.conditions;
            e.identity.addresses[0].is_ipv4() == v4
                && (conditions.ready || conditions.serving && conditions.terminating)
        });
        (*is_external, !is_balancers, !has_endpoints, *name)
    });
    let (.., held, frontend) = all.remove(0);
    (held, frontend)
}

pub fn fate(view: &View, held: &ServiceView, v4: bool, frontend: Frontend, from: From) -> Fate {
    let service = &held.entry.service;
    let (ip, protocol, number, outside) = frontend;
    let guarded = ip.is_some_and(|ip| service.load_balancer_ips.iter().any(|lb| lb.ip == ip));
    if guarded && v4 && !service.load_balancer_source_ranges.is_empty() && from != From::Allowed {
        return Fate::Dropped;
    }
    let port = service.ports.iter().find(|port| {
        let same = if ip.is_some() {
            port.port == number
        } else {
            port.node_port == number
        };
        same && port.protocol.as_str().eq_ignore_ascii_case(protocol)
    });
    let TargetPort::Number(target) = port.unwrap().target_port else {
        unreachable!()
    };
    let sockets = |endpoints: &[&Endpoint]| -> BTreeSet<String> {
        let address =
            |e: &&Endpoint| std::net::SocketAddr::new(e.identity.addresses[0], target).to_string();
        endpoints.iter().map(address).collect()
    };

    let all: Vec<&Endpoint> = held
        .endpoints
        .values()
        .filter(|e| e.identity.addresses[0].is_ipv4() == v4)
        .collect();
    let ready: Vec<&Endpoint> = all.iter().copied().filter(|e| e.conditions.ready).collect();
    let leaving: Vec<&Endpoint> = all
        .iter()
        .copied()
        .filter(|e| e.conditions.serving && e.conditions.terminating)
        .collect();
    let here = |of: &[&Endpoint]| {
        let local: Vec<&Endpoint> = of.iter().copied().filter(|e| e.node == NODE).collect();
        sockets(&local)
    };

    let zone = view.nodes().get(NODE).and_then(|node| node.zone());
    let mut near = ready.clone();
    if ready.iter().all(|e| !e.hints.nodes.is_empty())
        && ready
            .iter()
            .any(|e| e.hints.nodes.iter().any(|n| n == NODE))
    {
        near.retain(|e| e.hints.nodes.iter().any(|n| n == NODE));
    } else if let Some(zone) = zone
        && ready.iter().all(|e| !e.hints.zones.is_empty())
        && ready
            .iter()
            .any(|e| e.hints.zones.iter().any(|z| z == zone))
    {
        near.retain(|e| e.hints.zones.iter().any(|z| z == zone));
    }
    let cluster = if near.is_empty() {
        sockets(&leaving)
    } else {
        sockets(&near)
    };
    let local = if here(&ready).is_empty() {
        here(&leaving)
    } else {
        here(&ready)
    };

    if ready.is_empty() && leaving.is_empty() {
        return Fate::Refused;
    }
    let sent = |to: BTreeSet<String>, masqueraded: bool| match to.is_empty() {
        true => Fate::Dropped,
        false => Fate::Sent { to, masqueraded },
    };
    let policy = if outside {
        service.external_traffic_policy
    } else {
        service.internal_traffic_policy
    };
    match (outside, policy, from) {
        (false, TrafficPolicy::Cluster, _) => sent(cluster, from != From::Pod),
        (false, TrafficPolicy::Local, _) => sent(local, from != From::Pod),
        (true, TrafficPolicy::Cluster, _) => sent(cluster, true),
        (true, TrafficPolicy::Local, From::Pod) => sent(cluster, false),
        (true, TrafficPolicy::Local, From::Node) => sent(cluster, true),
        (true, TrafficPolicy::Local, _) => sent(local, false),
    }
}
