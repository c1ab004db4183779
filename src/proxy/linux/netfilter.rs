use std::io;

use super::netlink::{Answer, Netlink, attribute};

/// Netfilter's own header: family, version, and nothing.
const ANY_FAMILY: [u8; 4] = [0; 4];
const GET_GENERATION: u16 = 10 << 8 | 16;
const ID: u16 = 1;

/// Netfilter over a socket that stays open, in the network namespace of the thread that first used it.
///
/// It stays open because to close one may take long: whoever closes any waits, for a grace period, until
/// nobody can look at what was deleted last, by whomever.
#[derive(Debug, Default)]
pub struct Netfilter {
    socket: Option<Netlink>,
    /// Whether the last elements may have been taken or not.
    pub(super) in_doubt: bool,
}

impl Netfilter {
    /// The number of the ruleset's generation: each transaction of anybody's makes another.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub fn generation(&mut self) -> io::Result<u32> {
        let mut found = None;
        let asked = self
            .socket()?
            .ask(GET_GENERATION, &ANY_FAMILY, Answer::One, |body| {
                let id = body.get(4..).and_then(|rest| attribute(rest, ID));
                found = id.and_then(|id| id.first_chunk().map(|id| u32::from_be_bytes(*id)));
            });
        if asked.is_err() {
            self.close();
        }
        asked?;
        found.ok_or_else(|| {
            io::Error::other("the kernel did not say which generation of rules it has")
        })
    }

    /// The socket, opened if it is not open.
    pub(super) fn socket(&mut self) -> io::Result<&mut Netlink> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => Netlink::netfilter()?,
        };
        Ok(self.socket.insert(socket))
    }

    /// After a failure, another one is opened: nobody knows what this one still holds.
    pub(super) fn close(&mut self) {
        self.socket = None;
    }
}
