use std::time::Duration;

use crate::engine::ResolveLimits;
use crate::runtime::{RuntimeOptions, SaveOptions};
use crate::server::Limits;

use super::failure::Misused;

/// What bounds clients. Whoever asks for more is refused with RESOURCE_EXHAUSTED or INVALID_ARGUMENT.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// Operations that one transaction may resolve to
    #[arg(long, value_name = "NUMBER", default_value_t = ResolveLimits::default().max_operations)]
    pub(super) max_operations: usize,
    /// Bytes of one request
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().max_message_bytes)]
    max_message_bytes: usize,
    /// Labels of one object
    #[arg(long, value_name = "NUMBER", default_value_t = ResolveLimits::default().max_labels)]
    pub(super) max_labels: usize,
    /// Objects in one page of a listing
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().max_page_size)]
    max_page_size: u32,
    /// Distinct live queries (watched pod selectors)
    #[arg(long, value_name = "NUMBER", default_value_t = RuntimeOptions::default().max_live_queries)]
    pub(super) max_live_queries: usize,
    /// Pods of all live queries together, each counted in each, at which another is opened
    #[arg(long, value_name = "NUMBER", default_value_t = RuntimeOptions::default().max_live_query_members)]
    pub(super) max_live_query_members: u64,
    /// Open connections
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().max_connections)]
    max_connections: usize,
    /// Open watches
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().max_subscribers)]
    max_subscribers: usize,
    /// Calls at one time on one connection
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().max_streams_per_connection)]
    max_streams_per_connection: u32,
    /// Milliseconds for which changes are gathered before streams are told of them: what follows a calm
    /// is told at once, and then once in so long. 0: at once always
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 20)]
    watch_window: u64,
    /// Bytes that one snapshot may keep, while it is saved, of what is changed meanwhile
    #[arg(long, value_name = "BYTES", default_value_t = SaveOptions::default().max_kept_bytes)]
    pub(super) max_save_bytes: usize,
    /// Seconds that clients have to finish once the server is asked to end
    #[arg(long, value_name = "SECONDS", default_value_t = Limits::default().drain.as_secs())]
    drain: u64,
}

impl LimitArgs {
    pub(super) fn limits(&self) -> Limits {
        let defaults = Limits::default();
        Limits {
            max_message_bytes: self.max_message_bytes,
            max_page_size: self.max_page_size,
            page_size: defaults.page_size.min(self.max_page_size),
            max_subscribers: self.max_subscribers,
            max_connections: self.max_connections,
            max_streams_per_connection: self.max_streams_per_connection,
            watch_window: Duration::from_millis(self.watch_window),
            drain: Duration::from_secs(self.drain),
            ..defaults
        }
    }

    /// Refuses limits under which nothing could be done.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let zero = [
            ("--max-operations", self.max_operations == 0),
            ("--max-message-bytes", self.max_message_bytes == 0),
            ("--max-page-size", self.max_page_size == 0),
            ("--max-connections", self.max_connections == 0),
            (
                "--max-streams-per-connection",
                self.max_streams_per_connection == 0,
            ),
        ];
        match zero.iter().find(|(_, zero)| *zero) {
            Some((flag, _)) => Err(Misused::of("serve", format!("{flag} must be at least 1"))),
            None => Ok(()),
        }
    }
}
