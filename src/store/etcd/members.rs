//! Connections to the members of an etcd, any of which will do.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use super::{EtcdError, EtcdTls};

/// How often a connection that is in use is asked whether it is alive. A member drops who asks more
/// often than every five seconds (`--grpc-keepalive-min-time`).
const KEEPALIVE: Duration = Duration::from_secs(6);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(3);
/// Bytes that a member may send of one answer, and of all on a connection, before we take any: a watch
/// that is not read holds up nothing else.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// The members, one of which is talked to until it fails.
#[derive(Debug)]
pub(super) struct Members {
    addresses: Vec<String>,
    tls: Option<EtcdTls>,
    kept: Vec<Mutex<Option<Connection>>>,
    /// Held by whoever connects to the member: the others wait for what comes of it.
    connecting: Vec<tokio::sync::Mutex<()>>,
    current: AtomicUsize,
    connected: AtomicU64,
}

/// A channel, and its number among all that there were: one that failed is told from one that came later.
type Connection = (u64, Channel);

/// A connection to one of them.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) number: usize,
    connection: u64,
    pub(super) address: String,
    pub(super) channel: Channel,
}

impl Members {
    pub(super) fn new(addresses: &[String], tls: Option<EtcdTls>) -> Members {
        Members {
            addresses: addresses.to_vec(),
            tls,
            kept: addresses.iter().map(|_| Mutex::default()).collect(),
            connecting: addresses.iter().map(|_| Default::default()).collect(),
            current: AtomicUsize::new(0),
            connected: AtomicU64::new(0),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.addresses.len()
    }

    /// All of them, for a message.
    pub(super) fn names(&self) -> String {
        self.addresses.join(", ")
    }

    /// That they cannot be reached, or do not work as they should.
    pub(super) fn unavailable(&self, cause: impl Into<String>) -> EtcdError {
        EtcdError::Unavailable {
            members: self.names(),
            cause: cause.into(),
        }
    }

    /// The one that is talked to; connects if need be.
    ///
    /// # Errors
    /// It cannot be reached in time, and another one is the next to be talked to; or a file that TLS needs
    /// cannot be used.
    pub(super) async fn one(&self, within: Duration) -> Result<Member, EtcdError> {
        self.at(self.current.load(Ordering::Relaxed), within).await
    }

    /// The one of this number, in the order in which they are listed.
    ///
    /// # Errors
    /// As of [`Members::one`].
    pub(super) async fn at(&self, number: usize, within: Duration) -> Result<Member, EtcdError> {
        let address = self.addresses.get(number).cloned().unwrap_or_default();
        let member = |(connection, channel)| Member {
            number,
            connection,
            address: address.clone(),
            channel,
        };
        if let Some(kept) = self.kept(number, |kept| kept.clone()) {
            return Ok(member(kept));
        }
        let endpoint = self.endpoint(&address)?;
        let connect = async {
            let _first = match self.connecting.get(number) {
                Some(connecting) => Some(connecting.lock().await),
                None => None,
            };
            if let Some(kept) = self.kept(number, |kept| kept.clone()) {
                return Ok(kept);
            }
            let channel = endpoint.connect().await?;
            let connection = (self.connected.fetch_add(1, Ordering::Relaxed), channel);
            self.kept(number, |kept| *kept = Some(connection.clone()));
            Ok(connection)
        };
        let cause = match tokio::time::timeout(within, connect).await {
            Ok(Ok(connection)) => return Ok(member(connection)),
            Ok(Err(error)) => innermost(&error),
            Err(_) => "no connection in time".to_owned(),
        };
        self.leave_if(number, None);
        Err(self.unavailable(format!("{address}: {cause}")))
    }

    /// Talks to the next one from here on, if it still is this connection that is talked on.
    pub(super) fn leave(&self, member: &Member) {
        self.leave_if(member.number, Some(member.connection));
    }

    /// The same, if this is the connection that is kept; none: there is no connection.
    fn leave_if(&self, number: usize, connection: Option<u64>) {
        let is_it = self.kept(number, |kept| {
            let is_it = kept.as_ref().map(|(number, _)| *number) == connection;
            if is_it {
                *kept = None;
            }
            is_it
        });
        if is_it {
            let next = (number + 1) % self.len().max(1);
            let order = Ordering::Relaxed;
            // Who comes too late finds another one.
            let _ = self.current.compare_exchange(number, next, order, order);
        }
    }

    fn kept<T: Default>(
        &self,
        number: usize,
        look: impl FnOnce(&mut Option<Connection>) -> T,
    ) -> T {
        match self.kept.get(number) {
            Some(kept) => look(&mut kept.lock().unwrap_or_else(PoisonError::into_inner)),
            None => T::default(),
        }
    }

    fn endpoint(&self, address: &str) -> Result<Endpoint, EtcdError> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))
            .map_err(|error| self.unavailable(format!("{address}: {}", innermost(&error))))?
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW);
        match &self.tls {
            Some(files) => {
                let path = files.ca.clone().unwrap_or_default();
                let config = endpoint.tls_config(tls_config(files)?);
                config.map_err(|error| unusable(&path, innermost(&error)))
            }
            None => Ok(endpoint),
        }
    }
}

fn tls_config(files: &EtcdTls) -> Result<ClientTlsConfig, EtcdError> {
    let config = match &files.ca {
        Some(ca) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(contents(ca)?)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    Ok(match &files.identity {
        Some((certificate, key)) => {
            config.identity(Identity::from_pem(contents(certificate)?, contents(key)?))
        }
        None => config,
    })
}

fn contents(path: &PathBuf) -> Result<Vec<u8>, EtcdError> {
    std::fs::read(path).map_err(|error| unusable(path, error.to_string()))
}

fn unusable(path: &Path, cause: String) -> EtcdError {
    EtcdError::Tls {
        path: path.to_owned(),
        cause,
    }
}

/// What an error of the transport is about: the layers around it say nothing.
fn innermost(error: &tonic::transport::Error) -> String {
    let mut found: &dyn std::error::Error = error;
    while let Some(cause) = found.source() {
        found = cause;
    }
    found.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    const SOON: Duration = Duration::from_secs(10);

    /// Members that take connections, and say nothing.
    async fn listening() -> (Members, [TcpListener; 2]) {
        let listen = || TcpListener::bind("127.0.0.1:0");
        let listeners = [listen().await.unwrap(), listen().await.unwrap()];
        let addresses = listeners
            .each_ref()
            .map(|it| it.local_addr().unwrap().to_string());
        (Members::new(&addresses, None), listeners)
    }

    #[tokio::test]
    async fn those_who_come_together_share_a_connection() {
        let (members, _listeners) = listening().await;
        let (a, b, c) = tokio::join!(members.one(SOON), members.one(SOON), members.one(SOON));
        for member in [a, b, c] {
            assert_eq!(member.unwrap().connection, 0);
        }
    }

    #[tokio::test]
    async fn who_fails_late_leaves_no_new_connection() {
        let (members, _listeners) = listening().await;
        let which = |member: &Member| (member.number, member.connection);
        let old = members.one(SOON).await.unwrap();
        members.leave(&old);
        let second = members.one(SOON).await.unwrap();
        assert_eq!(which(&second), (1, 1));
        members.leave(&second);
        let new = members.one(SOON).await.unwrap();
        assert_eq!(which(&new), (0, 2));
        members.leave(&old);
        members.leave_if(0, None);
        assert_eq!(which(&members.one(SOON).await.unwrap()), (0, 2));
        members.leave(&new);
        assert_eq!(which(&members.one(SOON).await.unwrap()), (1, 3));
    }
}
