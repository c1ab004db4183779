use std::io;

use super::netlink::{Answer, Netlink, attribute};

/// Netfilter's own header: family, version, and nothing.
const ANY_FAMILY: [u8; 4] = [0; 4];
const GET_GENERATION: u16 = 10 << 8 | 16;
const ID: u16 = 1;

/// The number of the ruleset's generation: each transaction of anybody's makes another.
///
/// # Errors
/// When the kernel does not answer.
pub fn generation() -> io::Result<u32> {
    let mut found = None;
    Netlink::netfilter()?.ask(GET_GENERATION, &ANY_FAMILY, Answer::One, |body| {
        let id = body.get(4..).and_then(|rest| attribute(rest, ID));
        found = id.and_then(|id| id.first_chunk().map(|id| u32::from_be_bytes(*id)));
    })?;
    found.ok_or_else(|| io::Error::other("the kernel did not say which generation of rules it has"))
}
