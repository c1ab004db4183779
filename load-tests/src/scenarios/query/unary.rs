use std::time::{Duration, Instant};

use anyhow::bail;
use selectord::wire::{self, proto};
use tokio::runtime::{Builder, Runtime};
use tonic::transport::Channel;

use crate::cluster;
use crate::context::Context;
use crate::measure::{Samples, open_loop};
use crate::report::{Axis, Curve, Row, Section, Unit};
use crate::rpc::{self, Call};
use crate::server::Server;

use super::questions::{BROAD, SELECTIVE};

const COUNT: &str = "/selectord.v1.Query/CountPods";
const CONNECTIONS: usize = 2;
/// Calls on their way on each connection, when as many as possible are made.
const CONCURRENT: usize = 32;
/// Shares of the highest rate at which latency is looked at.
const LOADS: [f64; 7] = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9];
/// How long late answers are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

fn count(channel: &Channel, text: &str) -> Call {
    let request = proto::CountPodsRequest {
        selector: Some(wire::encode_filter(&cluster::selector(text))),
        ..proto::CountPodsRequest::default()
    };
    Call::new(channel, COUNT, &request)
}

/// Counts over gRPC, beside an empty echo.
pub fn measure(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let server = Server::start(context, &[])?;
    let clients = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let channels = clients.block_on(async {
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS {
            channels.push(rpc::connect(&server.address).await?);
        }
        rpc::load(context, &channels[0], |_| ()).await?;
        anyhow::Ok(channels)
    })?;
    let echo = Call::echo(&channels[0]);
    let (selective, broad) = (count(&channels[0], SELECTIVE), count(&channels[0], BROAD));
    let time = context.duration() / 5;
    let (mut echoes, mut counts, mut broads) =
        (Samples::default(), Samples::default(), Samples::default());
    let progress = context.progress("unary calls", (context.runs(5) + 2 * LOADS.len()) as u64);
    for _ in 0..context.runs(5) {
        echoes.push(rate(&clients, &channels, &echo, time)?);
        counts.push(rate(&clients, &channels, &selective, time)?);
        broads.push(rate(&clients, &channels, &broad, time)?);
        progress.inc(1);
    }
    let beside = "empty echo: the health check of the same server";
    section.row(
        Row::new(
            "CountPods over gRPC, two selective pairs",
            Unit::Rate("calls"),
            &counts,
        )
        .beside(beside, Unit::Rate("calls"), &echoes)
        .ratio_at_least(0.8),
    );
    section.row(
        Row::new(
            "CountPods over gRPC, two broad pairs",
            Unit::Rate("calls"),
            &broads,
        )
        .beside(beside, Unit::Rate("calls"), &echoes),
    );
    section.note(format!(
        "rates over gRPC are with {CONNECTIONS} connections of {CONCURRENT} calls each, client and \
         server on the same cores"
    ));

    let mut curve = Curve::new(
        "latency-by-load",
        "Unary calls at rising load: latency from when each was due",
        Axis::linear("calls a second", Unit::Rate("calls")),
        Axis::log("latency", Unit::Time),
    );
    let most = counts.median().min(echoes.median());
    let mut late: f64 = 0.0;
    for (name, call) in [("count", &selective), ("echo", &echo)] {
        let (mut half, mut most_of) = (Vec::new(), Vec::new());
        for load in LOADS {
            let a_second = most * load;
            let count = (a_second * context.duration().as_secs_f64() / 4.0) as u64;
            let seen = open_loop(clients.handle(), a_second, PATIENCE, |number| {
                let call = call.over(&channels[number as usize % CONNECTIONS]);
                (number < count).then_some(async move { call.make().await.is_ok() })
            });
            if seen.failed > 0 {
                bail!(
                    "{} of the calls at {a_second:.0} a second failed",
                    seen.failed
                );
            }
            late = late.max(seen.lateness.quantile(0.99));
            half.push((a_second, seen.latencies.quantile(0.5)));
            most_of.push((a_second, seen.latencies.quantile(0.99)));
            if name == "count" && load == 0.4 {
                section.row(Row::one(
                    format!("CountPods at {} calls/s, p99", a_second.round()),
                    Unit::Time,
                    seen.latencies.quantile(0.99),
                ));
            }
            progress.inc(1);
        }
        curve = curve
            .line(format!("{name}, median"), half)
            .line(format!("{name}, p99"), most_of);
    }
    progress.finish_and_clear();
    section.note(format!(
        "the generator of the latency curve was itself late by up to {} (p99)",
        Unit::Time.show(late)
    ));
    section.curve(curve);
    Ok(())
}

/// Calls a second, as many as can be.
fn rate(
    clients: &Runtime,
    channels: &[Channel],
    call: &Call,
    time: Duration,
) -> anyhow::Result<f64> {
    let start = Instant::now();
    let made = clients.block_on(call.flat_out(channels, CONCURRENT, time))?;
    Ok(made as f64 / start.elapsed().as_secs_f64())
}
