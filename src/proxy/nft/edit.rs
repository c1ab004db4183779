use std::net::IpAddr;

use crate::model::{IpFamily, Protocol};

use super::super::protocol_word;
use super::{Key, Shared};

/// Longest name of a chain, in bytes.
const LONGEST_NAME: usize = 255;

/// One element put in or taken out, as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The script's line that says the same, counted from 1.
    pub line: usize,
    /// The table.
    pub family: IpFamily,
    /// The set or map.
    pub set: Shared,
    /// The key: its parts one after the other, each padded to four bytes.
    pub key: Vec<u8>,
    /// What it maps to; none: it is taken out.
    pub after: Option<Data>,
}

/// What an element maps to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Nothing: it is of a set.
    Nothing,
    /// An address and a port, as in a key.
    Target(Vec<u8>),
    /// Silence.
    Drop,
    /// Another chain, without return.
    Goto(String),
}

/// The edit of a key that is spelt as in a script; none: what it says in bytes is not known here.
pub(super) fn edit(
    line: usize,
    family: IpFamily,
    set: Shared,
    key: &str,
    after: Option<&str>,
) -> Option<Edit> {
    Some(Edit {
        line,
        family,
        set,
        key: bytes(parts(set), family, key)?,
        after: match after {
            Some(value) => Some(data(set, family, value)?),
            None => None,
        },
    })
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Address,
    Protocol,
    Port,
    /// A random number below a count.
    Place,
}

/// What keys are made of, as the sets are declared.
fn parts(set: Shared) -> &'static [Part] {
    use Part::{Address, Place, Port, Protocol};
    match set {
        Shared::Service(Key::Ip)
        | Shared::ShortCircuit(Key::Ip)
        | Shared::Local(Key::Ip)
        | Shared::NoEndpoint(Key::Ip)
        | Shared::Firewall => &[Address, Protocol, Port],
        Shared::Service(Key::NodePort)
        | Shared::ShortCircuit(Key::NodePort)
        | Shared::Local(Key::NodePort)
        | Shared::NoEndpoint(Key::NodePort) => &[Protocol, Port],
        Shared::Endpoint(Key::Ip, _) | Shared::LocalEndpoint(Key::Ip, _) => &[Address, Port, Place],
        Shared::Endpoint(Key::NodePort, _) | Shared::LocalEndpoint(Key::NodePort, _) => {
            &[Port, Place]
        }
        Shared::ClusterIps => &[Address],
        Shared::Hairpin => &[Address, Address],
    }
}

fn bytes(parts: &[Part], family: IpFamily, text: &str) -> Option<Vec<u8>> {
    let mut texts = text.split(" . ");
    let mut bytes = Vec::new();
    for part in parts {
        part.encode(family, texts.next()?, &mut bytes)?;
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    texts.next().is_none().then_some(bytes)
}

impl Part {
    fn encode(self, family: IpFamily, text: &str, into: &mut Vec<u8>) -> Option<()> {
        match self {
            Part::Address => match (family, text.parse().ok()?) {
                (IpFamily::V4, IpAddr::V4(ip)) => into.extend(ip.octets()),
                (IpFamily::V6, IpAddr::V6(ip)) => into.extend(ip.octets()),
                _ => return None,
            },
            Part::Protocol => into.push(match text {
                _ if text == protocol_word(Protocol::Tcp) => 6,
                _ if text == protocol_word(Protocol::Udp) => 17,
                _ if text == protocol_word(Protocol::Sctp) => 132,
                _ => return None,
            }),
            Part::Port => into.extend(number::<u16>(text)?.to_be_bytes()),
            // The kernel compares with a number of its own.
            Part::Place => into.extend(number::<u32>(text)?.to_ne_bytes()),
        }
        Some(())
    }
}

/// Digits and nothing else.
fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

fn data(set: Shared, family: IpFamily, text: &str) -> Option<Data> {
    if !set.is_map() {
        return text.is_empty().then_some(Data::Nothing);
    }
    if let Shared::Endpoint(..) | Shared::LocalEndpoint(..) = set {
        return bytes(&[Part::Address, Part::Port], family, text).map(Data::Target);
    }
    if text == "drop" {
        return Some(Data::Drop);
    }
    let chain = text.strip_prefix("goto ")?;
    let plain = |byte: u8| byte.is_ascii_graphic();
    let is_name = (1..=LONGEST_NAME).contains(&chain.len()) && chain.bytes().all(plain);
    is_name.then(|| Data::Goto(chain.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn keys_are_what_nft_makes_of_them() {
        let tcp = Protocol::Tcp;
        let place = |number: u32| hex(&number.to_ne_bytes());
        for (set, family, key, made) in [
            (
                Shared::Service(Key::Ip),
                IpFamily::V4,
                "10.96.0.1 . tcp . 80",
                "0a6000010600000000500000".to_owned(),
            ),
            (
                Shared::Firewall,
                IpFamily::V4,
                "10.96.0.1 . udp . 80",
                "0a6000011100000000500000".to_owned(),
            ),
            (
                Shared::NoEndpoint(Key::NodePort),
                IpFamily::V4,
                "sctp . 30001",
                "8400000075310000".to_owned(),
            ),
            (
                Shared::Endpoint(Key::Ip, tcp),
                IpFamily::V4,
                "10.96.0.1 . 80 . 258",
                format!("0a60000100500000{}", place(258)),
            ),
            (
                Shared::LocalEndpoint(Key::NodePort, tcp),
                IpFamily::V6,
                "30001 . 2",
                format!("75310000{}", place(2)),
            ),
            (
                Shared::Endpoint(Key::Ip, tcp),
                IpFamily::V6,
                "fd00:96::1 . 80 . 1",
                format!("fd00009600000000000000000000000100500000{}", place(1)),
            ),
            (
                Shared::ClusterIps,
                IpFamily::V4,
                "10.96.0.1",
                "0a600001".to_owned(),
            ),
            (
                Shared::Hairpin,
                IpFamily::V4,
                "10.244.1.2 . 10.244.1.2",
                "0af401020af40102".to_owned(),
            ),
        ] {
            let edit = edit(7, family, set, key, None).unwrap();
            assert_eq!(
                (edit.line, edit.family, edit.set, edit.after),
                (7, family, set, None)
            );
            assert_eq!(hex(&edit.key), made, "{set:?} {key}");
        }
    }

    #[test]
    fn values_are_what_nft_makes_of_them() {
        let endpoints = Shared::Endpoint(Key::Ip, Protocol::Tcp);
        let target = |text, family| match data(endpoints, family, text) {
            Some(Data::Target(bytes)) => hex(&bytes),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            target("10.244.2.9 . 8080", IpFamily::V4),
            "0af402091f900000"
        );
        assert_eq!(
            target("fd00:244::2 . 8080", IpFamily::V6),
            "fd0002440000000000000000000000021f900000"
        );
        let verdict = |text| data(Shared::Service(Key::Ip), IpFamily::V4, text);
        assert_eq!(verdict("drop"), Some(Data::Drop));
        assert_eq!(
            verdict("goto pick-tcp-3"),
            Some(Data::Goto("pick-tcp-3".to_owned()))
        );
        assert_eq!(
            data(Shared::ClusterIps, IpFamily::V4, ""),
            Some(Data::Nothing)
        );
    }

    #[test]
    fn what_is_spelt_otherwise_is_left_to_nft() {
        let service = Shared::Service(Key::Ip);
        let endpoints = Shared::Endpoint(Key::Ip, Protocol::Tcp);
        for (set, key) in [
            (service, ""),
            (service, "10.96.0.1 . tcp"),
            (service, "10.96.0.1 . tcp . 80 . 1"),
            (service, "10.96.0.1 . icmp . 80"),
            (service, "10.96.0.1 . tcp . 65536"),
            (service, "10.96.0.1 . tcp . +80"),
            (service, "10.96.0.1 . tcp . http"),
            (service, "10.96.0.1 . tcp . "),
            (service, "10.96.0.1  . tcp . 80"),
            (service, "fd00::1 . tcp . 80"),
            (service, "10.96.0.0/24 . tcp . 80"),
            (endpoints, "10.96.0.1 . 80 . 4294967296"),
            (Shared::Hairpin, "10.244.1.2"),
        ] {
            assert_eq!(edit(1, IpFamily::V4, set, key, None), None, "{key}");
        }
        let long = format!("goto {}", "a".repeat(256));
        for (set, value) in [
            (service, ""),
            (service, "accept"),
            (service, "jump pick-tcp-3"),
            (service, "goto "),
            (service, "goto pick tcp"),
            (service, "goto pick\0"),
            (service, long.as_str()),
            (endpoints, "10.244.2.9"),
            (endpoints, "fd00::1 . 80"),
            (Shared::ClusterIps, "drop"),
        ] {
            assert_eq!(data(set, IpFamily::V4, value), None, "{value}");
        }
    }
}
