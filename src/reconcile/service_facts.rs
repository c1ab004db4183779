use crate::model::{IpFamily, Service, ServicePort, TargetPort, TrafficDistribution};

/// What of a service decides its endpoints, apart from its selector. Cheap to take: nothing is
/// copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServiceFacts<'s> {
    /// Its name, without the namespace.
    pub(crate) name: &'s str,
    pub(crate) families: Families,
    pub(crate) publish_not_ready_addresses: bool,
    /// What ready endpoints are hinted to; nothing while the topology annotation, which excludes it,
    /// is active.
    pub(crate) distribution: Option<TrafficDistribution>,
    pub(crate) ports: &'s [ServicePort],
}

/// IP families, in no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Families {
    v4: bool,
    v6: bool,
}

impl Families {
    pub(crate) const BOTH: Families = Families { v4: true, v6: true };

    pub(crate) fn of(families: &[IpFamily]) -> Families {
        Families {
            v4: families.contains(&IpFamily::V4),
            v6: families.contains(&IpFamily::V6),
        }
    }

    pub(crate) fn contains(self, family: IpFamily) -> bool {
        match family {
            IpFamily::V4 => self.v4,
            IpFamily::V6 => self.v6,
        }
    }
}

impl<'s> ServiceFacts<'s> {
    pub(crate) fn of(service: &'s Service) -> ServiceFacts<'s> {
        ServiceFacts {
            name: &service.name.name,
            families: Families::of(&service.endpoint_families()),
            publish_not_ready_addresses: service.publish_not_ready_addresses,
            distribution: distribution(&service.traffic_distribution, &service.topology_mode),
            ports: &service.ports,
        }
    }

    /// Whether some target port is a name, so that each pod has to be asked for its number.
    pub(crate) fn has_named_target_port(&self) -> bool {
        let named = |port: &ServicePort| matches!(port.target_port, TargetPort::Name(_));
        self.ports.iter().any(named)
    }
}

/// What `trafficDistribution` comes to beside the topology annotation.
pub(crate) fn distribution(asked: &str, topology_mode: &str) -> Option<TrafficDistribution> {
    if matches!(topology_mode, "Auto" | "auto") {
        None
    } else {
        TrafficDistribution::from_name(asked)
    }
}
