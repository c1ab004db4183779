use std::time::Duration;

/// Every number that bounds what a client may ask for. Those of a transaction and of live queries
/// are the runtime's own ([`crate::runtime::RuntimeOptions`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of one request message.
    pub max_message_bytes: usize,
    /// Bytes of request messages that have begun to arrive and are not whole, of all clients together.
    pub max_arriving_bytes: usize,
    /// For how long the rest of a message that has begun is waited for.
    pub message_wait: Duration,
    /// Objects in a page, and groups in an answer, where the request does not say.
    pub page_size: u32,
    /// Most objects in a page, and groups in an answer, that a request may ask for.
    pub max_page_size: u32,
    /// Most streams of WatchEndpoints and WatchPods together.
    pub max_subscribers: usize,
    /// Most connections at one time, of all listeners together.
    pub max_connections: usize,
    /// Most calls at one time on one connection.
    pub max_streams_per_connection: u32,
    /// Transactions of one Ingest stream that may wait for their acknowledgement.
    pub max_unacknowledged: usize,
    /// Bytes that a message on a stream, or a page, is kept below.
    pub stream_message_bytes: usize,
    /// The longest silence on a stream: then a checkpoint is sent, whether or not anything changed.
    pub heartbeat: Duration,
    /// For how long changes are gathered before streams are told of them.
    pub watch_window: Duration,
    /// Bytes of recent changes that are kept encoded, for all streams together.
    pub ring_bytes: usize,
    /// A stream that is so many bytes of them behind is told the same merged, from the log.
    pub merged_bytes: usize,
    /// How long a stream of WatchEndpoints may be open before it subscribes.
    pub subscribe_wait: Duration,
    /// How long a read waits for the revision it demands.
    pub query_wait: Duration,
    /// How long a save waits for its client to take the next bytes, and how far that may fall behind
    /// [`Limits::save_rate`].
    pub save_wait: Duration,
    /// Bytes of a snapshot that its client has to take in a second.
    pub save_rate: u64,
    /// How long streams and calls may take to end once the server drains.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_message_bytes: 4 << 20,
            max_arriving_bytes: 256 << 20,
            message_wait: Duration::from_secs(30),
            page_size: 500,
            max_page_size: 5_000,
            max_subscribers: 10_000,
            max_connections: 65_536,
            max_streams_per_connection: 256,
            max_unacknowledged: 64,
            stream_message_bytes: 64 << 10,
            heartbeat: Duration::from_secs(5),
            watch_window: Duration::from_millis(20),
            ring_bytes: 16 << 20,
            merged_bytes: 256 << 10,
            subscribe_wait: Duration::from_secs(10),
            query_wait: Duration::from_secs(10),
            save_wait: Duration::from_secs(30),
            save_rate: 256 << 10,
            drain: Duration::from_secs(10),
        }
    }
}
