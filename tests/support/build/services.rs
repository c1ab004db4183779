//! Services.

use selectord::model::{
    ClusterIp, IpFamily, Protocol, Service, ServicePort, ServiceSelector, ServiceType, TargetPort,
    parse_ip,
};
use smallvec::smallvec;
use smol_str::SmolStr;

use super::{labels, name, selector};

/// A service of one port, 80 to 8080, that selects nothing yet.
pub fn service(text: &str) -> Service {
    let port = port("http", 80, TargetPort::Number(8080));
    Service {
        name: name(text),
        ports: vec![port],
        ..Service::default()
    }
}

pub fn port(name: &str, port: u16, target_port: TargetPort) -> ServicePort {
    ServicePort {
        name: name.into(),
        protocol: Protocol::Tcp,
        port,
        target_port,
        node_port: 0,
        app_protocol: SmolStr::default(),
    }
}

pub trait BuildService: Sized {
    /// The map form: `app=x,tier=y`.
    fn selects(self, pairs: &str) -> Self;
    /// The set form.
    fn selects_by(self, selector: &str) -> Self;
    fn headless(self) -> Self;
    fn cluster_ip(self, text: &str) -> Self;
    fn families(self, families: &[IpFamily]) -> Self;
    fn of_type(self, service_type: ServiceType) -> Self;
    fn publish_not_ready(self) -> Self;
    fn traffic_distribution(self, text: &str) -> Self;
    fn ports(self, ports: Vec<ServicePort>) -> Self;
}

impl BuildService for Service {
    fn selects(mut self, pairs: &str) -> Service {
        self.selector = ServiceSelector::Map(labels(pairs));
        self
    }

    fn selects_by(mut self, text: &str) -> Service {
        self.selector = ServiceSelector::Set(selector(text));
        self
    }

    fn headless(mut self) -> Service {
        self.cluster_ip = ClusterIp::Headless;
        self
    }

    fn cluster_ip(mut self, text: &str) -> Service {
        self.cluster_ip = ClusterIp::Ips(smallvec![parse_ip(text).expect(text)]);
        self
    }

    fn families(mut self, families: &[IpFamily]) -> Service {
        self.ip_families = families.iter().copied().collect();
        self
    }

    fn of_type(mut self, service_type: ServiceType) -> Service {
        self.service_type = service_type;
        self
    }

    fn publish_not_ready(mut self) -> Service {
        self.publish_not_ready_addresses = true;
        self
    }

    fn traffic_distribution(mut self, text: &str) -> Service {
        self.traffic_distribution = text.into();
        self
    }

    fn ports(mut self, ports: Vec<ServicePort>) -> Service {
        self.ports = ports;
        self
    }
}
