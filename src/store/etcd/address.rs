use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use thiserror::Error;

/// The prefix of keys if none is given.
const DEFAULT_PREFIX: &str = "/selectord";
/// A member's client port if none is given.
const DEFAULT_PORT: u16 = 2379;
/// Longest prefix, in bytes.
const MAX_PREFIX: usize = 1_024;

/// `etcd://host:2379,host2:2379/prefix`: members, any of which is asked, and the keys that are ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdAddress {
    members: Vec<String>,
    prefix: String,
}

/// Why a text is not the address of an etcd.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseEtcdAddressError {
    /// It begins with something else.
    #[error("{text:?} is not the address of an etcd: write etcd://host:2379,host:2379/prefix")]
    Scheme {
        /// The whole text.
        text: String,
    },
    /// One of the members is none.
    #[error(
        "{text:?} has the member {member:?}, which is not host:port: write etcd://host:2379,host:2379/prefix, an IPv6 host in brackets"
    )]
    Member {
        /// The whole text.
        text: String,
        /// What stands between commas.
        member: String,
    },
    /// The prefix cannot be one.
    #[error(
        "{text:?} has the prefix {prefix:?}: give it at most {MAX_PREFIX} letters, digits and -_./, no two slashes in a row and none at its end"
    )]
    Prefix {
        /// The whole text.
        text: String,
        /// What stands behind the members.
        prefix: String,
    },
}

impl EtcdAddress {
    /// `host:port` of each member.
    pub fn members(&self) -> &[String] {
        &self.members
    }

    /// The first member that is not certain to be on this machine: neither a loopback address nor `localhost`.
    pub fn beyond_loopback(&self) -> Option<&str> {
        let is_beyond = |member: &&String| {
            let host = member.rsplit_once(':').map_or("", |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let address = host.parse::<IpAddr>();
            host != "localhost" && !address.is_ok_and(|it| it.to_canonical().is_loopback())
        };
        self.members.iter().find(is_beyond).map(String::as_str)
    }

    /// What every key begins with: begins with a slash and does not end with one.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl FromStr for EtcdAddress {
    type Err = ParseEtcdAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let owned = || text.to_owned();
        let rest = text.strip_prefix("etcd://");
        let rest = rest.ok_or_else(|| ParseEtcdAddressError::Scheme { text: owned() })?;
        let (members, prefix) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let member = |member: &str| {
            with_port(member).ok_or_else(|| ParseEtcdAddressError::Member {
                text: owned(),
                member: member.to_owned(),
            })
        };
        let members = members
            .split(',')
            .map(member)
            .collect::<Result<Vec<_>, _>>()?;
        let prefix = match prefix {
            "" | "/" => DEFAULT_PREFIX,
            prefix => prefix,
        };
        if !is_prefix(prefix) {
            return Err(ParseEtcdAddressError::Prefix {
                text: owned(),
                prefix: prefix.to_owned(),
            });
        }
        Ok(EtcdAddress {
            members,
            prefix: prefix.to_owned(),
        })
    }
}

impl fmt::Display for EtcdAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "etcd://{}{}", self.members.join(","), self.prefix)
    }
}

fn is_prefix(prefix: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    prefix.len() <= MAX_PREFIX
        && prefix.chars().all(legal)
        && !prefix.contains("//")
        && !prefix.ends_with('/')
}

/// A member as `host:port`.
fn with_port(member: &str) -> Option<String> {
    let (host, port) = match member.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            let host = format!("[{address}]");
            match port {
                "" => (host, None),
                port => (host, Some(port.strip_prefix(':')?)),
            }
        }
        None => match member.split_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port)),
            None => (member.to_owned(), None),
        },
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    let is_host = !host.is_empty() && host.chars().all(legal);
    let port: u16 = port.map_or(Some(DEFAULT_PORT), |port| port.parse().ok())?;
    (is_host && port > 0).then(|| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_prefix() {
        for (text, members, prefix) in [
            ("etcd://a", vec!["a:2379"], "/selectord"),
            ("etcd://a/", vec!["a:2379"], "/selectord"),
            ("etcd://a:1,b.c:2/x", vec!["a:1", "b.c:2"], "/x"),
            (
                "etcd://[::1]:5,[fe80::1]/x/y-z",
                vec!["[::1]:5", "[fe80::1]:2379"],
                "/x/y-z",
            ),
        ] {
            let address: EtcdAddress = text.parse().expect(text);
            assert_eq!(address.members(), members, "{text}");
            assert_eq!(address.prefix(), prefix, "{text}");
            assert_eq!(address.to_string().parse(), Ok(address));
        }
    }

    #[test]
    fn what_is_beyond_this_machine_is_named() {
        for (text, beyond) in [
            ("etcd://localhost,127.0.0.1:1,[::1],127.8.0.1", None),
            ("etcd://[::ffff:127.0.0.1]", None),
            ("etcd://127.0.0.1,10.0.0.1", Some("10.0.0.1:2379")),
            ("etcd://[fe80::1]:5", Some("[fe80::1]:5")),
            ("etcd://localhost.example", Some("localhost.example:2379")),
            ("etcd://0.0.0.0", Some("0.0.0.0:2379")),
        ] {
            let address: EtcdAddress = text.parse().expect(text);
            assert_eq!(address.beyond_loopback(), beyond, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (text, part) in [
            ("a:2379", "etcd://host"),
            ("etcd://", "\"\""),
            ("etcd://a,,b/x", "\"\""),
            ("etcd://a:0/x", "\"a:0\""),
            ("etcd://a:70000", "\"a:70000\""),
            ("etcd://::1:2379", "\"::1:2379\""),
            ("etcd://u@h:1", "\"u@h:1\""),
            ("etcd://a//x", "\"//x\""),
            ("etcd://a/x/", "\"/x/\""),
            ("etcd://a/x y", "\"/x y\""),
        ] {
            let error = text.parse::<EtcdAddress>().expect_err(text).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
