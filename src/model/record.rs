//! The canonical bytes of what a stream carries, and their hashes. `HeldService` in
//! `proto/selectord/v1/watch.proto` is the definition.

use std::net::IpAddr;

use crate::labels::LabelSet;

use super::{
    ClusterIp, Conditions, Digest, Endpoint, EndpointPort, EndpointPorts, IpFamily, Node, Protocol,
    Service, ServicePort, ServiceSelector, ServiceType, TargetPort, TrafficPolicy,
};

/// Hashes records. It keeps the room in which a record is written, so that hashing many allocates once.
#[derive(Debug, Default)]
pub struct RecordHasher {
    bytes: Vec<u8>,
}

impl RecordHasher {
    /// A service as a stream carries it: all fields. Linear in its size.
    pub fn service(&mut self, service: &Service) -> Digest {
        self.begin(1);
        self.write_service(service);
        Digest::of(&self.bytes)
    }

    /// An endpoint of a service in the namespace `home`. Linear in its size.
    pub fn endpoint(&mut self, endpoint: &Endpoint, home: &str) -> Digest {
        self.begin(2);
        self.write_endpoint(endpoint, home);
        Digest::of(&self.bytes)
    }

    /// A node. Linear in its size.
    pub fn node(&mut self, node: &Node) -> Digest {
        self.begin(3);
        self.text(&node.name);
        self.text(&node.uid);
        self.labels(&node.labels);
        Digest::of(&self.bytes)
    }

    /// What was hashed last.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn begin(&mut self, kind: u32) {
        self.bytes.clear();
        self.number(kind);
    }

    fn number(&mut self, number: u32) {
        self.bytes.extend_from_slice(&number.to_be_bytes());
    }

    fn count(&mut self, count: usize) {
        // No request that is accepted is so long that this is not exact.
        self.number(u32::try_from(count).unwrap_or(u32::MAX));
    }

    fn flag(&mut self, flag: bool) {
        self.number(flag.into());
    }

    fn text(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        self.count(text.len());
        self.bytes.extend_from_slice(text);
    }

    fn texts<T: AsRef<[u8]>>(&mut self, texts: impl ExactSizeIterator<Item = T>) {
        self.count(texts.len());
        texts.for_each(|text| self.text(text));
    }

    fn addresses<'a>(&mut self, addresses: impl ExactSizeIterator<Item = &'a IpAddr>) {
        self.texts(addresses.map(ToString::to_string));
    }

    fn labels(&mut self, labels: &LabelSet) {
        self.count(labels.len());
        for (key, value) in labels {
            self.text(key.as_str());
            self.text(value.as_str());
        }
    }

    fn write_service(&mut self, service: &Service) {
        self.text(&service.name.namespace);
        self.text(&service.name.name);
        self.text(&service.uid);
        self.labels(&service.labels);
        self.text(&service.creation_timestamp);
        self.text(service.deletion_timestamp.as_deref().unwrap_or_default());
        self.number(match service.service_type {
            ServiceType::ClusterIp => 1,
            ServiceType::NodePort => 2,
            ServiceType::LoadBalancer => 3,
            ServiceType::ExternalName => 4,
        });
        self.selector(&service.selector);
        self.count(service.ports.len());
        service.ports.iter().for_each(|port| self.port(port));
        match &service.cluster_ip {
            ClusterIp::Unset => self.count(0),
            ClusterIp::Headless => self.texts(["None"].iter()),
            ClusterIp::Ips(ips) => self.addresses(ips.iter()),
        }
        self.count(service.ip_families.len());
        for family in &service.ip_families {
            self.number(match family {
                IpFamily::V4 => 1,
                IpFamily::V6 => 2,
            });
        }
        self.text(&service.external_name);
        self.addresses(service.external_ips.iter());
        self.count(service.load_balancer_ips.len());
        for balancer in &service.load_balancer_ips {
            self.text(balancer.ip.to_string());
            self.flag(balancer.proxied);
        }
        self.texts(service.load_balancer_source_ranges.iter());
        self.number(service.session_affinity_seconds.unwrap_or_default());
        self.policy(service.internal_traffic_policy);
        self.policy(service.external_traffic_policy);
        self.number(service.health_check_node_port.into());
        self.flag(service.publish_not_ready_addresses);
        self.text(&service.traffic_distribution);
        self.text(&service.topology_mode);
    }

    fn selector(&mut self, selector: &ServiceSelector) {
        match selector {
            ServiceSelector::Map(pairs) => self.labels(pairs),
            ServiceSelector::None | ServiceSelector::Set(_) => self.count(0),
        }
        match selector {
            // A selector of nothing travels as none.
            ServiceSelector::Set(selector) if !selector.is_nothing() => {
                self.flag(true);
                self.text(selector.to_string());
            }
            _ => self.flag(false),
        }
    }

    fn port(&mut self, port: &ServicePort) {
        self.text(&port.name);
        self.protocol(port.protocol);
        self.number(port.port.into());
        match &port.target_port {
            TargetPort::Name(name) => {
                self.flag(true);
                self.text(name);
            }
            TargetPort::Number(number) => {
                self.flag(false);
                self.number((*number).into());
            }
        }
        self.number(port.node_port.into());
        self.text(&port.app_protocol);
    }

    fn protocol(&mut self, protocol: Protocol) {
        self.number(match protocol {
            Protocol::Tcp => 1,
            Protocol::Udp => 2,
            Protocol::Sctp => 3,
        });
    }

    fn policy(&mut self, policy: TrafficPolicy) {
        self.number(match policy {
            TrafficPolicy::Cluster => 1,
            TrafficPolicy::Local => 2,
        });
    }

    fn write_endpoint(&mut self, endpoint: &Endpoint, home: &str) {
        let identity = &endpoint.identity;
        self.count(identity.addresses.len());
        for address in &identity.addresses {
            match address {
                IpAddr::V4(v4) => self.text(v4.octets()),
                IpAddr::V6(v6) => self.text(v6.octets()),
            }
        }
        self.text(&identity.hostname);
        let pod = identity.pod.as_ref().filter(|pod| !pod.name.is_empty());
        let (name, namespace) = pod.map_or(("", ""), |pod| (&pod.name, &pod.namespace));
        self.text(name);
        self.text(if namespace == home { "" } else { namespace });
        self.text(&endpoint.uid);
        self.endpoint_ports(&endpoint.ports);
        self.conditions(endpoint.conditions);
        self.text(&endpoint.node);
        self.text(&endpoint.zone);
        self.texts(endpoint.hints.zones.iter());
        self.texts(endpoint.hints.nodes.iter());
    }

    fn endpoint_ports(&mut self, ports: &EndpointPorts) {
        match ports {
            EndpointPorts::Resolved(numbers) => {
                self.count(numbers.len());
                for number in numbers {
                    self.number(number.map_or(0, |number| number.get().into()));
                }
            }
            EndpointPorts::OfService | EndpointPorts::Own(_) => self.count(0),
        }
        let EndpointPorts::Own(own) = ports else {
            self.flag(false);
            return;
        };
        self.flag(true);
        self.count(own.len());
        for port in own.iter() {
            let EndpointPort {
                name,
                number,
                protocol,
                app_protocol,
            } = port;
            self.text(name);
            self.number(number.unwrap_or_default().into());
            self.protocol(*protocol);
            self.text(app_protocol);
        }
    }

    fn conditions(&mut self, conditions: Conditions) {
        let bits = [conditions.ready, conditions.serving, conditions.terminating];
        let bits = bits.into_iter().zip([1, 2, 4]);
        self.number(bits.filter(|(set, _)| *set).map(|(_, bit)| bit).sum());
    }
}
