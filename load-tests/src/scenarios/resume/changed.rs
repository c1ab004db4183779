//! What differs, to one who was away while a share of the pods changed.

use prost::Message as _;
use selectord::engine::{Scope, View};
use selectord::wire::{encode_endpoint, encode_identity, encode_service, proto};
use selectord_corpus::Churn;

use crate::cluster::changes;
use crate::context::Context;
use crate::measure::Samples;
use crate::report::{Axis, Curve, Row, Section, Unit};
use crate::rpc::{self, Batch};
use crate::scenarios::fanout::Cluster;
use crate::subscribers::{Base, Fold};

use super::reader::read;

/// Shares of the pods that change before the subscriber comes back, and how they are written.
const SHARES: [(f64, &str); 6] = [
    (0.000_1, "0.01 %"),
    (0.001, "0.1 %"),
    (0.01, "1 %"),
    (0.1, "10 %"),
    (0.3, "30 %"),
    (1.0, "100 %"),
];
/// Changes in one transaction.
const AT_ONCE: usize = 16;

/// The same cursor is presented after more and more changes.
pub fn measure(
    context: &Context,
    section: &mut Section,
    cluster: &Cluster,
    churn: &mut Churn<'_>,
) -> anyhow::Result<()> {
    let all = Scope::all();
    let first = cluster.state()?;
    let (mut sent, mut least) = (Vec::new(), Vec::new());
    let mut rates_by_share = Vec::new();
    let mut done = 0;
    let progress = context.progress("resume", SHARES.len() as u64);
    for (share, words) in SHARES {
        let count = (f64::from(context.pods()) * share).ceil() as usize;
        let mut batch = Batch::default();
        while done < count {
            let more = AT_ONCE.min(count - done);
            batch.push(churn.by_ref().take(more).flat_map(changes));
            done += more;
        }
        cluster
            .calls
            .block_on(rpc::ingest(&cluster.channel, batch))?;
        let last = cluster.state()?;
        let base = Base::new(&first.view, &last.view);
        let resumed = |keep| {
            let cursor = Some(&first.cursor);
            let until = last.cursor.revision;
            cluster
                .calls
                .block_on(read(&cluster.server.address, &all, cursor, until, keep))
        };
        let kept = resumed(true)?;
        let mut fold = Fold::new(&base, all.clone(), true);
        for body in &kept.bodies {
            fold.message(body)?;
        }
        fold.compare()?;
        let mut rates = Samples::default();
        for _ in 0..context.runs(5) {
            rates.push(fold.events as f64 / resumed(false)?.elapsed.as_secs_f64());
        }
        let minimum = minimum(&base, &first.view, &last.view);
        sent.push((share * 100.0, kept.bytes as f64));
        least.push((share * 100.0, minimum as f64));
        rates_by_share.push((fold.events as f64, rates.median()));
        let mut row = Row::one(
            format!("resume after {words} of the pods changed: bytes sent"),
            Unit::Bytes,
            kept.bytes as f64,
        )
        .beside(
            "encoding just the changed records",
            Unit::Bytes,
            &Samples::one(minimum as f64),
        );
        if words == "0.1 %" {
            row = row.ratio_at_most(1.25);
        }
        section.row(row);
        if share >= 1.0 {
            section.row(
                Row::new(
                    format!("one subscriber catching up, {} records", fold.events),
                    Unit::Rate("records"),
                    &rates,
                )
                .at_least(2e6),
            );
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    section.note(
        "changes are of every kind (8 of readiness, 1 relabelling, 1 replacement in ten); each resume \
         is folded on the first state and is the same as a new subscriber's; the least to be sent is the \
         endpoints that differ, encoded by prost, service by service, in one message",
    );
    section.curve(
        Curve::new(
            "bytes",
            "Resume: bytes sent by the share of pods that changed meanwhile",
            Axis::log("percent of the pods", Unit::Number("%")),
            Axis::log("bytes", Unit::Bytes),
        )
        .line("sent", sent)
        .line("just the changed records", least),
    );
    section.curve(
        Curve::new(
            "rate",
            "Catching up from a cursor: records a second by their number, connecting included",
            Axis::log("records", Unit::Number("")),
            Axis::log("records a second", Unit::Rate("records")),
        )
        .line("one subscriber", rates_by_share)
        .target(2e6),
    );
    Ok(())
}

/// Bytes of what has to be said to bring the first state to the last.
fn minimum(base: &Base<'_>, first: &View, last: &View) -> usize {
    let mut message = proto::WatchEndpointsResponse::default();
    for name in base.changed() {
        let mut event = proto::EndpointsEvent {
            r#type: proto::EventType::Update.into(),
            namespace: name.namespace.to_string(),
            name: name.name.to_string(),
            ..Default::default()
        };
        let was = first.services().get(name);
        let Some(is) = last.services().get(name) else {
            event.r#type = proto::EventType::Remove.into();
            message.events.push(event);
            continue;
        };
        if was.is_none_or(|was| was.entry != is.entry) {
            event.service = Some(encode_service(&is.entry.service));
            event.service_revision = is.entry.revision;
        }
        let had = |identity| was.and_then(|was| was.endpoints.get(identity));
        let changed = is.endpoints.iter();
        let changed = changed.filter(|(identity, endpoint)| had(identity) != Some(*endpoint));
        event.endpoints = changed
            .map(|(_, endpoint)| encode_endpoint(endpoint, &name.namespace))
            .collect();
        let gone = was.into_iter().flat_map(|was| was.endpoints.keys());
        event.removed = gone
            .filter(|identity| !is.endpoints.contains_key(*identity))
            .map(|identity| encode_identity(identity, &name.namespace))
            .collect();
        message.events.push(event);
    }
    message.encoded_len()
}
