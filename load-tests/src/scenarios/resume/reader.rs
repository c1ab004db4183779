use std::time::{Duration, Instant};

use anyhow::Context as _;
use selectord::engine::Scope;
use selectord::wire::Cursor;

use crate::subscribers::{Connection, Scan, Scratch, WIDE, subscribe};

/// What came on one stream.
#[derive(Debug, Default)]
pub struct Read {
    /// Bytes of messages.
    pub bytes: u64,
    /// From connecting to the checkpoint.
    pub elapsed: Duration,
    /// The messages, if they were to be kept.
    pub bodies: Vec<Vec<u8>>,
}

/// Subscribes on a connection of its own, and reads until there is a checkpoint at or behind a
/// revision.
///
/// # Errors
/// The stream ended before.
pub async fn read(
    address: &str,
    scope: &Scope,
    cursor: Option<&Cursor>,
    until: u64,
    keep: bool,
) -> anyhow::Result<Read> {
    let mut scratch = Scratch::default();
    let mut scan = Scan::new(keep);
    let mut read = Read::default();
    let request = subscribe(scope, cursor, "");
    let start = Instant::now();
    let mut connection = Connection::open(address, WIDE, [request]).await?;
    let mut reached = None;
    while reached.is_none_or(|reached| reached < until) {
        let more = connection.follow(&mut scratch, &mut scan, |message, body| {
            read.bytes += message.bytes as u64;
            read.bodies.extend(body);
            reached = message.checkpoint.or(reached);
        });
        more.await.context("a stream of endpoints")?;
    }
    read.elapsed = start.elapsed();
    Ok(read)
}
