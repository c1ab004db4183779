//! A thousand subscribers at rising rates.

use std::time::Duration;

use crate::context::Context;
use crate::measure::Samples;
use crate::report::{Axis, Curve, Row, Section, Unit};
use crate::subscribers::{Crowd, CrowdOptions};

use super::load::{Changes, Run};
use super::population::{MIX, Population};
use super::{Cluster, State};

const SUBSCRIBERS: usize = 1_000;
const CONNECTIONS: usize = 8;
/// Changes a second that the targets are about.
const RATE: f64 = 1_000.0;
/// Rates of the curve beside it.
const RATES: [f64; 5] = [30.0, 100.0, 300.0, 3_000.0, 10_000.0];
/// The longest silence on a stream that is not woken, and something more.
const SILENCE: Duration = Duration::from_secs(10);

/// Over few connections, and over one each.
pub fn measure(
    context: &Context,
    section: &mut Section,
    cluster: &Cluster,
    state: &State,
    changes: &mut Changes<'_>,
) -> anyhow::Result<()> {
    let (_, echo) = cluster.echo(context.duration() / 10)?;
    let alone = alone(context, cluster, changes)?;
    let population = Population::new(context, SUBSCRIBERS, state);
    let mut curve = Curve::new(
        "latency-by-rate",
        "A thousand subscribers: from a change due to its arrival, by the rate of changes",
        Axis::log("changes a second", Unit::Rate("changes")),
        Axis::log("latency", Unit::Time),
    )
    .target(50e6);
    let mut distribution = Curve::new(
        "latency",
        "A thousand subscribers, 1,000 changes a second: from a change due to its arrival",
        Axis::log("one arrival in so many took longer", Unit::Number("")),
        Axis::log("latency", Unit::Time),
    );
    let mut processor = Curve::new(
        "processor-by-rate",
        "A thousand subscribers: cores that the server keeps busy",
        Axis::log("changes a second", Unit::Rate("changes")),
        Axis::linear("of one core", Unit::Share),
    )
    .target(0.3);
    let rates: &[f64] = if context.args.quick {
        &RATES[1..4]
    } else {
        &RATES
    };
    let progress = context.progress("1,000 subscribers", 2 * (rates.len() as u64 + 1));
    for (connections, words) in [
        (CONNECTIONS, "8 connections"),
        (SUBSCRIBERS, "a connection each"),
    ] {
        // Each crowd goes on from where the server is now.
        let state = State {
            view: Default::default(),
            cursor: cluster.state()?.cursor,
        };
        let options = CrowdOptions {
            per_connection: SUBSCRIBERS.div_ceil(connections),
            timed: true,
        };
        let requests = population.requests(&state, false);
        let crowd = Crowd::start(&cluster.server.address, requests, options)?;
        let mut points = Vec::new();
        let run = changes.run(cluster, &crowd, &population, RATE, context.duration())?;
        progress.inc(1);
        rows(section, &run, words, &echo, alone);
        distribution = distribution.line(words, run.latencies.tail());
        points.push((RATE, run));
        for rate in rates {
            let time = context.duration() / 3;
            points.push((
                *rate,
                changes.run(cluster, &crowd, &population, *rate, time)?,
            ));
            progress.inc(1);
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let of = |figure: fn(&Run) -> Option<f64>| {
            let point = |(rate, run): &(f64, Run)| Some((*rate, figure(run)?));
            points.iter().filter_map(point).collect::<Vec<_>>()
        };
        curve = curve
            .line(
                format!("{words}, median"),
                of(|run| Some(run.latencies.quantile(0.5))),
            )
            .line(
                format!("{words}, p99"),
                of(|run| Some(run.latencies.quantile(0.99))),
            );
        processor = processor.line(words, of(|run| Some(run.cores?.0)));
        let last = points.iter().map(|(_, run)| run.revision).max();
        crowd.reach(last.unwrap_or_default(), SILENCE)?;
    }
    progress.finish_and_clear();
    section.note(format!(
        "{MIX}; each connection's streams and their messages are counted"
    ));
    section.note(
        "latency is from when a change was due to be sent to when a subscriber that it concerns has its \
         checkpoint; timed are changes of readiness of pods that are endpoints, 8 in 10 changes; the \
         subscribers are raw HTTP/2 readers on one thread of this process, on the server's cores, which looks \
         at its sockets once a millisecond",
    );
    section.curve(curve);
    section.curve(distribution);
    if cluster.server.process().is_some() {
        section.curve(processor);
    }
    Ok(())
}

/// Cores that the server keeps busy at the same rate with one subscriber.
fn alone(
    context: &Context,
    cluster: &Cluster,
    changes: &mut Changes<'_>,
) -> anyhow::Result<Option<f64>> {
    let state = cluster.state()?;
    let population = Population::of_nodes(context, 1);
    let options = CrowdOptions {
        per_connection: 1,
        timed: true,
    };
    let requests = population.requests(&state, false);
    let crowd = Crowd::start(&cluster.server.address, requests, options)?;
    let run = changes.run(cluster, &crowd, &population, RATE, context.duration() / 3)?;
    Ok(run.cores.map(|(server, _)| server))
}

fn rows(section: &mut Section, run: &Run, words: &str, echo: &Samples, alone: Option<f64>) {
    let what = format!("1,000 subscribers over {words}, 1,000 changes/s");
    let quantile = |share| run.latencies.quantile(share);
    let late = Samples::one(run.late);
    section.row(
        Row::one(format!("{what}: arrival, p99"), Unit::Time, quantile(0.99))
            .at_most(50e6)
            .beside("p99 that the generator itself was late", Unit::Time, &late),
    );
    section.row(Row::one("… median", Unit::Time, quantile(0.5)));
    if let Some((server, own)) = run.cores {
        section.row(
            Row::one(
                "… server's processor time, of one core",
                Unit::Share,
                server,
            )
            .at_most(0.3)
            .beside(
                "with one subscriber instead of 1,000",
                Unit::Share,
                &alone.into_iter().collect(),
            ),
        );
        section.row(Row::one("… the generator's", Unit::Share, own));
        let busy = server * run.elapsed.as_nanos() as f64;
        section.row(
            Row::one(
                "… server's processor time for each message delivered, changes included",
                Unit::Time,
                busy / run.messages as f64,
            )
            .beside("for an empty unary echo", Unit::Time, echo),
        );
    }
    let a_second = |count: u64| count as f64 / run.elapsed.as_secs_f64();
    section.row(
        Row::one(
            "… messages delivered",
            Unit::Rate("messages"),
            a_second(run.messages),
        )
        .beside(
            "their bytes a second",
            Unit::Bytes,
            &Samples::one(a_second(run.bytes)),
        ),
    );
}
