//! Endpoints and their identities, written straight into an element of the stream.

use std::net::IpAddr;

use prost::encoding::encode_varint;
use smol_str::SmolStr;

use crate::model::{Endpoint, EndpointIdentity, EndpointPort, EndpointPorts, Hints};

use super::endpoints::encode_conditions;
use super::name::encode_protocol;
use super::put::{put_bytes, put_item, put_message, put_number};
use super::uid::encode_uuid;

/// The shortest prefix worth a field of its own.
const SHORTEST: usize = 4;

/// What names of one kind begin with in one element.
///
/// The first name is written whole; the second shows what both begin with, and that is written once.
/// So an element of one endpoint, which is what most changes are, is no longer than its names, and no
/// element has to be looked through before it is written.
#[derive(Debug, Default)]
pub(super) struct Prefix {
    first: SmolStr,
    agreed: SmolStr,
}

impl Prefix {
    /// Looks at a name that is about to be written, and writes the prefix into the element's `field`
    /// once it is clear. Linear in the name's length.
    fn look(&mut self, out: &mut Vec<u8>, field: u32, name: &SmolStr) {
        if !self.agreed.is_empty() || name.is_empty() {
            return;
        }
        if self.first.is_empty() {
            self.first = name.clone();
            return;
        }
        let common = common(&self.first, name);
        if common.len() >= SHORTEST {
            self.agreed = common.into();
            put_bytes(out, field, common.as_bytes());
        }
    }

    /// Writes a name, whole or as what follows the prefix.
    fn put(&self, out: &mut Vec<u8>, whole: u32, suffix: u32, name: &str) {
        let rest = name.strip_prefix(self.agreed.as_str());
        match rest.filter(|rest| !self.agreed.is_empty() && !rest.is_empty()) {
            Some(rest) => put_bytes(out, suffix, rest.as_bytes()),
            None => put_bytes(out, whole, name.as_bytes()),
        }
    }
}

/// What two names begin with, up to a hyphen: behind the last one, names made by one hand differ.
fn common<'n>(first: &str, second: &'n str) -> &'n str {
    let pairs = first.bytes().zip(second.bytes());
    let same = pairs.take_while(|(first, second)| first == second).count();
    let shared = second.get(..same).unwrap_or_default();
    let end = shared
        .rfind('-')
        .map_or(0, |hyphen| hyphen.saturating_add(1));
    shared.get(..end).unwrap_or_default()
}

/// What the names in one element begin with.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    pods: Prefix,
    nodes: Prefix,
    zones: Prefix,
}

impl Prefixes {
    /// An endpoint of a service in `namespace`, into the element's list.
    pub(super) fn endpoint(&mut self, out: &mut Vec<u8>, endpoint: &Endpoint, namespace: &str) {
        if let Some(pod) = &endpoint.identity.pod {
            self.pods.look(out, 10, &pod.name);
        }
        self.nodes.look(out, 11, &endpoint.node);
        self.zones.look(out, 12, &endpoint.zone);
        put_message(out, 6, |out| self.put_endpoint(out, endpoint, namespace));
    }

    /// An endpoint that is gone, likewise.
    pub(super) fn removed(
        &mut self,
        out: &mut Vec<u8>,
        identity: &EndpointIdentity,
        namespace: &str,
    ) {
        if let Some(pod) = &identity.pod {
            self.pods.look(out, 10, &pod.name);
        }
        put_message(out, 7, |out| self.put_identity(out, identity, namespace));
    }

    fn put_identity(&self, out: &mut Vec<u8>, identity: &EndpointIdentity, namespace: &str) {
        for address in &identity.addresses {
            match address {
                IpAddr::V4(v4) => put_item(out, 1, &v4.octets()),
                IpAddr::V6(v6) => put_item(out, 1, &v6.octets()),
            }
        }
        put_bytes(out, 2, identity.hostname.as_bytes());
        if let Some(pod) = &identity.pod {
            self.pods.put(out, 3, 5, &pod.name);
            if pod.namespace != namespace {
                put_bytes(out, 4, pod.namespace.as_bytes());
            }
        }
    }

    fn put_endpoint(&self, out: &mut Vec<u8>, endpoint: &Endpoint, namespace: &str) {
        put_message(out, 1, |out| {
            self.put_identity(out, &endpoint.identity, namespace);
        });
        match encode_uuid(&endpoint.uid) {
            Some(uuid) => put_item(out, 2, &uuid),
            None => put_bytes(out, 3, endpoint.uid.as_bytes()),
        }
        match &endpoint.ports {
            EndpointPorts::OfService => {}
            EndpointPorts::Resolved(numbers) if numbers.is_empty() => {}
            EndpointPorts::Resolved(numbers) => put_message(out, 4, |out| {
                for number in numbers {
                    encode_varint(number.map_or(0, |number| number.get().into()), out);
                }
            }),
            EndpointPorts::Own(ports) => put_message(out, 5, |out| {
                for port in ports.iter() {
                    put_message(out, 1, |out| put_port(out, port));
                }
            }),
        }
        put_number(out, 6, encode_conditions(endpoint.conditions).into());
        self.nodes.put(out, 7, 11, &endpoint.node);
        self.zones.put(out, 8, 12, &endpoint.zone);
        let Hints { zones, nodes } = &endpoint.hints;
        for zone in zones {
            put_item(out, 9, zone.as_bytes());
        }
        for node in nodes {
            put_item(out, 10, node.as_bytes());
        }
    }
}

fn put_port(out: &mut Vec<u8>, port: &EndpointPort) {
    put_bytes(out, 1, port.name.as_bytes());
    put_number(out, 2, port.number.unwrap_or_default().into());
    put_number(
        out,
        3,
        i64::from(encode_protocol(port.protocol)).cast_unsigned(),
    );
    put_bytes(out, 4, port.app_protocol.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_share_what_stands_before_a_hyphen() {
        for (first, second, shared) in [
            ("web-7d4b9-abcde", "web-7d4b9-abcxy", "web-7d4b9-"),
            ("web-7d4b9-abcde", "web-7e4b9-abcde", "web-"),
            ("web", "web-1", ""),
            ("web-", "web-", "web-"),
            ("wéb-1", "wèb-1", ""),
            ("", "web-1", ""),
        ] {
            assert_eq!(common(first, second), shared, "{first} {second}");
        }
    }

    #[test]
    fn the_prefix_is_written_once_and_a_name_that_has_another_is_whole() {
        let (mut prefix, mut out) = (Prefix::default(), Vec::new());
        for name in ["web-7d4b9-a", "web-7d4b9-b", "web-7d4b9-", "db-0"] {
            prefix.look(&mut out, 10, &name.into());
            prefix.put(&mut out, 3, 5, name);
        }
        let mut right = Vec::new();
        put_bytes(&mut right, 3, b"web-7d4b9-a");
        put_bytes(&mut right, 10, b"web-7d4b9-");
        put_bytes(&mut right, 5, b"b");
        put_bytes(&mut right, 3, b"web-7d4b9-");
        put_bytes(&mut right, 3, b"db-0");
        assert_eq!(out, right);
    }
}
