//! Names of chains and sets that belong to one service port, spelt as kube-proxy's nftables mode does.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::super::hash::base32;
use super::super::{PortName, Target};

/// Longest hash and rest; the kernel allows 255 bytes, and prefixes need some.
const LONGEST: usize = 240;
const HASH: usize = 8;

/// The chain of a port's endpoints under the policy Cluster, with affinity.
pub(super) fn service_chain(port: &PortName) -> String {
    named("service", &port.to_string())
}

/// The chain of a port's endpoints under the policy Local, with affinity.
pub(super) fn local_chain(port: &PortName) -> String {
    named("local", &port.to_string())
}

/// The chain that marks and goes on to the service chain.
pub(super) fn external_chain(port: &PortName) -> String {
    named("external", &port.to_string())
}

/// The chain that drops whom the source ranges leave out.
pub(super) fn firewall_chain(port: &PortName) -> String {
    named("firewall", &port.to_string())
}

/// The chain that remembers a client and sends it to one endpoint.
pub(super) fn endpoint_chain(port: &PortName, target: &Target) -> String {
    named("endpoint", &of_target(port, target))
}

/// The set of the clients that an endpoint is remembered for.
pub(super) fn affinity_set(port: &PortName, target: &Target) -> String {
    named("affinity", &of_target(port, target))
}

fn of_target(port: &PortName, target: &Target) -> String {
    let ip = match target.ip {
        IpAddr::V4(ip) => ip.to_string(),
        // A colon ends a name.
        IpAddr::V6(ip) => ip.to_string().replace(':', "."),
    };
    format!("{port}__{ip}/{}", target.port)
}

fn named(prefix: &str, rest: &str) -> String {
    let hashed = format!("{}-{rest}", base32(rest, HASH));
    match hashed.split_at_checked(LONGEST) {
        Some((kept, cut)) if !cut.is_empty() => {
            let kept = kept.get(..LONGEST - 3).unwrap_or(kept);
            format!("{prefix}-{kept}...")
        }
        _ => format!("{prefix}-{hashed}"),
    }
}

/// A time as nft prints it: `3h`, `1m30s`.
pub(super) fn duration(seconds: u32) -> String {
    let mut text = String::new();
    let parts = [
        (seconds / 86_400, 'd'),
        (seconds / 3_600 % 24, 'h'),
        (seconds / 60 % 60, 'm'),
        (seconds % 60, 's'),
    ];
    for (count, unit) in parts.into_iter().filter(|(count, _)| *count > 0) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{count}{unit}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{IpFamily, ObjectName, Protocol};

    fn port(name: &str) -> PortName {
        PortName {
            family: IpFamily::V4,
            service: ObjectName::new("ns1", name),
            port: "p80".into(),
            protocol: Protocol::Tcp,
        }
    }

    #[test]
    fn names_are_those_that_operators_know() {
        let target = Target {
            ip: "10.180.0.1".parse().unwrap(),
            port: 80,
        };
        assert_eq!(
            service_chain(&port("svc1")),
            "service-ULMVA6XW-ns1/svc1/tcp/p80"
        );
        assert_eq!(
            endpoint_chain(&port("svc1"), &target),
            "endpoint-5OJB2KTY-ns1/svc1/tcp/p80__10.180.0.1/80"
        );
        let six = Target {
            ip: "fd00::1".parse().unwrap(),
            port: 80,
        };
        assert!(affinity_set(&port("svc1"), &six).ends_with("-ns1/svc1/tcp/p80__fd00..1/80"));
    }

    #[test]
    fn long_names_are_cut_and_still_differ() {
        let (a, b) = ("a".repeat(253), "a".repeat(252));
        let (a, b) = (service_chain(&port(&a)), service_chain(&port(&b)));
        assert!(a.len() <= 255 && a.ends_with("..."), "{a}");
        assert_ne!(a, b);
    }

    #[test]
    fn times_are_spelt_as_nft_spells_them() {
        for (seconds, text) in [(10_800, "3h"), (90, "1m30s"), (86_401, "1d1s"), (3, "3s")] {
            assert_eq!(duration(seconds), text);
        }
    }
}
