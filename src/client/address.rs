use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

/// Where a server listens: `host:port`, `http://host:port` or `unix:PATH`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A TCP address as `host:port`; an IPv6 host stands in brackets.
    Tcp(String),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// Why a text is not the address of a server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseAddressError {
    /// It has a scheme that no server speaks.
    #[error(
        "{address:?}: the scheme {scheme:?} is not supported; write host:port, http://host:port or unix:PATH"
    )]
    Scheme {
        /// The whole text.
        address: String,
        /// What stands before `://`.
        scheme: String,
    },
    /// There is no port, or not a number from 1 to 65535.
    #[error("{address:?} has no port; write host:port, as in 127.0.0.1:7400, or unix:PATH")]
    Port {
        /// The whole text.
        address: String,
    },
    /// The host is empty or has characters that no host has.
    #[error(
        "{address:?} has no usable host; write host:port, as in 127.0.0.1:7400 or [::1]:7400, or unix:PATH"
    )]
    Host {
        /// The whole text.
        address: String,
    },
    /// `unix:` without a path.
    #[error("{address:?} has no path; write unix:PATH, as in unix:/run/selectord.sock")]
    Path {
        /// The whole text.
        address: String,
    },
}

impl Address {
    /// The URI that tonic dials.
    pub(super) fn uri(&self) -> String {
        match self {
            Address::Tcp(authority) => format!("http://{authority}"),
            Address::Unix(path) => format!("unix:{}", path.display()),
        }
    }
}

impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Address, ParseAddressError> {
        let address = || text.to_owned();
        if let Some(path) = text
            .strip_prefix("unix://")
            .or_else(|| text.strip_prefix("unix:"))
        {
            if path.is_empty() {
                return Err(ParseAddressError::Path { address: address() });
            }
            return Ok(Address::Unix(PathBuf::from(path)));
        }
        let authority = match text.split_once("://") {
            Some(("http", rest)) => rest.trim_end_matches('/'),
            Some((scheme, _)) => {
                return Err(ParseAddressError::Scheme {
                    address: address(),
                    scheme: scheme.to_owned(),
                });
            }
            None => text,
        };
        let Some((host, port)) = authority.rsplit_once(':') else {
            return Err(ParseAddressError::Port { address: address() });
        };
        if !is_host(host) {
            return Err(ParseAddressError::Host { address: address() });
        }
        match port.parse::<u16>() {
            Ok(number) if number > 0 => Ok(Address::Tcp(authority.to_owned())),
            _ => Err(ParseAddressError::Port { address: address() }),
        }
    }
}

fn is_host(host: &str) -> bool {
    match host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(authority) => f.write_str(authority),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        for (text, printed) in [
            ("127.0.0.1:7400", "127.0.0.1:7400"),
            ("http://127.0.0.1:7400", "127.0.0.1:7400"),
            ("http://selectord.example:7400/", "selectord.example:7400"),
            ("[::1]:7400", "[::1]:7400"),
            ("unix:/run/selectord.sock", "unix:/run/selectord.sock"),
            ("unix:///run/selectord.sock", "unix:/run/selectord.sock"),
            ("unix:here.sock", "unix:here.sock"),
        ] {
            assert_eq!(
                text.parse::<Address>().map(|a| a.to_string()).as_deref(),
                Ok(printed),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_cannot_be_dialled() {
        for text in [
            "",
            "localhost",
            "localhost:",
            "localhost:0",
            "localhost:70000",
            ":7400",
            "::1:7400",
            "a b:1",
            "unix:",
            "https://x:1",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
