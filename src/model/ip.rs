use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

/// An IP family, in Kubernetes' words `IPv4` and `IPv6`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IpFamily {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl IpFamily {
    /// The family of an address that [`parse_ip`] made.
    pub fn of(address: &IpAddr) -> IpFamily {
        match address {
            IpAddr::V4(_) => IpFamily::V4,
            IpAddr::V6(_) => IpFamily::V6,
        }
    }

    /// `IPv4` or `IPv6`.
    pub fn as_str(self) -> &'static str {
        match self {
            IpFamily::V4 => "IPv4",
            IpFamily::V6 => "IPv6",
        }
    }
}

/// Why a text is not an IP address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is not an IPv4 or IPv6 address such as 10.9.8.7 or 2001:db8::ffff")]
pub struct ParseIpError {
    text: String,
}

/// Reads an address as Kubernetes' controllers do: leading zeros in an IPv4 part are decimal, and
/// an IPv4-mapped IPv6 address is IPv4.
///
/// # Errors
/// When the text is neither an IPv4 nor an IPv6 address.
pub fn parse_ip(text: &str) -> Result<IpAddr, ParseIpError> {
    parse_v4(text)
        .map(IpAddr::V4)
        .or_else(|| parse_v6(text).map(|v6| v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4)))
        .ok_or_else(|| ParseIpError {
            text: text.to_owned(),
        })
}

fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    // Nearly all are as they should be, and that is quickly seen.
    if let Ok(ip) = text.parse() {
        return Some(ip);
    }
    let mut octets = [0u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let significant = part.trim_start_matches('0');
        *octet = if significant.is_empty() {
            0
        } else {
            significant.parse().ok()?
        };
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

fn parse_v6(text: &str) -> Option<Ipv6Addr> {
    // The dotted tail of a mixed form may carry leading zeros too; std refuses them.
    match text.rsplit_once(':') {
        Some((head, tail)) if tail.contains('.') => {
            let v4 = parse_v4(tail)?;
            format!("{head}:{v4}").parse().ok()
        }
        _ => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_leniently_and_prints_canonically() {
        for (text, canonical) in [
            ("10.0.0.1", "10.0.0.1"),
            ("010.000.00.08", "10.0.0.8"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::ffff:010.0.0.1", "10.0.0.1"),
            ("2001:DB8:0::1", "2001:db8::1"),
        ] {
            assert_eq!(
                parse_ip(text).map(|ip| ip.to_string()).as_deref(),
                Ok(canonical),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_not_an_address() {
        for text in [
            "",
            "10.0.0",
            "10.0.0.256",
            "10.0.0.1.1",
            "a.b.c.d",
            "10.0.0.1/8",
            "fe80::1%eth0",
            " 10.0.0.1",
        ] {
            assert!(parse_ip(text).is_err(), "{text}");
        }
    }
}
