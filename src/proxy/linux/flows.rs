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

/// A UDP flow that the kernel tracks, by what names it to the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow(Vec<u8>);

/// The UDP flows that the kernel tracks, of both families, in the network namespace of the thread that
/// opened it.
#[derive(Debug)]
pub struct UdpTable(Netlink);

impl UdpTable {
    /// Opens a socket.
    ///
    /// # Errors
    /// When there can be none.
    pub fn open() -> io::Result<UdpTable> {
        Netlink::netfilter().map(UdpTable)
    }

    /// The first flows, at most so many, for which `wanted` is true: it is told where their packets were
    /// sent, and whence answers come. The kernel tells of all flows.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub fn find(
        &mut self,
        most: usize,
        mut wanted: impl FnMut(Target, Target) -> bool,
    ) -> io::Result<Vec<Flow>> {
        let mut flows = Vec::new();
        self.0.ask(GET, &[0; HEADER], Answer::Dump, |body| {
            if flows.len() < most {
                flows.extend(flow(body, &mut wanted));
            }
        })?;
        Ok(flows)
    }

    /// Makes the kernel forget a flow: its next packet is looked up anew. One that has ended is no error.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn forget(&mut self, flow: &Flow) -> io::Result<()> {
        const NO_SUCH_FLOW: i32 = 2;
        match self.0.ask(DELETE, &flow.0, Answer::Done, |_| {}) {
            Err(error) if error.raw_os_error() == Some(NO_SUCH_FLOW) => Ok(()),
            done => done,
        }
    }
}

fn flow(body: &[u8], wanted: impl FnOnce(Target, Target) -> bool) -> Option<Flow> {
    let (header, rest) = body.split_at_checked(HEADER)?;
    let original = attribute(rest, ORIGINAL)?;
    let destination = side(original, End::Destination)?;
    let answers_from = side(attribute(rest, REPLY)?, End::Source)?;
    if !wanted(destination, answers_from) {
        return None;
    }
    let mut handle = vec![*header.first()?, 0, 0, 0];
    encode(ORIGINAL | NESTED, original, &mut handle);
    for (kind, content) in attributes(rest).filter(|(kind, _)| matches!(*kind, ID | ZONE)) {
        encode(kind, content, &mut handle);
    }
    Some(Flow(handle))
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
