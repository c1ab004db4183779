//! A server that lost its memory and has the same objects again: what it sends to one who offers what it
//! holds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use prost::Message as _;
use selectord::engine::{Event, Scope, View};
use selectord::wire::proto::watch_endpoints_request::Request;
use selectord::wire::{self, Cursor, Delta, MAX_OFFERED, proto};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use crate::cluster::changes;
use crate::context::Context;
use crate::measure::{Process, Samples};
use crate::report::{Row, Section, Unit};
use crate::rpc::{self, Batch};
use crate::scenarios::fanout::Cluster;

use super::reader::read;

/// Part of the pods that change meanwhile, at last.
const SHARE: f64 = 0.001;
/// Messages of an offer that are made ahead.
const AHEAD: usize = 4;
const RUNS: usize = 5;

/// What came of one return.
struct Back {
    elapsed: Duration,
    received: usize,
    offered: usize,
    events: Vec<Event>,
}

/// Two servers, one after the other.
pub fn measure(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let all = Scope::all();
    let held = Cluster::start(context, &[])?.state()?;
    let view = Arc::new(held.view);
    let cluster = Cluster::start(context, &[])?;
    let calls = &cluster.calls;
    let until = calls.block_on(cluster.client.status())?.revision;
    let resume = || calls.block_on(back(&cluster.channel, &view, &held.cursor));

    let resident = cluster.resident();
    if let Some(process) = cluster.server.process() {
        process.reset_peak();
    }
    let first = resume()?;
    if !first.events.is_empty() {
        bail!("the same objects, and {} events", first.events.len());
    }
    let (mut times, mut snapshots) = (Samples::default(), Samples::default());
    let mut bytes = 0;
    for _ in 0..context.runs(RUNS) {
        times.push(resume()?.elapsed.as_nanos() as f64);
        let address = &cluster.server.address;
        let snapshot = calls.block_on(read(address, &all, None, until, false))?;
        snapshots.push(snapshot.elapsed.as_nanos() as f64);
        bytes = snapshot.bytes;
    }
    let snapshot_bytes = Samples::one(bytes as f64);
    let row = |what: &str, back: &Back| {
        Row::one(what, Unit::Bytes, back.received as f64).beside(
            "a first snapshot",
            Unit::Bytes,
            &snapshot_bytes,
        )
    };
    section
        .row(row("another history, the same objects: bytes received", &first).ratio_at_most(0.01));
    section.row(
        Row::one("… bytes offered", Unit::Bytes, first.offered as f64).beside(
            "a first snapshot",
            Unit::Bytes,
            &snapshot_bytes,
        ),
    );
    let whole = first.elapsed.as_nanos() as f64;
    section.row(
        Row::one("… time, when nobody has asked before", Unit::Time, whole).beside(
            "a first snapshot",
            Unit::Time,
            &snapshots,
        ),
    );
    section.row(
        Row::new("… time, when others have", Unit::Time, &times).beside(
            "a first snapshot",
            Unit::Time,
            &snapshots,
        ),
    );
    let after = cluster.server.process().and_then(Process::usage);
    if let Some((before, after)) = resident.zip(after) {
        section.row(
            Row::one("… server's memory, at most", Unit::Bytes, after.peak as f64).beside(
                "before",
                Unit::Bytes,
                &Samples::one(before),
            ),
        );
    }

    let count = (f64::from(context.pods()) * SHARE).ceil() as usize;
    let mut batch = Batch::default();
    let mut churn = context.corpus.churn(context.args.seed);
    for change in churn.by_ref().take(count) {
        batch.push(changes(change));
    }
    calls.block_on(rpc::ingest(&cluster.channel, batch))?;
    let last = cluster.state()?;
    let differing = resume()?;
    let mut folded = View::clone(&view);
    (differing.events.iter().cloned()).for_each(|event| folded.apply(event));
    folded.checkpoint();
    if folded != last.view {
        bail!("what was folded is not what is there");
    }
    section.row(row(
        "… after 0.1 % of the pods changed: bytes received",
        &differing,
    ));
    section.note(format!(
        "another history: a second server has loaded the same objects; a client that holds the {} services of the \
         first comes back to it and offers digests, which it makes meanwhile. One pod that changed makes its services \
         differ, and each is sent whole: {} events",
        view.services().len(),
        differing.events.len()
    ));
    Ok(())
}

/// Comes back with what is held, and reads up to the first checkpoint.
async fn back(channel: &Channel, view: &Arc<View>, cursor: &Cursor) -> anyhow::Result<Back> {
    let (asks, requests) = mpsc::channel(AHEAD);
    let ask = |request| proto::WatchEndpointsRequest {
        request: Some(request),
    };
    let subscribe = proto::Subscribe {
        scope: Some(wire::encode_scope(&Scope::all())),
        cursor: Some(wire::encode_cursor(cursor)),
        can_offer: true,
        ..proto::Subscribe::default()
    };
    let start = Instant::now();
    asks.send(ask(Request::Subscribe(subscribe))).await?;
    let mut client = proto::watch_client::WatchClient::new(channel.clone());
    let mut answers = client
        .watch_endpoints(ReceiverStream::new(requests))
        .await?
        .into_inner();
    let mut offering = None;
    let (mut received, mut events) = (0, Vec::new());
    loop {
        let message = answers
            .message()
            .await?
            .context("the server ended the stream")?;
        received += message.encoded_len();
        for event in message.events {
            match wire::decode_event(event).map_err(|faults| anyhow::anyhow!("{faults:?}"))? {
                Delta::Events(more) => events.extend(more),
                Delta::Offer => {
                    events.clear();
                    let (asks, view) = (asks.clone(), Arc::clone(view));
                    offering = Some(tokio::task::spawn_blocking(move || offer(&asks, &view)));
                }
                Delta::Checkpoint(_) => {
                    let elapsed = start.elapsed();
                    let offering = offering.take().context("nothing was asked")?;
                    return Ok(Back {
                        elapsed,
                        received,
                        offered: offering.await??,
                        events,
                    });
                }
            }
        }
    }
}

/// Offers all that is held; answers in how many bytes.
fn offer(asks: &mpsc::Sender<proto::WatchEndpointsRequest>, view: &View) -> anyhow::Result<usize> {
    let mut bytes = 0;
    let mut rest = view.held(None);
    loop {
        let held: Vec<_> = rest.by_ref().take(MAX_OFFERED).collect();
        let last = held.len() < MAX_OFFERED;
        let request = proto::WatchEndpointsRequest {
            request: Some(Request::Offer(wire::encode_offer(&held, last))),
        };
        bytes += request.encoded_len();
        asks.blocking_send(request)?;
        if last {
            return Ok(bytes);
        }
    }
}
