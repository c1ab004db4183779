//! Which endpoints this node uses: the consumer's half of Kubernetes' rules.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::engine::{ServiceView, View};
use crate::model::{
    ClusterIp, Endpoint, EndpointPort, EndpointPorts, IpFamily, Service, ServicePort, ServiceType,
    TargetPort, TrafficPolicy,
};

use super::{Cidr, HealthCheck, PortName, PortRules, Target};

/// A service with this label, whatever its value, is another proxy's.
const PROXY_NAME: &str = "service.kubernetes.io/service-proxy-name";

/// What of the node decides which endpoints it uses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeView {
    /// Its name.
    pub name: SmolStr,
    /// Its zone, where it has one.
    pub zone: Option<SmolStr>,
    /// Addresses of its interfaces at which others reach it.
    pub addresses: BTreeSet<IpAddr>,
}

impl NodeView {
    /// Takes the node's zone from a view of its scope: none while the node is not known. Answers whether
    /// it is another one than before; then every service has to be looked at again.
    pub fn see(&mut self, view: &View) -> bool {
        let zone = view.nodes().get(&self.name).and_then(|node| node.zone());
        let changed = zone != self.zone.as_deref();
        self.zone = zone.map(SmolStr::new);
        changed
    }
}

/// What the node does with each port of a service, in both families. Nothing for a service without a
/// virtual IP, and for one that is another proxy's. The work is that of the service's endpoints times its ports.
pub fn choose(view: &ServiceView, node: &NodeView) -> Vec<PortRules> {
    let service = &view.entry.service;
    let mut all = Vec::new();
    if is_anothers(service) {
        return all;
    }
    for family in [IpFamily::V4, IpFamily::V6] {
        let cluster_ips = virtual_ips(service, family);
        if cluster_ips.is_empty() {
            continue;
        }
        let endpoints: Vec<&Endpoint> = view
            .endpoints
            .values()
            .filter(|endpoint| endpoint.identity.family() == family)
            .collect();
        for (index, port) in service.ports.iter().enumerate() {
            let heard: Vec<Heard<'_>> = endpoints
                .iter()
                .filter_map(|endpoint| Heard::at(index, port, endpoint))
                .collect();
            all.push(rules_of(service, port, family, &cluster_ips, &heard, node));
        }
    }
    all
}

/// The health check of a service, where it has one.
pub fn health_check(view: &ServiceView, node: &NodeView) -> Option<HealthCheck> {
    let service = &view.entry.service;
    let port = health_check_port(service);
    let ready: BTreeSet<_> = view
        .endpoints
        .values()
        .filter(|endpoint| endpoint.conditions.ready && is_local(endpoint, node))
        // A pod with an address of each family is one endpoint.
        .map(|endpoint| match &endpoint.identity.pod {
            Some(pod) => (Some(pod.clone()), None),
            None => (None, endpoint.identity.addresses.first().copied()),
        })
        .collect();
    (port != 0 && !is_anothers(service)).then(|| HealthCheck {
        service: service.name.clone(),
        port,
        local_endpoints: ready.len(),
    })
}

fn is_anothers(service: &Service) -> bool {
    service.labels.get(PROXY_NAME).is_some()
}

/// Where load balancers ask for a service's health; 0: nowhere.
fn health_check_port(service: &Service) -> u16 {
    let asked = service.service_type == ServiceType::LoadBalancer
        && service.external_traffic_policy == TrafficPolicy::Local;
    if asked {
        service.health_check_node_port
    } else {
        0
    }
}

/// An endpoint, and where it listens for one port of the service.
struct Heard<'a> {
    endpoint: &'a Endpoint,
    target: Target,
}

impl Heard<'_> {
    fn at<'a>(index: usize, port: &ServicePort, endpoint: &'a Endpoint) -> Option<Heard<'a>> {
        let number = match &endpoint.ports {
            EndpointPorts::OfService => match port.target_port {
                TargetPort::Number(number) => number,
                TargetPort::Name(_) => return None,
            },
            EndpointPorts::Resolved(numbers) => numbers.get(index).copied().flatten()?.get(),
            EndpointPorts::Own(own) => {
                let same = |p: &&EndpointPort| p.name == port.name && p.protocol == port.protocol;
                // Of one without a number nobody knows where it listens.
                own.iter().find(same)?.number?
            }
        };
        let ip = *endpoint.identity.addresses.first()?;
        (number != 0).then_some(Heard {
            endpoint,
            target: Target { ip, port: number },
        })
    }
}

fn rules_of(
    service: &Service,
    port: &ServicePort,
    family: IpFamily,
    cluster_ips: &[IpAddr],
    heard: &[Heard<'_>],
    node: &NodeView,
) -> PortRules {
    let ready: Vec<&Heard<'_>> = heard
        .iter()
        .filter(|h| h.endpoint.conditions.ready)
        .collect();
    let leaving: Vec<&Heard<'_>> = heard
        .iter()
        .filter(|h| h.endpoint.conditions.serving && h.endpoint.conditions.terminating)
        .collect();
    let targets = |of: &[&Heard<'_>]| of.iter().map(|h| h.target).collect::<BTreeSet<_>>();
    let here = |of: &[&Heard<'_>]| {
        let local = of.iter().filter(|h| is_local(h.endpoint, node));
        local.map(|h| h.target).collect::<BTreeSet<_>>()
    };
    let or_leaving = |chosen: BTreeSet<Target>, leaving: BTreeSet<Target>| {
        if chosen.is_empty() { leaving } else { chosen }
    };
    let [external_ips, balancer_ips] = outside_ips(service, family, cluster_ips);
    let source_ranges = source_ranges(service, family, &balancer_ips, node);
    PortRules {
        name: Arc::new(PortName {
            family,
            service: service.name.clone(),
            port: port.name.clone(),
            protocol: port.protocol,
        }),
        cluster_ips: cluster_ips.to_vec(),
        port: port.port,
        node_port: port.node_port,
        health_check_port: health_check_port(service),
        external_ips,
        balancer_ips,
        source_ranges,
        affinity_seconds: service.session_affinity_seconds.filter(|s| *s > 0),
        internal_policy: service.internal_traffic_policy,
        external_policy: service.external_traffic_policy,
        has_endpoints: !ready.is_empty() || !leaving.is_empty(),
        cluster: or_leaving(targets(&near(&ready, node)), targets(&leaving)),
        local: or_leaving(here(&ready), here(&leaving)),
        serving: heard
            .iter()
            .filter(|h| h.endpoint.conditions.serving || h.endpoint.conditions.ready)
            .map(|h| h.target)
            .collect(),
    }
}

fn virtual_ips(service: &Service, family: IpFamily) -> Vec<IpAddr> {
    match &service.cluster_ip {
        ClusterIp::Ips(ips) if service.service_type != ServiceType::ExternalName => {
            of_family(ips.iter().copied(), family)
        }
        _ => Vec::new(),
    }
}

/// Addresses other than virtual IPs: all of them, and those of load balancers.
fn outside_ips(service: &Service, family: IpFamily, cluster_ips: &[IpAddr]) -> [Vec<IpAddr>; 2] {
    let balancers = service.load_balancer_ips.iter();
    let balancers = of_family(balancers.filter(|ip| !ip.proxied).map(|ip| ip.ip), family);
    let mut all = of_family(service.external_ips.iter().copied(), family);
    all.extend(balancers.iter().copied());
    all.sort_unstable();
    all.dedup();
    all.retain(|ip| !cluster_ips.contains(ip));
    [all, balancers]
}

/// Who may use a load balancer's IPs; empty: everybody.
fn source_ranges(
    service: &Service,
    family: IpFamily,
    balancer_ips: &[IpAddr],
    node: &NodeView,
) -> Vec<Cidr> {
    let ranges = service.load_balancer_source_ranges.iter();
    let ranges = ranges.filter_map(|range| range.parse::<Cidr>().ok());
    let mut ranges: Vec<Cidr> = ranges.filter(|range| range.family() == family).collect();
    let here = |ip: &IpAddr| ranges.iter().any(|range| range.contains(*ip));
    if node.addresses.iter().any(here) {
        // Where a balancer's IP is put on the node, what the node sends there comes from that IP.
        ranges.extend(balancer_ips.iter().copied().map(Cidr::from));
    }
    ranges
}

fn of_family(ips: impl Iterator<Item = IpAddr>, family: IpFamily) -> Vec<IpAddr> {
    let mut ips: Vec<IpAddr> = ips.filter(|ip| IpFamily::of(ip) == family).collect();
    ips.sort_unstable();
    ips.dedup();
    ips
}

/// The ready endpoints that are meant for this node, where hints say so of every one of them.
fn near<'a>(ready: &[&'a Heard<'a>], node: &NodeView) -> Vec<&'a Heard<'a>> {
    let for_node = |h: &&Heard<'_>| h.endpoint.hints.nodes.contains(&node.name);
    if ready.iter().all(|h| !h.endpoint.hints.nodes.is_empty()) && ready.iter().any(for_node) {
        return ready.iter().copied().filter(for_node).collect();
    }
    let zone = node.zone.as_ref();
    let for_zone = |h: &&Heard<'_>| zone.is_some_and(|z| h.endpoint.hints.zones.contains(z));
    if ready.iter().all(|h| !h.endpoint.hints.zones.is_empty()) && ready.iter().any(for_zone) {
        return ready.iter().copied().filter(for_zone).collect();
    }
    ready.to_vec()
}

fn is_local(endpoint: &Endpoint, node: &NodeView) -> bool {
    !endpoint.node.is_empty() && endpoint.node == node.name
}
