//! One endpoint's elements given to the kernel without a program between, which is what `nft` is
//! measured against; and the number of the rules' generation.

use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::time::Instant;

use anyhow::{Context as _, bail};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, sendto,
    socket_with,
};

use super::cluster::{PORT, TARGET_PORT};

const REQUEST: u16 = 1;
const ACK: u16 = 4;
const CREATE: u16 = 0x400;
const ERROR: u16 = 2;

const SUBSYSTEM: u16 = 10;
const GET_GENERATION: u16 = SUBSYSTEM << 8 | 16;
const NEW_ELEMENT: u16 = SUBSYSTEM << 8 | 12;
const DELETE_ELEMENT: u16 = SUBSYSTEM << 8 | 14;
const BEGIN: u16 = 16;
const END: u16 = 17;
const IPV4: u8 = 2;

const TABLE: u16 = 1;
const SET: u16 = 2;
const ELEMENTS: u16 = 3;
/// An entry of a list, the key of an element, and a value within either.
const ENTRY: u16 = 1;
const KEY: u16 = 1;
const DATA: u16 = 2;
const VALUE: u16 = 1;
const NESTED: u16 = 0x8000;

/// A socket that stays open: closing one waits until nobody can look at what was deleted any more,
/// which is most of the time that `nft` takes.
pub struct Netlink {
    socket: OwnedFd,
}

impl Netlink {
    /// In this thread's network namespace.
    pub fn open() -> anyhow::Result<Netlink> {
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            Some(netlink::NETFILTER),
        );
        Ok(Netlink {
            socket: socket.context("cannot open a netlink socket")?,
        })
    }

    /// Replaces the endpoint at the first place of a service, in one transaction. Answers nanoseconds.
    pub fn replace(&self, service: Ipv4Addr, endpoint: Ipv4Addr) -> anyhow::Result<f64> {
        let began = Instant::now();
        let key = [socket_address(service, PORT).as_slice(), &[0; 4]].concat();
        let to = socket_address(endpoint, TARGET_PORT);
        let mut batch = message(BEGIN, REQUEST, 0, SUBSYSTEM, &[]);
        batch.extend(elements(DELETE_ELEMENT, REQUEST, &key, None));
        batch.extend(elements(
            NEW_ELEMENT,
            REQUEST | ACK | CREATE,
            &key,
            Some(&to),
        ));
        batch.extend(message(END, REQUEST, 0, SUBSYSTEM, &[]));
        let answer = self.ask(&batch)?;
        let took = began.elapsed().as_nanos() as f64;
        let kind = answer.get(4..).and_then(|rest| rest.first_chunk());
        let code = answer.get(16..).and_then(|rest| rest.first_chunk());
        match (kind, code) {
            (Some(kind), Some([0, 0, 0, 0])) if u16::from_ne_bytes(*kind) == ERROR => Ok(took),
            _ => bail!("the kernel refused an element: {answer:?}"),
        }
    }

    /// The number of the ruleset's generation: each transaction of anybody's makes another.
    pub fn generation(&self) -> anyhow::Result<u32> {
        let answer = self.ask(&message(GET_GENERATION, REQUEST, 0, 0, &[]))?;
        // Behind the message's headers and that of its first attribute.
        let number = answer.get(24..).and_then(|rest| rest.first_chunk());
        let number = number.context("the kernel did not say which generation of rules it has")?;
        Ok(u32::from_be_bytes(*number))
    }

    fn ask(&self, request: &[u8]) -> anyhow::Result<Vec<u8>> {
        let kernel = netlink::SocketAddrNetlink::new(0, 0);
        sendto(&self.socket, request, SendFlags::empty(), &kernel)?;
        let mut answer = vec![0; 4096];
        let (received, _) = recv(&self.socket, &mut answer[..], RecvFlags::empty())?;
        answer.truncate(received);
        Ok(answer)
    }
}

/// As part of a key: each part is padded.
fn socket_address(ip: Ipv4Addr, port: u16) -> Vec<u8> {
    [&ip.octets()[..], &port.to_be_bytes(), &[0; 2]].concat()
}

fn elements(kind: u16, flags: u16, key: &[u8], data: Option<&[u8]>) -> Vec<u8> {
    let mut element = attribute(KEY | NESTED, &attribute(VALUE, key));
    if let Some(data) = data {
        element.extend(attribute(DATA | NESTED, &attribute(VALUE, data)));
    }
    let mut body = attribute(TABLE, b"selectord\0");
    body.extend(attribute(SET, b"endpoint-ips-tcp\0"));
    body.extend(attribute(
        ELEMENTS | NESTED,
        &attribute(ENTRY | NESTED, &element),
    ));
    message(kind, flags, IPV4, 0, &body)
}

fn message(kind: u16, flags: u16, family: u8, resource: u16, body: &[u8]) -> Vec<u8> {
    let length = (16 + 4 + body.len()) as u32;
    let mut message = Vec::with_capacity(length as usize);
    message.extend(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    // A number and the sender, of no matter here.
    message.extend([0; 8]);
    message.extend([family, 0]);
    message.extend(resource.to_be_bytes());
    message.extend(body);
    message
}

fn attribute(kind: u16, content: &[u8]) -> Vec<u8> {
    let length = (4 + content.len()) as u16;
    let mut attribute = Vec::with_capacity(usize::from(length).next_multiple_of(4));
    attribute.extend(length.to_ne_bytes());
    attribute.extend(kind.to_ne_bytes());
    attribute.extend(content);
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    attribute
}
