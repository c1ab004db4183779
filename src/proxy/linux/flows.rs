use std::io;
use std::net::IpAddr;

use super::super::Target;
use super::addresses::ip;
use super::netlink::{Answer, Netlink, attribute, attributes, encode};

const GET: u16 = 1 << 8 | 1;
const DELETE: u16 = 1 << 8 | 2;
const HEADER: usize = 4;
const ORIGINAL: u16 = 1;
const REPLY: u16 = 2;
const ID: u16 = 12;
const ZONE: u16 = 18;
const UDP: u8 = 17;
const NESTED: u16 = 0x8000;

/// A UDP flow that the kernel tracks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Where its packets were sent.
    pub destination: Target,
    /// Whence answers come: the endpoint that it was sent to.
    pub answers_from: Target,
    /// What names it to the kernel.
    handle: Vec<u8>,
}

/// The UDP flows, of both families, for which `wanted` is true.
///
/// # Errors
/// When the kernel does not answer.
pub fn udp_flows(mut wanted: impl FnMut(&Flow) -> bool) -> io::Result<Vec<Flow>> {
    let mut flows = Vec::new();
    Netlink::netfilter()?.ask(GET, &[0; HEADER], Answer::Dump, |body| {
        flows.extend(flow(body).filter(&mut wanted));
    })?;
    Ok(flows)
}

/// Makes the kernel forget a flow: its next packet is looked up anew. One that has ended is no error.
///
/// # Errors
/// When the kernel refuses.
pub fn delete_flow(flow: &Flow) -> io::Result<()> {
    const NO_SUCH_FLOW: i32 = 2;
    let done = Netlink::netfilter()?.ask(DELETE, &flow.handle, Answer::Done, |_| {});
    match done {
        Err(error) if error.raw_os_error() == Some(NO_SUCH_FLOW) => Ok(()),
        done => done,
    }
}

fn flow(body: &[u8]) -> Option<Flow> {
    let (header, rest) = body.split_at_checked(HEADER)?;
    let original = attribute(rest, ORIGINAL)?;
    let sides = side(original, End::Destination)?;
    let answers_from = side(attribute(rest, REPLY)?, End::Source)?;
    let mut handle = vec![*header.first()?, 0, 0, 0];
    encode(ORIGINAL | NESTED, original, &mut handle);
    for (kind, content) in attributes(rest).filter(|(kind, _)| matches!(*kind, ID | ZONE)) {
        encode(kind, content, &mut handle);
    }
    Some(Flow {
        destination: sides,
        answers_from,
        handle,
    })
}

#[derive(Clone, Copy)]
enum End {
    Source,
    Destination,
}

/// One end of a tuple, if it is of UDP.
fn side(tuple: &[u8], end: End) -> Option<Target> {
    const ADDRESSES: u16 = 1;
    const PROTOCOL: u16 = 2;
    const NUMBER: u16 = 1;
    let protocol = attribute(tuple, PROTOCOL)?;
    if attribute(protocol, NUMBER)?.first() != Some(&UDP) {
        return None;
    }
    // IPv4 source and destination, IPv6 source and destination; source and destination port.
    let (addresses, port): ([u16; 2], u16) = match end {
        End::Source => ([1, 3], 2),
        End::Destination => ([2, 4], 3),
    };
    let ips = attribute(tuple, ADDRESSES)?;
    let found: IpAddr = addresses
        .iter()
        .find_map(|kind| attribute(ips, *kind).and_then(ip))?;
    let port = attribute(protocol, port)?.first_chunk().copied()?;
    Some(Target {
        ip: found,
        port: u16::from_be_bytes(port),
    })
}
