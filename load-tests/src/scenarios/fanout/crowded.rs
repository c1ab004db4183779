//! Ten thousand subscribers, each counted, some folded and compared.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::context::Context;
use crate::measure::Samples;
use crate::report::{Row, Section, Unit};
use crate::scenarios::churn::compare;
use crate::subscribers::{Base, Crowd, CrowdOptions, Fold};

use super::Cluster;
use super::load::Changes;
use super::population::Population;

const SUBSCRIBERS: usize = 10_000;
const CONNECTIONS: usize = 16;
const RATE: f64 = 100.0;
/// For how long all are waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Changes at a rate; then everybody must be at the last of them.
pub fn measure(
    context: &Context,
    section: &mut Section,
    cluster: &Cluster,
    changes: &mut Changes<'_>,
) -> anyhow::Result<()> {
    let first = cluster.state()?;
    let count = if context.args.server.is_some() {
        section.note("with --server, 2,000 subscribers instead of 10,000");
        2_000
    } else {
        SUBSCRIBERS
    };
    let population = Population::new(context, count, &first);
    let options = CrowdOptions {
        per_connection: count.div_ceil(CONNECTIONS),
        timed: true,
    };
    let start = Instant::now();
    let requests = population.requests(&first, true);
    let crowd = Crowd::start(&cluster.server.address, requests, options)?;
    let subscribed = start.elapsed();
    let progress = context.progress("10,000 subscribers", 2);
    let run = changes.run(cluster, &crowd, &population, RATE, context.duration())?;
    progress.inc(1);
    crowd.reach(run.revision, PATIENCE)?;

    let last = cluster.state()?;
    cluster
        .calls
        .block_on(compare::whole(&cluster.client, &last.view))?;
    let base = Base::new(&first.view, &last.view);
    let (mut folded, mut events) = (0, 0);
    for (number, stream) in crowd.streams().iter().enumerate() {
        let Some(scope) = population.scope(number) else {
            continue;
        };
        if !population.is_folded(number) {
            continue;
        }
        let mut fold = Fold::new(&base, scope.clone(), true);
        for body in stream.kept() {
            fold.message(&body)?;
        }
        let compared = fold.compare();
        compared.with_context(|| format!("subscriber {number} of {count}"))?;
        folded += 1;
        events += fold.events;
    }
    progress.finish_and_clear();

    let what = format!("{count} subscribers over {CONNECTIONS} connections, 100 changes/s");
    section.row(
        Row::one(
            format!("{what}: arrival, p99"),
            Unit::Time,
            run.latencies.quantile(0.99),
        )
        .at_most(1e9)
        .beside(
            "p99 that the generator itself was late",
            Unit::Time,
            &Samples::one(run.late),
        ),
    );
    section.row(Row::one(
        "… median",
        Unit::Time,
        run.latencies.quantile(0.5),
    ));
    section.row(Row::one("… longest", Unit::Time, run.latencies.max()));
    if let Some((server, own)) = run.cores {
        section.row(
            Row::one(
                "… server's processor time, of one core",
                Unit::Share,
                server,
            )
            .beside("the generator's", Unit::Share, &Samples::one(own)),
        );
    }
    section.row(Row::one(
        "… messages delivered",
        Unit::Rate("messages"),
        run.messages as f64 / run.elapsed.as_secs_f64(),
    ));
    section.row(
        Row::one(
            "… subscribers that came to the last revision",
            Unit::Number("streams"),
            count as f64,
        )
        .at_least(count as f64),
    );
    section.row(Row::one(
        "… folded, and the same as the server's state",
        Unit::Number("streams"),
        folded as f64,
    ));
    section.note(format!(
        "{count} subscribers began from a cursor, in {}; {folded} of them, of every kind, kept {events} \
         differences, and what they fold to is what a new subscriber is sent, over {} services that changed",
        Unit::Time.show(subscribed.as_nanos() as f64),
        base.changed().len()
    ));
    Ok(())
}
