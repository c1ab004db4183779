use tonic::transport::{Channel, Endpoint};

use super::{Address, ClientOptions, ConnectError};

/// Bytes a server may send on one stream before the reader takes any: what a stream that is not read
/// costs here.
const STREAM_WINDOW: u32 = 64 << 10;
/// Streams of one connection that may be left unread without holding up another. A server allows
/// 256 by default.
const STALLED_STREAMS: u32 = 1_024;
/// Bytes on all streams of a connection. Nothing is set aside: it is what the streams together may
/// hold.
const CONNECTION_WINDOW: u32 = STALLED_STREAMS * STREAM_WINDOW;

/// A connection to a server. Cheap to clone; clones share the connection, which mends itself.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) address: Address,
    pub(super) options: ClientOptions,
    pub(super) endpoint: Endpoint,
    pub(super) channel: Channel,
}

impl Client {
    /// Connects to `host:port`, `http://host:port` or `unix:PATH`.
    ///
    /// # Errors
    /// When the text is not an address, or nobody answers there in time.
    pub async fn connect(address: &str) -> Result<Client, ConnectError> {
        Client::connect_with(address.parse()?, ClientOptions::default()).await
    }

    /// Connects with other than the default options.
    ///
    /// # Errors
    /// When nobody answers in time.
    pub async fn connect_with(
        address: Address,
        options: ClientOptions,
    ) -> Result<Client, ConnectError> {
        let endpoint = Client::endpoint(&address, &options)?;
        let channel = endpoint.connect().await;
        let channel = channel.map_err(|cause| ConnectError::Unreachable {
            address: address.clone(),
            cause,
        })?;
        Ok(Client {
            address,
            options,
            endpoint,
            channel,
        })
    }

    /// Connects when something is first asked for, and as often as it takes: for whoever goes on without the
    /// server. On a thread of a runtime only.
    ///
    /// # Errors
    /// When nobody can answer at such an address.
    pub fn connect_later(address: Address, options: ClientOptions) -> Result<Client, ConnectError> {
        let endpoint = Client::endpoint(&address, &options)?;
        Ok(Client {
            channel: endpoint.connect_lazy(),
            address,
            options,
            endpoint,
        })
    }

    fn endpoint(address: &Address, options: &ClientOptions) -> Result<Endpoint, ConnectError> {
        let endpoint = Endpoint::from_shared(address.uri());
        let endpoint = endpoint.map_err(|cause| ConnectError::Unreachable {
            address: address.clone(),
            cause,
        })?;
        Ok(endpoint
            .connect_timeout(options.connect_timeout)
            .tcp_nodelay(true)
            .tcp_keepalive(Some(options.keepalive))
            .http2_keep_alive_interval(options.keepalive)
            .keep_alive_timeout(options.keepalive / 2)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW))
    }

    /// Where the server is.
    pub fn address(&self) -> &Address {
        &self.address
    }
}
