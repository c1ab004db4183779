use std::time::{Duration, Instant};

use selectord::client::Client;
use selectord::model::ObjectName;
use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::context::Context;
use crate::measure::{Monitor, Samples};
use crate::report::{Axis, Curve, Row, Section, Unit};
use crate::rpc;
use crate::server::Server;

use super::compare;
use super::follower::{Follower, scope};
use super::writer::{encoded, paced};

/// Changes a second, while latency is measured.
const RATE: f64 = 5_000.0;
/// Changes in one of its transactions.
const AT_ONCE: usize = 5;
/// Changes in a transaction, flat out.
const SMALL: usize = 64;
/// Services that are watched one by one; the first is the largest.
const SINGLE: usize = 8;

/// Churn at a rate, then flat out, with subscribers that fold; then their states are compared.
pub fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let threads = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let server = Server::start(context, &[])?;
    threads.block_on(churn(context, section, &server))
}

async fn churn(context: &Context, section: &mut Section, server: &Server) -> anyhow::Result<()> {
    let channel = rpc::connect(&server.address).await?;
    rpc::load(context, &channel, |_| ()).await?;
    let progress = context.progress("churn", 4);
    let client = Client::connect(&server.address).await?;
    let (tell, until) = watch::channel(None);
    let mut whole = Follower::start(&client, scope(None), until.clone()).await?;
    let names: Vec<ObjectName> = context
        .corpus
        .services()
        .step_by(context.corpus.service_count() as usize / SINGLE)
        .map(|service| ObjectName::new(&*service.namespace, service.name))
        .collect();
    let mut singles = Vec::new();
    for name in &names {
        singles.push(Follower::start(&client, scope(Some(name)), until.clone()).await?);
    }
    progress.inc(1);

    let mut changes = context.corpus.churn(context.args.seed);
    let count = (RATE * context.duration().as_secs_f64()) as usize;
    let batch = encoded(&mut changes, count, AT_ONCE);
    let flat_out = encoded(&mut changes, count.max(SMALL), SMALL);
    let monitor = server.process().map(Monitor::start);
    let paced = paced(&channel, batch, RATE / AT_ONCE as f64).await?;
    progress.inc(1);
    let busy = server.process().and_then(|process| process.usage());
    if let Some(last) = paced.sent.last() {
        whole.reach(last.revision).await?;
    }
    let burst = rpc::ingest(&channel, flat_out).await?;
    let written = Instant::now();
    whole.reach(burst.revision).await?;
    let behind = written.elapsed();
    progress.inc(1);
    tell.send_replace(Some(burst.revision));
    let seen = monitor.map(Monitor::stop).unwrap_or_default();
    let whole = whole.followed().await?;
    let same = compare::whole(&client, whole.watcher.view()).await?;
    let (mut eventful, mut cuts) = (0, 0);
    for (single, name) in singles.into_iter().zip(&names) {
        let followed = single.followed().await?;
        compare::one(&client, followed.watcher.view(), name).await?;
        eventful += followed.eventful;
        cuts += followed.cuts.len();
    }
    progress.finish_and_clear();

    section.note(format!(
        "{same} services that the whole-cluster subscriber folded are the same as a fresh subscriber is \
         sent, and some hundred of them as the server answers one by one; so are those of the {SINGLE} \
         subscribers of one service"
    ));
    let elapsed = paced.elapsed().as_secs_f64();
    let changes = (paced.sent.len() * AT_ONCE) as f64;
    let acknowledged = paced.to_acknowledged();
    let folded = paced.to_folded(&whole.cuts);
    section.row(
        Row::one(
            "churn at 5,000 changes/s: what was taken",
            Unit::Rate("changes"),
            changes / elapsed,
        )
        .beside("what was sent", Unit::Rate("changes"), &Samples::one(RATE)),
    );
    for (what, share) in [("median", 0.5), ("p99", 0.99)] {
        section.row(
            Row::one(
                format!("from a change due to folded by the whole-cluster subscriber, {what}"),
                Unit::Time,
                folded.quantile(share),
            )
            .beside(
                "to acknowledged to the writer",
                Unit::Time,
                &acknowledged.at(share),
            ),
        );
    }
    let during: Vec<_> = seen
        .iter()
        .filter(|(_, usage)| busy.is_none_or(|busy| usage.cpu <= busy.cpu))
        .copied()
        .collect();
    section.row(Row::one(
        "server's processor time meanwhile, of one core",
        Unit::Share,
        Monitor::cores(&during),
    ));
    let rate = burst.operations as f64 / burst.elapsed.as_secs_f64();
    section.row(Row::one(
        "churn flat out, 64 to a transaction, while all fold",
        Unit::Rate("operations"),
        rate,
    ));
    section.row(Row::one(
        "… the whole-cluster subscriber is there after the last by",
        Unit::Time,
        behind.as_nanos() as f64,
    ));
    let a_second = |count: f64| count / (elapsed + burst.elapsed.as_secs_f64());
    section.row(
        Row::one(
            format!("messages to {SINGLE} subscribers of one service that bring something"),
            Unit::Rate("cuts"),
            a_second(eventful as f64),
        )
        .beside(
            "all cuts they got, heartbeats included",
            Unit::Rate("cuts"),
            &Samples::one(a_second(cuts as f64)),
        ),
    );
    section.note(format!(
        "the writer's generator was itself late by {} (p99); the whole-cluster subscriber folded {} differences",
        Unit::Time.show(paced.late),
        whole.events
    ));
    curves(section, &seen, &folded.tail(), &acknowledged.tail());
    if seen.is_empty() {
        section.note(Server::NOT_OURS);
    }
    Ok(())
}

fn curves(
    section: &mut Section,
    seen: &[(Duration, crate::measure::Usage)],
    folded: &[(f64, f64)],
    acknowledged: &[(f64, f64)],
) {
    section.curve(
        Curve::new(
            "latency",
            "From a change due to its effect, at 5,000 changes a second",
            Axis::log("one change in so many took longer", Unit::Number("")),
            Axis::log("latency", Unit::Time),
        )
        .line("folded", folded.to_vec())
        .line("acknowledged", acknowledged.to_vec()),
    );
    if !seen.is_empty() {
        section.curve(
            Curve::new(
                "memory",
                "The server's resident memory under churn: at a rate, then flat out",
                Axis::linear("seconds", Unit::Number("")),
                Axis::linear("resident memory", Unit::Bytes),
            )
            .line("server", Monitor::resident(seen)),
        );
    }
}
