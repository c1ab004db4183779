use std::net::IpAddr;

use smol_str::SmolStr;

use crate::model::{Addresses, EndpointIdentity, ObjectName};

const HAS_POD: u8 = 1;
/// The pod's namespace is the service's and is not written.
const AT_HOME: u8 = 2;
const HAS_HOSTNAME: u8 = 4;
/// One address of IPv4; else their number is written, and each with its length.
const ONE_V4: u8 = 8;

/// Writes an identity as bytes, behind what `out` holds: the same for the same identity and no other,
/// as long as `home`, the namespace of the service, is the same.
pub(crate) fn write_identity(identity: &EndpointIdentity, home: &str, out: &mut Vec<u8>) {
    let mut form = 0;
    let one_v4 = match identity.addresses.as_slice() {
        [IpAddr::V4(address)] => Some(address),
        _ => None,
    };
    let set = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
    form |= set(ONE_V4, one_v4.is_some());
    form |= set(HAS_HOSTNAME, !identity.hostname.is_empty());
    form |= set(HAS_POD, identity.pod.is_some());
    form |= set(
        AT_HOME,
        identity
            .pod
            .as_ref()
            .is_some_and(|pod| pod.namespace == home),
    );
    out.push(form);
    match one_v4 {
        Some(address) => out.extend(address.octets()),
        None => {
            out.extend((identity.addresses.len() as u32).to_le_bytes());
            for address in &identity.addresses {
                match address {
                    IpAddr::V4(address) => write_text(&address.octets(), out),
                    IpAddr::V6(address) => write_text(&address.octets(), out),
                }
            }
        }
    }
    if form & HAS_HOSTNAME != 0 {
        write_text(identity.hostname.as_bytes(), out);
    }
    if let Some(ObjectName { namespace, name }) = &identity.pod {
        if form & AT_HOME == 0 {
            write_text(namespace.as_bytes(), out);
        }
        out.extend(name.as_bytes());
    }
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text);
}

/// Reads what [`write_identity`] wrote; none of anything else.
pub(crate) fn read_identity(key: &[u8], home: &SmolStr) -> Option<EndpointIdentity> {
    let (form, mut rest) = key.split_first()?;
    let mut addresses = Addresses::new();
    if form & ONE_V4 != 0 {
        let (address, behind) = rest.split_first_chunk::<4>()?;
        addresses.push(IpAddr::from(*address));
        rest = behind;
    } else {
        for _ in 0..read_number(&mut rest)? {
            let octets = read_text(&mut rest)?;
            addresses.push(match octets.first_chunk::<16>() {
                Some(address) => IpAddr::from(*address),
                None => IpAddr::from(*octets.first_chunk::<4>()?),
            });
        }
    }
    let text = |text| Some(SmolStr::new(std::str::from_utf8(text).ok()?));
    let hostname = if form & HAS_HOSTNAME == 0 {
        SmolStr::default()
    } else {
        text(read_text(&mut rest)?)?
    };
    let namespace = if form & HAS_POD == 0 {
        None
    } else if form & AT_HOME == 0 {
        Some(text(read_text(&mut rest)?)?)
    } else {
        Some(home.clone())
    };
    let pod = match namespace {
        None => None,
        Some(namespace) => Some(ObjectName {
            namespace,
            name: text(rest)?,
        }),
    };
    Some(EndpointIdentity {
        addresses,
        hostname,
        pod,
    })
}

fn read_number(from: &mut &[u8]) -> Option<u32> {
    let (number, rest) = from.split_first_chunk::<4>()?;
    *from = rest;
    Some(u32::from_le_bytes(*number))
}

fn read_text<'k>(from: &mut &'k [u8]) -> Option<&'k [u8]> {
    let len = read_number(from)? as usize;
    let (text, rest) = from.split_at_checked(len)?;
    *from = rest;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_is_nobody_elses() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let addresses: [Vec<IpAddr>; 5] = [
            vec![],
            vec![address("10.0.0.1")],
            vec![address("2001:db8::1")],
            vec![address("10.0.0.1"), address("10.0.0.2")],
            vec![address("2001:db8::1"), address("2001:db8::2")],
        ];
        let pods = [
            None,
            Some(ObjectName::new("home", "web-0")),
            Some(ObjectName::new("away", "web-0")),
            Some(ObjectName::new("home", "")),
        ];
        let home = SmolStr::new("home");
        let mut keys = std::collections::BTreeSet::new();
        for addresses in &addresses {
            for hostname in ["", "web"] {
                for pod in &pods {
                    let identity = EndpointIdentity {
                        addresses: addresses.iter().copied().collect(),
                        hostname: hostname.into(),
                        pod: pod.clone(),
                    };
                    let mut key = Vec::new();
                    write_identity(&identity, &home, &mut key);
                    assert_eq!(read_identity(&key, &home), Some(identity));
                    assert!(keys.insert(key));
                }
            }
        }
    }
}
