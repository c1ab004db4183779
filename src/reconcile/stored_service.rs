use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::index::Uid;
use crate::labels::LabelSet;
use crate::model::{
    ClusterIp, IpFamily, LoadBalancerIp, ObjectName, Service, ServicePort, ServiceType,
    TrafficPolicy,
};

use super::packed_time::{pack_time, unpack_time};
use super::pool::Pool;
use super::service_facts::{Families, ServiceFacts, distribution};
use super::stored_selector::{StandingSelector, StoredSelector};

/// A service, as kept: a seventh of what a [`Service`] takes. What many services have in common is
/// shared, texts of a known shape are numbers, and what few services have stands apart.
#[derive(Debug)]
pub(crate) struct StoredService {
    namespace: Arc<SmolStr>,
    name: SmolStr,
    uid: Uid,
    /// A packed time.
    created: u64,
    labels: Arc<LabelSet>,
    selector: StoredSelector,
    ports: Arc<Vec<ServicePort>>,
    shape: Arc<Shape>,
    cluster_ip: StoredIp,
    rare: Option<Box<Rare>>,
}

/// The fields in which most services are alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    service_type: ServiceType,
    ip_families: SmallVec<[IpFamily; 2]>,
    session_affinity_seconds: Option<u32>,
    internal_traffic_policy: TrafficPolicy,
    external_traffic_policy: TrafficPolicy,
    publish_not_ready_addresses: bool,
    traffic_distribution: SmolStr,
    topology_mode: SmolStr,
}

#[derive(Debug)]
enum StoredIp {
    Unset,
    Headless,
    V4(Ipv4Addr),
    /// Of another family, or several.
    Other(Box<ClusterIp>),
}

/// What few services have, and what does not fit the usual form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Rare {
    /// Empty: it is packed.
    uid: SmolStr,
    /// Empty: it is packed.
    creation_timestamp: SmolStr,
    deletion_timestamp: Option<SmolStr>,
    external_name: SmolStr,
    external_ips: Vec<IpAddr>,
    load_balancer_ips: Vec<LoadBalancerIp>,
    load_balancer_source_ranges: Vec<SmolStr>,
    health_check_node_port: u16,
}

/// What stored services share.
#[derive(Debug, Default)]
pub(crate) struct ServicePools {
    namespaces: Pool<SmolStr>,
    labels: Pool<LabelSet>,
    ports: Pool<Vec<ServicePort>>,
    shapes: Pool<Shape>,
}

impl ServicePools {
    /// Bytes of what is shared, without texts.
    pub(crate) fn bytes(&self) -> u64 {
        let namespaces = self.namespaces.len() * size_of::<SmolStr>();
        let labels = self.labels.len() * size_of::<LabelSet>();
        let ports = self.ports.len() * size_of::<Vec<ServicePort>>();
        let shapes = self.shapes.len() * size_of::<Shape>();
        (namespaces + labels + ports + shapes) as u64
    }
}

impl StoredService {
    pub(crate) fn new(service: Service, pools: &mut ServicePools) -> StoredService {
        let Service {
            name: ObjectName { namespace, name },
            uid,
            labels,
            creation_timestamp,
            deletion_timestamp,
            service_type,
            selector,
            ports,
            cluster_ip,
            ip_families,
            external_name,
            external_ips,
            load_balancer_ips,
            load_balancer_source_ranges,
            session_affinity_seconds,
            internal_traffic_policy,
            external_traffic_policy,
            health_check_node_port,
            publish_not_ready_addresses,
            traffic_distribution,
            topology_mode,
        } = service;
        let (packed_uid, packed_time) = (Uid::read(&uid), pack_time(&creation_timestamp));
        let rare = Rare {
            uid: if packed_uid.is_some() {
                SmolStr::default()
            } else {
                uid
            },
            creation_timestamp: if packed_time.is_some() {
                SmolStr::default()
            } else {
                creation_timestamp
            },
            deletion_timestamp,
            external_name,
            external_ips,
            load_balancer_ips,
            load_balancer_source_ranges,
            health_check_node_port,
        };
        let shape = Shape {
            service_type,
            ip_families,
            session_affinity_seconds,
            internal_traffic_policy,
            external_traffic_policy,
            publish_not_ready_addresses,
            traffic_distribution,
            topology_mode,
        };
        StoredService {
            namespace: pools.namespaces.share(namespace),
            name,
            uid: packed_uid.unwrap_or_default(),
            created: packed_time.unwrap_or_default(),
            labels: pools.labels.share(labels),
            selector: StoredSelector::new(selector),
            ports: pools.ports.share(ports),
            shape: pools.shapes.share(shape),
            cluster_ip: StoredIp::new(cluster_ip),
            rare: (rare != Rare::default()).then(|| Box::new(rare)),
        }
    }

    /// Gives back what it shares with others.
    pub(crate) fn release(self, pools: &mut ServicePools) {
        pools.namespaces.release(self.namespace);
        pools.labels.release(self.labels);
        pools.ports.release(self.ports);
        pools.shapes.release(self.shape);
    }

    /// The service as it was given. Costs up to a microsecond.
    pub(crate) fn whole(&self) -> Service {
        let Shape {
            service_type,
            ip_families,
            session_affinity_seconds,
            internal_traffic_policy,
            external_traffic_policy,
            publish_not_ready_addresses,
            traffic_distribution,
            topology_mode,
        } = (*self.shape).clone();
        let Rare {
            uid,
            creation_timestamp,
            deletion_timestamp,
            external_name,
            external_ips,
            load_balancer_ips,
            load_balancer_source_ranges,
            health_check_node_port,
        } = self.rare.as_deref().cloned().unwrap_or_default();
        let or_packed = |text: SmolStr, packed: SmolStr| {
            if text.is_empty() { packed } else { text }
        };
        Service {
            name: self.name(),
            uid: or_packed(uid, self.uid.text()),
            labels: self.labels().clone(),
            creation_timestamp: or_packed(creation_timestamp, unpack_time(self.created).into()),
            deletion_timestamp,
            service_type,
            selector: self.selector.whole(),
            ports: (*self.ports).clone(),
            cluster_ip: self.cluster_ip.whole(),
            ip_families,
            external_name,
            external_ips,
            load_balancer_ips,
            load_balancer_source_ranges,
            session_affinity_seconds,
            internal_traffic_policy,
            external_traffic_policy,
            health_check_node_port,
            publish_not_ready_addresses,
            traffic_distribution,
            topology_mode,
        }
    }

    /// Bytes it has to itself beside its place in the table.
    pub(crate) fn bytes(&self) -> u64 {
        let rare = self.rare.as_ref().map_or(0, |_| size_of::<Rare>());
        let text = if self.name.is_heap_allocated() {
            self.name.len()
        } else {
            0
        };
        let ips = match &self.cluster_ip {
            StoredIp::Other(_) => size_of::<ClusterIp>(),
            _ => 0,
        };
        (rare + text + ips) as u64 + self.selector.bytes()
    }

    pub(crate) fn namespace(&self) -> &SmolStr {
        &self.namespace
    }

    /// Namespace and name.
    pub(crate) fn name(&self) -> ObjectName {
        ObjectName {
            namespace: (*self.namespace).clone(),
            name: self.name.clone(),
        }
    }

    /// What [`StoredService::name`] orders by.
    pub(crate) fn sort_key(&self) -> (&str, &str) {
        (&self.namespace, &self.name)
    }

    pub(crate) fn labels(&self) -> &LabelSet {
        &self.labels
    }

    /// As [`Service::has_cluster_ip`].
    pub(crate) fn has_cluster_ip(&self) -> bool {
        let has_one = match &self.cluster_ip {
            StoredIp::Unset | StoredIp::Headless => false,
            StoredIp::V4(_) => true,
            StoredIp::Other(ips) => matches!(&**ips, ClusterIp::Ips(ips) if !ips.is_empty()),
        };
        self.shape.service_type != ServiceType::ExternalName && has_one
    }

    /// The selector that computes its endpoints, if they are computed.
    pub(crate) fn standing(&self) -> Option<StandingSelector<'_>> {
        if self.shape.service_type == ServiceType::ExternalName {
            None
        } else {
            self.selector.standing()
        }
    }

    pub(crate) fn publishes_not_ready_addresses(&self) -> bool {
        self.shape.publish_not_ready_addresses
    }

    /// What of it decides endpoints.
    pub(crate) fn facts(&self) -> ServiceFacts<'_> {
        let Shape {
            ip_families,
            publish_not_ready_addresses,
            traffic_distribution,
            topology_mode,
            ..
        } = &*self.shape;
        ServiceFacts {
            name: &self.name,
            families: if ip_families.is_empty() {
                self.cluster_ip.families()
            } else {
                Families::of(ip_families)
            },
            publish_not_ready_addresses: *publish_not_ready_addresses,
            distribution: distribution(traffic_distribution, topology_mode),
            ports: &self.ports,
        }
    }
}

impl StoredIp {
    fn new(ip: ClusterIp) -> StoredIp {
        match ip {
            ClusterIp::Unset => StoredIp::Unset,
            ClusterIp::Headless => StoredIp::Headless,
            ClusterIp::Ips(ips) => match *ips.as_slice() {
                [IpAddr::V4(ip)] => StoredIp::V4(ip),
                _ => StoredIp::Other(Box::new(ClusterIp::Ips(ips))),
            },
        }
    }

    fn whole(&self) -> ClusterIp {
        match self {
            StoredIp::Unset => ClusterIp::Unset,
            StoredIp::Headless => ClusterIp::Headless,
            StoredIp::V4(ip) => ClusterIp::Ips([IpAddr::V4(*ip)].into_iter().collect()),
            StoredIp::Other(ips) => (**ips).clone(),
        }
    }

    /// The families of endpoints where the service does not list them.
    fn families(&self) -> Families {
        match self {
            StoredIp::Unset | StoredIp::Headless => Families::BOTH,
            StoredIp::V4(_) => Families::of(&[IpFamily::V4]),
            StoredIp::Other(ips) => match &**ips {
                ClusterIp::Ips(ips) => ips
                    .first()
                    .map_or(Families::BOTH, |ip| Families::of(&[IpFamily::of(ip)])),
                _ => Families::BOTH,
            },
        }
    }
}

#[cfg(test)]
mod tests;
