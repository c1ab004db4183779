use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

use super::netlink::{Answer, Netlink, attributes};

const GET_ADDRESSES: u16 = 22;
const ADDRESS: u16 = 1;
const LOCAL: u16 = 2;
const HEADER: usize = 8;

/// The addresses of this node's interfaces.
///
/// # Errors
/// When the kernel does not answer.
pub fn local_addresses() -> io::Result<BTreeSet<IpAddr>> {
    let mut addresses = BTreeSet::new();
    Netlink::route()?.ask(GET_ADDRESSES, &[0; HEADER], Answer::Dump, |body| {
        let rest = body.get(HEADER..).unwrap_or_default();
        // At one end of a link, the address is the other end's.
        let best = attributes(rest)
            .filter(|(kind, _)| matches!(*kind, ADDRESS | LOCAL))
            .max_by_key(|(kind, _)| *kind);
        addresses.extend(best.and_then(|(_, bytes)| ip(bytes)));
    })?;
    Ok(addresses)
}

/// An address of four or sixteen bytes.
pub(super) fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => bytes.first_chunk::<4>().map(|bytes| IpAddr::from(*bytes)),
        16 => bytes.first_chunk::<16>().map(|bytes| IpAddr::from(*bytes)),
        _ => None,
    }
}
