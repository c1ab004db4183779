use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;
use tokio::net::{TcpListener, UnixListener, UnixStream, lookup_host};

/// What a Unix socket's address begins with.
const UNIX: &str = "unix:";

/// Where to listen: `HOST:PORT` or `unix:PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// A TCP address; the port may be 0, for any that is free.
    Tcp(String),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// A text that is no address to listen at.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{text:?} is not an address to listen at: give HOST:PORT, as in 127.0.0.1:7400, or unix:PATH"
)]
pub struct ParseListenAddressError {
    text: String,
}

/// Why a server cannot listen at an address.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Whoever reads the network would read everything.
    #[error(
        "{address} is not a loopback address, and the connection is not encrypted: listen at 127.0.0.1 or at unix:PATH, or say --insecure"
    )]
    PlainText {
        /// The address.
        address: SocketAddr,
    },
    /// The name has no address.
    #[error("{name} has no address to listen at")]
    NoAddress {
        /// The host and port as given.
        name: String,
    },
    /// The system refuses.
    #[error("cannot listen at {address}")]
    Io {
        /// The address as given.
        address: ListenAddress,
        /// Why.
        source: io::Error,
    },
}

impl FromStr for ListenAddress {
    type Err = ParseListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ParseListenAddressError {
            text: text.to_owned(),
        };
        if let Some(path) = text.strip_prefix(UNIX) {
            return if path.is_empty() {
                Err(refused())
            } else {
                Ok(ListenAddress::Unix(path.into()))
            };
        }
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                Ok(ListenAddress::Tcp(text.to_owned()))
            }
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenAddress::Tcp(address) => f.write_str(address),
            ListenAddress::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

impl ListenAddress {
    /// Begins to listen. Without encryption, which there is none of yet, only loopback addresses and
    /// Unix sockets are taken, unless `insecure` is said. A socket file that nobody listens at any
    /// more is replaced.
    ///
    /// # Errors
    /// The address is beyond loopback, or the system refuses it.
    pub async fn bind(&self, insecure: bool) -> Result<Listener, ListenError> {
        let io = |source| ListenError::Io {
            address: self.clone(),
            source,
        };
        match self {
            ListenAddress::Unix(path) => {
                remove_stale(path).await.map_err(io)?;
                let listener = UnixListener::bind(path).map_err(io)?;
                Ok(Listener::Unix(listener, Arc::new(SocketFile(path.clone()))))
            }
            ListenAddress::Tcp(name) => {
                let addresses: Vec<SocketAddr> = lookup_host(name).await.map_err(io)?.collect();
                let beyond = addresses
                    .iter()
                    .find(|address| !address.ip().to_canonical().is_loopback());
                if let Some(address) = beyond.filter(|_| !insecure) {
                    return Err(ListenError::PlainText { address: *address });
                }
                let Some(address) = addresses.first() else {
                    return Err(ListenError::NoAddress { name: name.clone() });
                };
                Ok(Listener::Tcp(TcpListener::bind(address).await.map_err(io)?))
            }
        }
    }
}

/// Removes the socket of a server that is gone. Anything else at the path is left for `bind` to refuse.
async fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    if is_socket
        && UnixStream::connect(path)
            .await
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// A socket that listens.
#[derive(Debug)]
pub enum Listener {
    /// On a TCP address.
    Tcp(TcpListener),
    /// On a Unix socket; its file goes with the last of the second parts.
    Unix(UnixListener, Arc<SocketFile>),
}

/// Another handle on the same socket.
///
/// # Errors
/// The system gives no more handles.
pub fn share_tcp(listener: &TcpListener) -> io::Result<TcpListener> {
    let listener: std::net::TcpListener = listener.as_fd().try_clone_to_owned()?.into();
    TcpListener::from_std(listener)
}

/// The file of a Unix socket; dropping it removes the file.
#[derive(Debug)]
pub struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Should it be gone already, that is what was wanted.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Listener {
    /// Another handle on the same socket: whoever connects between one server's end and the next one's
    /// beginning waits, and is not refused.
    ///
    /// # Errors
    /// The system gives no more handles.
    pub fn share(&self) -> io::Result<Listener> {
        Ok(match self {
            Listener::Tcp(listener) => Listener::Tcp(share_tcp(listener)?),
            Listener::Unix(listener, file) => {
                let listener: std::os::unix::net::UnixListener =
                    listener.as_fd().try_clone_to_owned()?.into();
                Listener::Unix(UnixListener::from_std(listener)?, Arc::clone(file))
            }
        })
    }

    /// Where it listens, with the port that it got: what a client may be given.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<ListenAddress> {
        Ok(match self {
            Listener::Tcp(listener) => ListenAddress::Tcp(listener.local_addr()?.to_string()),
            Listener::Unix(_, file) => ListenAddress::Unix(file.0.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn addresses_read_and_print_alike() {
        for text in [
            "127.0.0.1:7400",
            "[::1]:0",
            "localhost:7400",
            "unix:/run/selectord.sock",
        ] {
            assert_eq!(
                text.parse::<ListenAddress>()
                    .map(|address| address.to_string())
                    .as_deref(),
                Ok(text)
            );
        }
        for text in [
            "",
            "7400",
            ":7400",
            "localhost",
            "localhost:http",
            "localhost:70000",
            "unix:",
        ] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn plain_text_beyond_loopback_is_refused() {
        let everywhere = ListenAddress::Tcp("0.0.0.0:0".to_owned());
        assert!(matches!(
            everywhere.bind(false).await,
            Err(ListenError::PlainText { .. })
        ));
        assert!(everywhere.bind(true).await.is_ok());
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("selectord.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let address = ListenAddress::Unix(path.clone());
        // A process that another test starts has the stale one, too, until it begins its program.
        let replaced = async {
            loop {
                match address.bind(false).await {
                    Ok(listener) => return listener,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        let listener = tokio::time::timeout(Duration::from_secs(60), replaced).await;
        let listener = listener.expect("it is never replaced");
        assert!(matches!(
            address.bind(false).await,
            Err(ListenError::Io { .. })
        ));
        drop(listener);
        assert!(!path.exists());
    }
}
