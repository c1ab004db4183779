//! As much of netlink as asking takes.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::retry_on_intr;
use rustix::net::sockopt::{
    Timeout, set_socket_recv_buffer_size, set_socket_recv_buffer_size_force,
    set_socket_send_buffer_size, set_socket_send_buffer_size_force, set_socket_timeout,
};
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, sendto,
    socket_with,
};

/// The kernel answers at once, or not at all.
const PATIENCE: Duration = Duration::from_secs(5);
const HEADER: usize = 16;
/// What a socket may hold of what is sent, and of what answers it: some kilobytes for each message that
/// is refused.
const BUFFER: usize = 4 << 20;
/// What a dump comes in at most.
const CHUNK: usize = 64 << 10;

const REQUEST: u16 = 1;
const ACK: u16 = 4;
const DUMP: u16 = 0x300;
const MULTI: u16 = 2;
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// How many messages answer a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// One.
    One,
    /// Any number, and a last one.
    Dump,
    /// That it was done.
    Done,
}

/// A netlink socket in the network namespace of the thread that opened it.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
    /// What the kernel's answer is read into.
    buffer: Vec<u8>,
}

impl Netlink {
    /// Talks to netfilter.
    pub(super) fn netfilter() -> io::Result<Netlink> {
        Netlink::open(Some(netlink::NETFILTER))
    }

    /// Talks to routing.
    pub(super) fn route() -> io::Result<Netlink> {
        Netlink::open(None)
    }

    fn open(protocol: Option<Protocol>) -> io::Result<Netlink> {
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
        set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
        // Beyond the system's bounds it takes a right that who writes rules has; else, up to them.
        if set_socket_recv_buffer_size_force(&socket, BUFFER).is_err() {
            set_socket_recv_buffer_size(&socket, BUFFER)?;
        }
        if set_socket_send_buffer_size_force(&socket, BUFFER).is_err() {
            set_socket_send_buffer_size(&socket, BUFFER)?;
        }
        Ok(Netlink {
            socket,
            sequence: 0,
            buffer: vec![0; CHUNK],
        })
    }

    /// Sends a request, and hands on what follows the header of each message that answers it.
    pub(super) fn ask(
        &mut self,
        kind: u16,
        body: &[u8],
        answer: Answer,
        mut each: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        let number = self.number(1);
        let flags = REQUEST
            | match answer {
                Answer::One => 0,
                Answer::Dump => DUMP,
                Answer::Done => ACK,
            };
        let length = u32::try_from(HEADER.saturating_add(body.len())).map_err(io::Error::other)?;
        let mut request = Vec::with_capacity(HEADER + body.len());
        request.extend(length.to_ne_bytes());
        request.extend(kind.to_ne_bytes());
        request.extend(flags.to_ne_bytes());
        request.extend(number.to_ne_bytes());
        request.extend(0u32.to_ne_bytes());
        request.extend(body);
        self.send(&request)?;
        self.receive(|message| {
            if message.sequence != number {
                return Ok(false);
            }
            match message.kind {
                DONE => return Ok(true),
                ERROR => return failure(message.body).map(|()| true),
                _ => each(message.body),
            }
            Ok(message.flags & MULTI == 0 && answer == Answer::One)
        })
    }

    /// The first of so many numbers that no message has had yet, one after the other.
    pub(super) fn number(&mut self, count: u32) -> u32 {
        let first = self.sequence.wrapping_add(1);
        self.sequence = self.sequence.wrapping_add(count);
        first
    }

    /// Sends messages as they are, all or none.
    pub(super) fn send(&self, messages: &[u8]) -> io::Result<()> {
        let kernel = netlink::SocketAddrNetlink::new(0, 0);
        sendto(&self.socket, messages, SendFlags::empty(), &kernel)?;
        Ok(())
    }

    /// Hands on, of each message that was numbered from `first` on, how far it is from the first, and what
    /// is wrong with it, until `each` has seen enough.
    pub(super) fn errors(
        &mut self,
        first: u32,
        mut each: impl FnMut(u32, Option<io::Error>) -> bool,
    ) -> io::Result<()> {
        self.receive(|message| {
            // What answers earlier messages is as far off as numbers go.
            let at = message.sequence.wrapping_sub(first);
            let is_later = at <= u32::MAX / 2;
            Ok(message.kind == ERROR && is_later && each(at, failure(message.body).err()))
        })
    }

    /// Hands on what comes, until `each` has seen enough.
    fn receive(&mut self, mut each: impl FnMut(Message<'_>) -> io::Result<bool>) -> io::Result<()> {
        let Netlink { socket, buffer, .. } = self;
        loop {
            let received =
                retry_on_intr(|| recv(&*socket, buffer.as_mut_slice(), RecvFlags::empty()));
            let (received, _) = received?;
            let mut rest = buffer.get(..received).unwrap_or_default();
            while let Some(message) = Message::first(rest) {
                rest = rest.get(message.padded..).unwrap_or_default();
                if each(message)? {
                    return Ok(());
                }
            }
        }
    }
}

struct Message<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    body: &'a [u8],
    /// How far the next one is.
    padded: usize,
}

impl Message<'_> {
    fn first(bytes: &[u8]) -> Option<Message<'_>> {
        let length = usize::try_from(u32::from_ne_bytes(*bytes.first_chunk()?)).ok()?;
        let short = |at: usize| Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
        Some(Message {
            kind: short(4)?,
            flags: short(6)?,
            sequence: u32::from_ne_bytes(*bytes.get(8..)?.first_chunk()?),
            body: bytes.get(HEADER..length)?,
            padded: length.next_multiple_of(4),
        })
    }
}

/// Zero is no error.
fn failure(body: &[u8]) -> io::Result<()> {
    let code = body
        .first_chunk()
        .map_or(0, |code| i32::from_ne_bytes(*code));
    match code {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code.saturating_neg())),
    }
}

/// The attributes of a message: kind and content.
pub(super) fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    const FLAGS: u16 = 0xc000;
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(*rest.first_chunk()?));
        let kind = u16::from_ne_bytes(*rest.get(2..)?.first_chunk()?);
        let content = rest.get(4..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind & !FLAGS, content))
    })
}

/// The attribute of a kind.
pub(super) fn attribute(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    attributes(bytes)
        .find(|(k, _)| *k == kind)
        .map(|(_, content)| content)
}

/// An attribute as bytes of a message, padded.
pub(super) fn encode(kind: u16, content: &[u8], into: &mut Vec<u8>) {
    let length = u16::try_from(content.len().saturating_add(4)).unwrap_or(u16::MAX);
    into.extend(length.to_ne_bytes());
    into.extend(kind.to_ne_bytes());
    into.extend(content);
    into.resize(into.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_as_they_were_written() {
        let mut bytes = Vec::new();
        encode(1, b"abc", &mut bytes);
        encode(2 | 0x8000, b"", &mut bytes);
        encode(7, b"12345", &mut bytes);
        let read: Vec<_> = attributes(&bytes).collect();
        assert_eq!(read, [(1, &b"abc"[..]), (2, b""), (7, b"12345")]);
        for cut in 0..bytes.len() {
            // What is cut off is left out, and nothing else happens.
            assert!(attributes(&bytes[..cut]).count() <= 3);
        }
        assert_eq!(attributes(&[0, 0, 0, 0, 0, 0]).count(), 0);
    }
}
