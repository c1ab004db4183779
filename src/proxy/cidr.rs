use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

use crate::model::{IpFamily, parse_ip};

/// An address range, its host bits cleared: prints as nft and iptables print it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    address: IpAddr,
    bits: u8,
}

/// Why a text is not an address range.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is not an address range such as 10.244.0.0/16 or fd00:10:244::/56")]
pub struct ParseCidrError {
    text: String,
}

impl Cidr {
    /// The family of its addresses.
    pub fn family(&self) -> IpFamily {
        IpFamily::of(&self.address)
    }

    /// Whether an address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        IpFamily::of(&address) == self.family() && masked(address, self.bits) == self.address
    }

    /// Whether it holds every address of its family.
    pub fn is_everything(&self) -> bool {
        self.bits == 0
    }

    /// Its first and its last address, as numbers.
    fn ends(&self) -> (u128, u128) {
        let first = match self.address {
            IpAddr::V4(ip) => u128::from(ip.to_bits()),
            IpAddr::V6(ip) => ip.to_bits(),
        };
        let host = u32::from(width(&self.address).saturating_sub(self.bits));
        let hosts = u128::MAX
            .checked_shl(host)
            .map_or(u128::MAX, |network| !network);
        (first, first | hosts)
    }

    fn is_single(&self) -> bool {
        self.bits == width(&self.address)
    }
}

/// The ranges of a family in order, those that touch as one, as nft lists them: `10.0.0.0/8`, and
/// `10.1.0.0-10.2.255.255` where no length says it.
pub(super) fn merged(ranges: &[Cidr], family: IpFamily) -> Vec<String> {
    let of_family = ranges.iter().filter(|range| range.family() == family);
    let mut ends: Vec<(u128, u128)> = of_family.map(Cidr::ends).collect();
    ends.sort_unstable();
    let mut apart: Vec<(u128, u128)> = Vec::new();
    for (first, last) in ends {
        match apart.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => apart.push((first, last)),
        }
    }
    apart.into_iter().map(|ends| spelt(ends, family)).collect()
}

fn spelt((first, last): (u128, u128), family: IpFamily) -> String {
    let [from, to] = [first, last].map(|number| match family {
        // Of this family, no number is larger.
        IpFamily::V4 => IpAddr::V4(u32::try_from(number).unwrap_or(u32::MAX).into()),
        IpFamily::V6 => IpAddr::V6(number.into()),
    });
    let hosts = last ^ first;
    let is_prefix = hosts & hosts.wrapping_add(1) == 0 && first & hosts == 0;
    if !is_prefix {
        return format!("{from}-{to}");
    }
    let host_bits = u8::try_from(u128::BITS.saturating_sub(hosts.leading_zeros()));
    let bits = width(&from).saturating_sub(host_bits.unwrap_or(u8::MAX));
    let address = from;
    Cidr { address, bits }.to_string()
}

/// The range of one address.
impl From<IpAddr> for Cidr {
    fn from(address: IpAddr) -> Cidr {
        Cidr {
            address,
            bits: width(&address),
        }
    }
}

impl FromStr for Cidr {
    type Err = ParseCidrError;

    fn from_str(text: &str) -> Result<Cidr, ParseCidrError> {
        let parts = || {
            let (address, bits) = text.trim().split_once('/')?;
            let address = parse_ip(address).ok()?;
            let digits = !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit());
            let bits: u8 = digits.then(|| bits.parse().ok()).flatten()?;
            (bits <= width(&address)).then(|| Cidr {
                address: masked(address, bits),
                bits,
            })
        };
        parts().ok_or_else(|| ParseCidrError {
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_single() {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.bits)
        }
    }
}

fn width(address: &IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn masked(address: IpAddr, bits: u8) -> IpAddr {
    let host = u32::from(width(&address).saturating_sub(bits));
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(host).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(host).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_bits_are_cleared_and_single_addresses_stand_alone() {
        for (text, printed) in [
            ("10.244.3.1/16", "10.244.0.0/16"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8::1/64", "2001:db8::/64"),
            ("2001:DB8::1/128", "2001:db8::1"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(text.parse::<Cidr>().unwrap().to_string(), printed, "{text}");
        }
        for text in [
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "x/8",
            "::/129",
            "/",
        ] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
    }

    #[test]
    fn ranges_that_touch_are_one_as_nft_lists_them() {
        for (ranges, listed) in [
            ("10.1.0.0/16 10.2.0.0/16", "10.1.0.0-10.2.255.255"),
            ("10.128.0.0/9 10.0.0.0/9", "10.0.0.0/8"),
            (
                "10.0.0.0/8 10.128.0.0/9 11.0.0.0/24 9.9.9.9/32 9.9.9.10/32 2001:db8::/64",
                "9.9.9.9-9.9.9.10 10.0.0.0-11.0.0.255",
            ),
            ("10.0.0.0/8 12.0.0.0/8 10.0.0.0/8", "10.0.0.0/8 12.0.0.0/8"),
            ("0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("", ""),
        ] {
            let parsed: Vec<Cidr> = ranges
                .split_whitespace()
                .map(|range| range.parse().unwrap())
                .collect();
            assert_eq!(merged(&parsed, IpFamily::V4).join(" "), listed, "{ranges}");
        }
        for (ranges, listed) in [
            (["::/1", "8000::/1"], "::/0"),
            (["fd00::/64", "fd00:0:0:1::/64"], "fd00::/63"),
        ] {
            let parsed = ranges.map(|range| range.parse().unwrap());
            assert_eq!(merged(&parsed, IpFamily::V6).join(" "), listed);
        }
    }

    #[test]
    fn a_range_holds_addresses_of_its_family_only() {
        let range: Cidr = "10.0.0.0/8".parse().unwrap();
        assert!(range.contains("10.255.0.1".parse().unwrap()));
        assert!(!range.contains("11.0.0.1".parse().unwrap()));
        let all: Cidr = "0.0.0.0/0".parse().unwrap();
        assert!(all.is_everything() && !all.contains("::1".parse().unwrap()));
    }
}
