use std::time::Duration;

/// How a client connects and waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientOptions {
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
    /// How long a call with one answer, and each page of a listing, may take.
    pub call_timeout: Duration,
    /// How often an idle connection is probed. A peer that does not answer within half of it is gone.
    pub keepalive: Duration,
    /// Largest message that is accepted, in bytes.
    pub max_message_bytes: usize,
}

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions {
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(60),
            keepalive: Duration::from_secs(10),
            max_message_bytes: 16 << 20,
        }
    }
}
