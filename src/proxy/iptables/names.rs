//! Names of chains that belong to one service port, spelt as kube-proxy's iptables mode does.

use std::net::SocketAddr;

use super::super::hash::base32;
use super::super::{PortName, Target, protocol_word};

/// What the names of all our chains begin with.
pub(super) const PREFIX: &str = "SELD-";
/// Letters of a hash: with the longest prefix they are 25 of the 28 that the kernel allows.
const HASH: usize = 16;

/// The chain of the endpoints that the policy Cluster reaches.
pub(super) fn service_chain(port: &PortName) -> String {
    named("SVC", &hashed(port))
}

/// The chain of the endpoints that the policy Local reaches.
pub(super) fn local_chain(port: &PortName) -> String {
    named("SVL", &hashed(port))
}

/// The chain of what comes through other addresses than the virtual IPs.
pub(super) fn external_chain(port: &PortName) -> String {
    named("EXT", &hashed(port))
}

/// The chain that lets in whom the source ranges name.
pub(super) fn firewall_chain(port: &PortName) -> String {
    named("FW", &hashed(port))
}

/// The chain of one endpoint; affinity's list of clients has this name too.
pub(super) fn endpoint_chain(port: &PortName, target: &Target) -> String {
    named("SEP", &format!("{}{}", hashed(port), socket(target)))
}

/// Whether a chain belongs to a service port or an endpoint.
pub(super) fn is_of_service(chain: &str) -> bool {
    let rest = chain
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('-'));
    rest.is_some_and(|(kind, _)| matches!(kind, "SVC" | "SVL" | "EXT" | "FW" | "SEP"))
}

/// `namespace/name:port`, as comments have it.
pub(super) fn of_port(port: &PortName) -> String {
    let service = &port.service;
    match port.port.as_str() {
        "" => format!("{}/{}", service.namespace, service.name),
        name => format!("{}/{}:{name}", service.namespace, service.name),
    }
}

/// `10.0.0.1:80`, `[fd00::1]:80`.
pub(super) fn socket(target: &Target) -> SocketAddr {
    SocketAddr::new(target.ip, target.port)
}

fn hashed(port: &PortName) -> String {
    format!("{}{}", of_port(port), protocol_word(port.protocol))
}

fn named(kind: &str, text: &str) -> String {
    format!("{PREFIX}{kind}-{}", base32(text, HASH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IpFamily, ObjectName, Protocol};

    #[test]
    fn names_are_those_that_operators_know() {
        let mut port = PortName {
            family: IpFamily::V4,
            service: ObjectName::new("ns1", "svc1"),
            port: "p80".into(),
            protocol: Protocol::Tcp,
        };
        let target = Target {
            ip: "10.180.0.1".parse().unwrap(),
            port: 80,
        };
        assert_eq!(service_chain(&port), "SELD-SVC-XPGD46QRK7WJZT7O");
        assert_eq!(firewall_chain(&port), "SELD-FW-XPGD46QRK7WJZT7O");
        let endpoint = endpoint_chain(&port, &target);
        assert_eq!(endpoint, "SELD-SEP-SXIVWICOYRO3J4NJ");
        assert!(endpoint.len() <= 28 && is_of_service(&endpoint));
        assert!(!is_of_service("SELD-MARK-MASQ") && !is_of_service("KUBE-SVC-X"));
        assert_eq!(of_port(&port), "ns1/svc1:p80");
        port.port = "".into();
        assert_eq!(of_port(&port), "ns1/svc1");
    }
}
