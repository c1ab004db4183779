use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use selectord::engine::{Scope, ServiceScope};
use selectord::model::ObjectName;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::context::Context;
use crate::measure::{Monitor, Samples};
use crate::report::{Axis, Curve, Row, Section, Unit};
use crate::rpc::Call;
use crate::scenarios::churn::{compare, writer};
use crate::scenarios::fanout::{Cluster, State};
use crate::server::Server;
use crate::subscribers::{named, same, subscribe};

use super::asking::{Asked, ask};
use super::member::{Temper, follow};
use super::strangers::Strangers;

/// Changes a second.
const RATE: f64 = 2_000.0;
/// Changes in one transaction.
const AT_ONCE: usize = 5;
/// Changes that are encoded at once: a second's.
const ENCODED: usize = 2_000;
/// Subscribers that fold.
const MEMBERS: usize = 18;
/// Subscribers that are killed together.
const STRANGERS: usize = 200;
/// Who asks questions.
const ASKING: usize = 4;
/// Most points of a curve.
const POINTS: usize = 1_000;
/// For how long subscribers may need to catch up in the end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs for as long as the command line says, then compares everything.
pub fn run(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let default = if context.args.quick { 10.0 } else { 60.0 };
    let time = Duration::from_secs_f64(context.args.seconds.unwrap_or(default).max(1.0));
    let cluster = Cluster::start(context, &[])?;
    let first = cluster.state()?;
    let services: Vec<ObjectName> = first.view.services().keys().cloned().collect();
    let mut churn = context.corpus.churn(context.args.seed);
    let (tell, until) = watch::channel(None);
    let strangers = {
        let requests = (0..STRANGERS).map(|number| stranger(number, &services, &first));
        let address = cluster.server.address.clone();
        Strangers::start(address, requests.collect(), context.args.seed)
    };
    let monitor = cluster.server.process().map(Monitor::start);
    let deadline = Instant::now() + time;
    let progress = context.progress("soak", time.as_secs());

    let (ended, asked, written) = cluster.calls.block_on(async {
        let mut members = JoinSet::new();
        for number in 0..MEMBERS {
            let seed = context.args.seed ^ (number as u64) << 32;
            let scope = member(number, &services, context);
            let address = cluster.server.address.clone();
            let temper = Temper::of(number);
            members.spawn(follow(address, scope, temper, seed, until.clone()));
        }
        let mut asking = JoinSet::new();
        for number in 0..ASKING {
            let client = cluster.client.clone();
            let echo = Call::echo(&cluster.channel);
            asking.spawn(ask(client, echo, services.clone(), deadline, number as u64));
        }
        let mut written = 0;
        let mut last = first.cursor.revision;
        while Instant::now() < deadline {
            let batch = writer::encoded(&mut churn, ENCODED, AT_ONCE);
            let paced = writer::paced(&cluster.channel, batch, RATE / AT_ONCE as f64).await?;
            written += ENCODED;
            last = paced.sent.last().map_or(last, |sent| sent.revision);
            let left = deadline.saturating_duration_since(Instant::now());
            progress.set_position(time.saturating_sub(left).as_secs());
        }
        tell.send_replace(Some(last));
        let mut asked = Asked::default();
        while let Some(answers) = asking.join_next().await {
            let answers = answers?.context("a query failed")?;
            asked.queries.add(&answers.queries);
            asked.echoes.add(&answers.echoes);
        }
        let all = async {
            let mut ended = Vec::new();
            while let Some(member) = members.join_next().await {
                ended.push(member?.context("a subscriber failed")?);
            }
            anyhow::Ok(ended)
        };
        let Ok(ended) = tokio::time::timeout(PATIENCE, all).await else {
            bail!("subscribers have not come to revision {last}");
        };
        anyhow::Ok((ended?, asked, written))
    })?;
    let killed = strangers.stop()?;
    let seen = monitor.map(Monitor::stop).unwrap_or_default();
    progress.finish_and_clear();

    let last = cluster.state()?;
    let (mut events, mut mishaps) = (0, 0);
    for member in &ended {
        same(&member.scope, &member.view, &last.view)?;
        events += member.events;
        mishaps += member.mishaps;
    }
    let verified = cluster.calls.block_on(async {
        compare::whole(&cluster.client, &last.view).await?;
        anyhow::Ok(cluster.client.verify().await?)
    })?;
    if let Some(discrepancy) = verified.answer.discrepancies.first() {
        bail!(
            "the server verifies itself, and finds {} discrepancies: {discrepancy}",
            verified.answer.discrepancies.len()
        );
    }
    section.note(format!(
        "{written} changes in {}; {MEMBERS} subscribers that folded {events} differences, stalled or were \
         cut off {mishaps} times, and hold what the server has; {killed} others were killed as they read; the \
         server recomputed everything in {} and found the same",
        Unit::Time.show(time.as_nanos() as f64),
        Unit::Time.show(verified.answer.elapsed.as_nanos() as f64),
    ));
    report(section, &seen, &asked);
    Ok(())
}

/// What the `number`-th that folds watches: a few everything, most a part.
fn member(number: usize, services: &[ObjectName], context: &Context) -> Scope {
    let namespace = |number: usize| {
        let names = context.corpus.namespaces().nth(number * 7)?;
        Some([names.into()].into())
    };
    match number / 3 {
        0 => Scope::all(),
        1 => Scope::Node("node-00000".into()),
        2 | 3 => Scope::Services(ServiceScope {
            namespaces: namespace(number).unwrap_or_default(),
            ..ServiceScope::default()
        }),
        _ => services
            .get(number * services.len() / MEMBERS)
            .map_or(Scope::all(), named),
    }
}

/// How one that is killed subscribes: some from nothing, most from a cursor that grows old.
fn stranger(number: usize, services: &[ObjectName], first: &State) -> bytes::Bytes {
    let scope = match number % 4 {
        0 => Scope::all(),
        1 => Scope::Node(format!("node-{number:05}").into()),
        _ => services
            .get(number * 31 % services.len().max(1))
            .map_or(Scope::all(), named),
    };
    let cursor = first.cursor(&scope);
    // A snapshot of everything for each would be all that the server does.
    let from_nothing = number % 4 > 1 || number.is_multiple_of(40);
    subscribe(&scope, Some(&cursor).filter(|_| !from_nothing), "stranger")
}

fn report(section: &mut Section, seen: &[(Duration, crate::measure::Usage)], asked: &Asked) {
    section.row(
        Row::one(
            "queries meanwhile, p99",
            Unit::Time,
            asked.queries.quantile(0.99),
        )
        .beside(
            "empty echoes between them",
            Unit::Time,
            &asked.echoes.at(0.99),
        ),
    );
    section.row(Row::one(
        "… how many",
        Unit::Number("queries"),
        asked.queries.count() as f64,
    ));
    let (Some(third), Some(end)) = (seen.get(seen.len() / 3), seen.last()) else {
        section.note(Server::NOT_OURS);
        return;
    };
    section.row(
        Row::one(
            "server's resident memory in the end",
            Unit::Bytes,
            end.1.resident as f64,
        )
        .beside(
            "after a third of the time",
            Unit::Bytes,
            &Samples::one(third.1.resident as f64),
        )
        .ratio_at_most(1.2),
    );
    section.row(Row::one(
        "server's processor time, of one core",
        Unit::Share,
        Monitor::cores(seen),
    ));
    let every = seen.len().div_ceil(POINTS).max(1);
    let points = Monitor::resident(seen).into_iter().step_by(every);
    section.curve(
        Curve::new(
            "memory",
            "The server's resident memory",
            Axis::linear("seconds", Unit::Number("")),
            Axis::linear("resident memory", Unit::Bytes),
        )
        .line("server", points.collect()),
    );
}
