//! Where `serve` listens: the same sockets for as long as the process lives, whoever serves them.

use std::io;

use anyhow::Context as _;
use tokio::net::TcpListener;

use crate::server::{ListenAddress, ListenError, Listener, share_tcp};

use super::failure::Misused;

/// What `--http` says for no listener.
const OFF: &str = "off";

/// The sockets of `--listen` and `--http`.
pub(super) struct Listening {
    grpc: Vec<Listener>,
    http: Option<TcpListener>,
}

impl Listening {
    pub(super) async fn begin(
        grpc: &[ListenAddress],
        http: &str,
        insecure: bool,
    ) -> anyhow::Result<Listening> {
        let mut listeners = Vec::new();
        for address in grpc {
            let listener = address.bind(insecure).await;
            listeners.push(listener.map_err(|error| match error {
                ListenError::PlainText { .. } => Misused::of("serve", error.to_string()),
                error => error.into(),
            })?);
        }
        Ok(Listening {
            grpc: listeners,
            http: listen_http(http).await?,
        })
    }

    /// Handles for one server; the sockets stay open when it ends.
    pub(super) fn share(&self) -> anyhow::Result<(Vec<Listener>, Option<TcpListener>)> {
        let grpc: io::Result<Vec<Listener>> = self.grpc.iter().map(Listener::share).collect();
        let http = self.http.as_ref().map(share_tcp).transpose();
        let no_more = "cannot share a listening socket";
        Ok((grpc.context(no_more)?, http.context(no_more)?))
    }

    /// In words, with the ports that it got.
    pub(super) fn addresses(&self) -> io::Result<Vec<String>> {
        let mut addresses = Vec::new();
        for listener in &self.grpc {
            addresses.push(format!("gRPC on {}", listener.address()?));
        }
        if let Some(http) = &self.http {
            addresses.push(format!("HTTP on {}", http.local_addr()?));
        }
        Ok(addresses)
    }
}

/// Listens where `--http` says.
pub(super) async fn listen_http(address: &str) -> anyhow::Result<Option<TcpListener>> {
    if address == OFF {
        return Ok(None);
    }
    let listener = TcpListener::bind(address).await;
    Ok(Some(listener.with_context(|| {
        format!("cannot listen at {address} (--http)")
    })?))
}
