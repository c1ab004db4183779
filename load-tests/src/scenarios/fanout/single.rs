//! One subscriber of one service, while everything else changes.

use std::time::Instant;

use anyhow::{Context as _, bail};
use selectord::engine::Scope;
use selectord::wire::proto;

use crate::cluster::changes;
use crate::context::Context;
use crate::measure::Samples;
use crate::report::{Row, Section, Unit};
use crate::rpc::{self, Batch};
use crate::subscribers::{Base, Crowd, CrowdOptions, Fold, named, subscribe};

use super::Cluster;

const NAME: &str = "load-tests-single";
/// Changes that are sent as fast as they are taken, for each second that this is to last.
const A_SECOND: f64 = 20_000.0;
/// Changes in one transaction.
const AT_ONCE: usize = 16;
/// A silent stream is told something at least every five seconds; the server looks twice as often.
const HEARTBEAT_SECONDS: f64 = 2.5;

/// What it is sent and how often it is woken, against what happened to its service.
pub fn measure(
    context: &Context,
    section: &mut Section,
    cluster: &Cluster,
    churn: &mut selectord_corpus::Churn<'_>,
) -> anyhow::Result<()> {
    let first = cluster.state()?;
    // An ordinary one: as many endpoints as most have.
    let mut by_size: Vec<_> = first
        .view
        .services()
        .iter()
        .map(|(name, service)| (service.endpoints.len(), name))
        .collect();
    by_size.sort_unstable();
    let (size, name) = *by_size
        .get(by_size.len() / 2)
        .context("the corpus has no services")?;
    let (one, all) = (named(name), Scope::all());
    let requests = [(&one, true), (&all, false)].map(|(scope, keep)| {
        let cursor = first.cursor(scope);
        (subscribe(scope, Some(&cursor), NAME), keep)
    });
    let options = CrowdOptions {
        per_connection: 1,
        timed: false,
    };
    let crowd = Crowd::start(&cluster.server.address, requests.into(), options)?;
    let count = (A_SECOND * context.duration().as_secs_f64()) as usize;
    let mut batch = Batch::default();
    for _ in 0..count / AT_ONCE {
        batch.push(churn.by_ref().take(AT_ONCE).flat_map(changes));
    }
    let start = Instant::now();
    let sent = cluster
        .calls
        .block_on(rpc::ingest(&cluster.channel, batch))?;
    crowd.reach(sent.revision, super::run::PATIENCE)?;
    let elapsed = start.elapsed().as_secs_f64();
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
    fold.told_only(std::slice::from_ref(name))?;
    let eventful = single.eventful() as f64;
    let bare = single.messages() as f64 - eventful;
    let rate = sent.operations as f64 / sent.elapsed.as_secs_f64();
    section.row(
        Row::one(
            format!(
                "one service among {}, {} operations/s elsewhere: messages of its own",
                first.view.services().len(),
                Unit::Number("").show(rate)
            ),
            Unit::Number("messages"),
            eventful,
        )
        .beside(
            "to a subscriber of every service",
            Unit::Number("messages"),
            &Samples::one(whole.messages() as f64),
        ),
    );
    section.row(
        Row::one("… bare checkpoints", Unit::Number("messages"), bare)
            .at_most(2.0 + elapsed / HEARTBEAT_SECONDS),
    );
    section.row(
        Row::one("… wakes of its stream", Unit::Number("wakes"), wakes as f64)
            .beside(
                "messages of its own, and heartbeats",
                Unit::Number("wakes"),
                &Samples::one(eventful + bare),
            )
            .ratio_at_most(1.1),
    );
    section.note(format!(
        "the one service is {name}, of {size} endpoints; {} differences came, all of them about it, and \
         fold to what the server has",
        fold.events
    ));
    Ok(())
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
