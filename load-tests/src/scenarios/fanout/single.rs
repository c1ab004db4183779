//! One subscriber of one service, while everything else changes.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use selectord::engine::Scope;
use selectord::model::{ObjectName, Pod, ReadyCondition};
use selectord::wire::proto;
use selectord_corpus::{Change, Churn, Selector};
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;

use crate::cluster::{self, changes, put_pod};
use crate::context::Context;
use crate::measure::{Pace, Samples};
use crate::report::{Row, Section, Unit};
use crate::rpc::{self, Batch};
use crate::subscribers::{Base, Crowd, CrowdOptions, Fold, named, subscribe};

use super::Cluster;

const NAME: &str = "load-tests-single";
/// Changes in one transaction.
const AT_ONCE: usize = 16;
/// Transactions that are encoded ahead of the server.
const AHEAD: usize = 256;
/// Flips of the service's own endpoint, a second.
const OWN: f64 = 1.0;
/// A silent stream is told something at least every five seconds; the server looks twice as often.
const HEARTBEAT_SECONDS: f64 = 2.5;

/// Long enough that heartbeats, if there were any, would be many; whatever other parts are given.
fn duration(context: &Context) -> Duration {
    let least = if context.args.quick { 15 } else { 60 };
    context.duration().max(Duration::from_secs(least))
}

/// What it is sent and how often it is woken, against what happened to its service: an endpoint of its
/// own is flipped at a known rate, and nothing else in its namespace changes, while all others do.
pub fn measure(
    context: &Context,
    section: &mut Section,
    cluster: &Cluster,
    churn: &mut Churn<'_>,
) -> anyhow::Result<()> {
    let (name, own) = chosen(context, cluster)?;
    cluster.calls.block_on(put(cluster, own.clone()))?;
    let first = cluster.state()?;
    let size = first.view.services().get(&name);
    let size = size.map_or(0, |service| service.endpoints.len());
    let (one, all) = (named(&name), Scope::all());
    let requests = [(&one, true), (&all, false)].map(|(scope, keep)| {
        let cursor = first.cursor(scope);
        (subscribe(scope, Some(&cursor), NAME), keep)
    });
    let options = CrowdOptions {
        per_connection: 1,
        timed: false,
    };
    let crowd = Crowd::start(&cluster.server.address, requests.into(), options)?;
    let start = Instant::now();
    let others = churn.filter(|change| namespace(change) != name.namespace.as_str());
    let storm = storm(cluster, others, own, start + duration(context))?;
    crowd.reach(storm.revision, super::run::PATIENCE)?;
    let seconds = start.elapsed().as_secs_f64();
    let wakes = cluster.calls.block_on(wakes(cluster, &one))?;
    let last = cluster.state()?;
    let [single, whole] = crowd.streams() else {
        bail!("there are two subscribers");
    };
    let base = Base::new(&first.view, &last.view);
    let mut fold = Fold::new(&base, one, true);
    let kept = single.kept();
    for body in &kept {
        fold.message(body)?;
    }
    fold.compare()?;
    fold.told_only(std::slice::from_ref(&name))?;
    let eventful = single.eventful() as f64;
    let bare = single.messages() as f64 - eventful;
    let flips = storm.flips as f64;
    section.row(
        Row::one(
            format!(
                "one service among {} for {seconds:.0} s, {} operations/s elsewhere: messages with differences",
                first.view.services().len(),
                Unit::Number("").show(storm.operations as f64 / seconds)
            ),
            Unit::Number("messages"),
            eventful,
        )
        .beside(
            format!("flips of its endpoint, {OWN} a second"),
            Unit::Number("messages"),
            &Samples::one(flips),
        )
        .ratio_at_most(1.1),
    );
    section.row(
        Row::one("… bare checkpoints", Unit::Number("messages"), bare)
            .at_most(1.0 + seconds / HEARTBEAT_SECONDS),
    );
    section.row(
        Row::one("… wakes of its stream", Unit::Number("wakes"), wakes as f64)
            .beside(
                "flips of its endpoint, and bare checkpoints",
                Unit::Number("wakes"),
                &Samples::one(flips + bare),
            )
            .ratio_at_most(1.1),
    );
    section.row(Row::one(
        "… messages to a subscriber of every service meanwhile",
        Unit::Number("messages"),
        whole.messages() as f64,
    ));
    section.note(format!(
        "the one service is {name}, of {size} endpoints; {} differences came, all of them about it, and \
         fold to what the server has",
        fold.events
    ));
    Ok(())
}

/// An ordinary service, with as many endpoints as most have; and a pod that it selects, which no other
/// change is about.
fn chosen(context: &Context, cluster: &Cluster) -> anyhow::Result<(ObjectName, Pod)> {
    let state = cluster.state()?;
    let services = state.view.services().iter();
    let mut by_size: Vec<_> = services.map(|(n, s)| (s.endpoints.len(), n)).collect();
    by_size.sort_unstable();
    let middle = by_size.get(by_size.len() / 2..).unwrap_or_default();
    let own = |(_, name): &(usize, &ObjectName)| {
        let mut services = context.corpus.services();
        let here = |space: &str| space == name.namespace.as_str();
        let service = services.find(|s| here(&s.namespace) && s.name == name.name.as_str())?;
        let Selector::Pairs(pairs) = service.selector else {
            return None;
        };
        let like = context.corpus.pods().find(|pod| here(&pod.namespace))?;
        let own = Pod {
            name: ObjectName::new(name.namespace.as_str(), NAME),
            uid: NAME.into(),
            labels: cluster::labels(pairs),
            ..cluster::pod(like)
        };
        Some(((*name).clone(), own))
    };
    let found = middle.iter().find_map(own);
    found.context("the corpus has no services that select by pairs")
}

fn namespace(change: &Change) -> &str {
    match change {
        Change::Readiness(pod) | Change::Relabel(pod) => &pod.namespace,
        Change::Replace { namespace, .. } => namespace,
    }
}

/// What was sent meanwhile.
struct Storm {
    operations: u64,
    flips: u64,
    revision: u64,
}

/// Until then: changes as fast as the server takes them, and flips of one pod at their own rate.
fn storm(
    cluster: &Cluster,
    others: impl Iterator<Item = Change> + Send,
    mut own: Pod,
    end: Instant,
) -> anyhow::Result<Storm> {
    std::thread::scope(|scope| {
        let (messages, outgoing) = channel(AHEAD);
        let encoding = scope.spawn(move || encode(others, &messages, end));
        let to = cluster.channel.clone();
        let sending = cluster.calls.spawn(async move {
            let mut last = 0;
            let acknowledged = |revision| last = revision;
            rpc::send(&to, ReceiverStream::new(outgoing), acknowledged).await?;
            anyhow::Ok(last)
        });
        let mut pace = Pace::new(OWN);
        let (mut flips, mut revision) = (0, 0);
        while pace.next() < end {
            own.ready = match own.ready {
                ReadyCondition::True => ReadyCondition::False,
                _ => ReadyCondition::True,
            };
            revision = cluster.calls.block_on(put(cluster, own.clone()))?;
            flips += 1;
        }
        let operations = encoding.join();
        let operations = operations.map_err(|_| anyhow!("the encoder panicked"))?;
        Ok(Storm {
            operations,
            flips,
            revision: revision.max(cluster.calls.block_on(sending)??),
        })
    })
}

/// Encodes transactions until then, some ahead of who sends them; answers how many operations.
fn encode(others: impl Iterator<Item = Change>, messages: &Sender<Bytes>, end: Instant) -> u64 {
    let (mut others, mut batch) = (others, Batch::default());
    while Instant::now() < end {
        batch.push(others.by_ref().take(AT_ONCE).flat_map(changes));
        for message in batch.take_messages() {
            if messages.blocking_send(message).is_err() {
                return batch.operations();
            }
        }
    }
    batch.operations()
}

async fn put(cluster: &Cluster, pod: Pod) -> anyhow::Result<u64> {
    let mut batch = Batch::default();
    batch.push([put_pod(pod)]);
    Ok(rpc::ingest(&cluster.channel, batch).await?.revision)
}

/// How often the server has turned to a stream.
async fn wakes(cluster: &Cluster, scope: &Scope) -> anyhow::Result<u64> {
    let mut admin = proto::admin_client::AdminClient::new(cluster.channel.clone());
    let mut after_id = 0;
    loop {
        let request = proto::ListSubscribersRequest { after_id };
        let answer = admin.list_subscribers(request).await?.into_inner();
        let scope = scope.to_string();
        let ours =
            |s: &&proto::list_subscribers_response::Subscriber| s.name == NAME && s.scope == scope;
        if let Some(subscriber) = answer.subscribers.iter().find(ours) {
            return Ok(subscriber.wakes);
        }
        if answer.next_after_id <= after_id {
            bail!("the server does not list the subscriber");
        }
        after_id = answer.next_after_id;
    }
}
