//! What a subscriber costs the server.

use std::time::Duration;

use anyhow::bail;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use selectord_corpus::ChangeKind;

use crate::cluster::changes;
use crate::context::Context;
use crate::report::{Axis, Curve, Row, Section, Unit};
use crate::rpc::{self, Batch};
use crate::subscribers::{Crowd, CrowdOptions};

use super::population::Population;
use super::run::{FLAGS, PATIENCE};
use super::{Cluster, State};

const SUBSCRIBERS: usize = 10_000;
const QUICK: usize = 2_000;
/// Shares of them that the curve stops at.
const STEPS: [usize; 5] = [10, 4, 2, 1, 1];
const CONNECTIONS: usize = 16;
/// Files that are open for other things.
const OTHER_FILES: u64 = 200;
/// Bytes that each stalled stream is to be behind at least.
const BEHIND: u64 = 1 << 20;
/// Bytes of a checkpoint that brings nothing, at most.
const SIGN_OF_LIFE: u64 = 100;
/// Bytes of changes that are told before any subscriber is weighed: more than the ring holds.
const RING: u64 = 24 << 20;
/// Changes in one transaction.
const TOGETHER: usize = 16;
/// Changes between two looks at how far they are behind.
const AT_ONCE: usize = 4_000;

/// Few connections, then one each; idle, then stalled.
pub fn measure(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    if context.args.server.is_some() {
        section.note(crate::server::Server::NOT_OURS);
        return Ok(());
    }
    let wanted = if context.args.quick {
        QUICK
    } else {
        SUBSCRIBERS
    };
    let mut idle = curve("memory-idle", "Resident memory by subscribers: idle");
    let mut stalled = Vec::new();
    for (words, each) in [("16 connections", false), ("a connection each", true)] {
        let count = if each {
            affordable(section, wanted)
        } else {
            wanted
        };
        let per_connection = if each {
            1
        } else {
            wanted.div_ceil(CONNECTIONS)
        };
        let cluster = Cluster::start(context, FLAGS)?;
        let mut churn = context
            .corpus
            .churn(context.args.seed)
            .only(ChangeKind::Readiness);
        let mut write = || -> anyhow::Result<u64> {
            let mut batch = Batch::default();
            for _ in 0..AT_ONCE / TOGETHER {
                batch.push(churn.by_ref().take(TOGETHER).flat_map(changes));
            }
            let sent = cluster
                .calls
                .block_on(rpc::ingest(&cluster.channel, batch))?;
            Ok(sent.revision)
        };
        // One subscriber, so that what all share is there before any is weighed.
        let one = Population::of_nodes(context, 1);
        let shared = Crowd::start(
            &cluster.server.address,
            one.requests(&cluster.state()?, false),
            options(1),
        )?;
        while shared.total().1 < RING {
            shared.reach(write()?, PATIENCE)?;
        }
        let Some(none) = cluster.resident() else {
            return Ok(());
        };
        let now = State {
            view: Default::default(),
            cursor: cluster.state()?.cursor,
        };
        let population = Population::of_nodes(context, count);
        let mut requests = population.requests(&now, false);
        let mut crowds: Vec<Crowd> = Vec::new();
        let mut points = vec![(0.0, none)];
        let mut subscribed = 0;
        let mut resident = none;
        for step in STEPS {
            let next: Vec<_> = requests
                .drain(..(count / step - subscribed).min(requests.len()))
                .collect();
            if next.is_empty() {
                break;
            }
            subscribed += next.len();
            crowds.push(Crowd::start(
                &cluster.server.address,
                next,
                options(per_connection),
            )?);
            resident = cluster.resident().unwrap_or(f64::NAN);
            points.push((subscribed as f64, resident));
        }
        let what = format!("a subscriber, {count} over {words}");
        let each_of = |resident: f64| (resident - none) / subscribed as f64;
        section.row(
            Row::one(
                format!("memory of {what}: idle"),
                Unit::Bytes,
                each_of(resident),
            )
            .at_most(48.0 * 1_024.0),
        );
        idle = idle.line(words, points);
        let after = stall(&cluster, &crowds, &shared, &mut write)?;
        section.row(
            Row::one(
                format!("memory of {what}: stalled"),
                Unit::Bytes,
                each_of(after),
            )
            .at_most(128.0 * 1_024.0),
        );
        stalled.push((words, vec![(0.0, none), (subscribed as f64, after)]));
    }
    for (words, points) in stalled {
        idle = idle.line(format!("stalled, {words}"), points);
    }
    section.curve(idle);
    section.note(
        "a subscriber, here of a node's scope: its memory is (resident with all − with one) / all, after the ring of recent changes, \
         which they share, was filled; stalled: nothing more of a stream is read after 64 KiB, while \
         readiness changes until each is 1 MiB behind",
    );
    Ok(())
}

fn options(per_connection: usize) -> CrowdOptions {
    CrowdOptions {
        per_connection,
        timed: false,
    }
}

fn curve(name: &str, title: &str) -> Curve {
    Curve::new(
        name,
        title,
        Axis::linear("subscribers", Unit::Number("")),
        Axis::linear("resident memory", Unit::Bytes),
    )
}

/// Lets changes go on, while nobody but one reads, and answers the server's memory then.
fn stall(
    cluster: &Cluster,
    crowds: &[Crowd],
    reader: &Crowd,
    write: &mut impl FnMut() -> anyhow::Result<u64>,
) -> anyhow::Result<f64> {
    crowds.iter().for_each(|crowd| crowd.stall(true));
    let streams: usize = crowds.iter().map(|crowd| crowd.streams().len()).sum();
    let streams = streams as u64;
    let before = reader.total().1;
    let mut revision = 0;
    while reader.total().1 - before < BEHIND {
        revision = write()?;
        reader.reach(revision, PATIENCE)?;
        // Until what fits into the windows has been taken.
        let taken = || crowds.iter().map(|crowd| crowd.total().1).sum::<u64>();
        let mut last = taken();
        loop {
            std::thread::sleep(Duration::from_millis(200));
            let now = taken();
            // Signs of life go on.
            if now - last < streams * SIGN_OF_LIFE {
                break;
            }
            last = now;
        }
    }
    let behind: usize = crowds.iter().map(|crowd| crowd.behind(revision)).sum();
    if (behind as u64) < streams {
        bail!("{behind} of {streams} subscribers stalled, and the others did not");
    }
    Ok(cluster.resident().unwrap_or(f64::NAN))
}

/// How many connections this process and the server may open.
fn affordable(section: &mut Section, wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let maximum = limit.maximum.unwrap_or(u64::MAX);
    // What is started from here inherits it.
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let _ = setrlimit(Resource::Nofile, raised);
    let room = usize::try_from(maximum.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    if room < wanted {
        section.note(format!(
            "this system allows {maximum} open files, so {room} connections instead of {wanted}"
        ));
    }
    wanted.min(room).max(1)
}
