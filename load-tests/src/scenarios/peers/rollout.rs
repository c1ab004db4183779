use selectord::model::{Change, Pod, ReadyCondition};

use crate::cluster::{delete_pod, pod, put_pod};
use crate::context::Context;
use crate::measure::Samples;
use crate::report::{Axis, Curve, Row, Section, Unit};

use super::answers::same;
use super::files::Giant;
use super::go::Peers;
use super::stream::Subscriber;

/// Nodes that are sent everything; the one thing that is multiplied and not run.
const NODES: u32 = 5_000;
/// The totals are looked at whenever so much of the rollout is done. As in `peers/rollout`.
const PARTS: usize = 10;

/// Endpoints of the service, and how many are replaced at a time.
const CASES: [(usize, usize); 3] = [(20_000, 100), (20_000, 1_000), (1_000, 1)];
const QUICK: [(usize, usize); 2] = [(2_000, 100), (200, 1)];

/// What a node had been sent when so many pods were replaced.
#[derive(Default)]
struct Sent {
    endpoints: Vec<(f64, f64)>,
    slices: Vec<(f64, f64)>,
    ours: Vec<(f64, f64)>,
}

/// Bytes that a rolling update of one service sends: as EndpointSlices, as Endpoints, and as
/// selectord's stream.
pub fn measure(context: &Context, section: &mut Section, peers: &Peers) -> anyhow::Result<()> {
    let cases: &[(usize, usize)] = if context.args.quick { &QUICK } else { &CASES };
    let progress = context.progress("rolling updates", cases.len() as u64);
    let corpus = Giant::corpus(context.args.seed, 0, NODES);
    for (number, (size, step)) in cases.iter().copied().enumerate() {
        let giant = Giant::new(&corpus, 2 * size)?;
        let sent = one(section, peers, &giant, step)?;
        if number == 0 {
            section.curve(
                Curve::new(
                    "rollout",
                    format!("Sent to {NODES} nodes while {size} endpoints are replaced, {step} at a time"),
                    Axis::linear("pods replaced", Unit::Number("")),
                    Axis::log("bytes so far", Unit::Bytes),
                )
                .line("Endpoints, uncut", sent.endpoints)
                .line("EndpointSlices", sent.slices)
                .line("selectord", sent.ours),
            );
        }
        progress.inc(1);
    }
    section.note(format!(
        "a rolling update: so many new pods at a time have an address, are ready, then as many old ones begin to \
         terminate, and are gone; the slices are brought up to date, and a transaction applied, after each of these \
         four. Sizes are of what one watcher is sent, times {NODES} nodes"
    ));
    section.note(
        "slices and Endpoints: Kubernetes' protobuf with envelope, watch event and frame, without managedFields, which \
         a real API server sends besides; selectord: encoded WatchEndpointsResponse with gRPC's 5 bytes a message, \
         decoded and folded again, and compared with the slices at each tenth. HTTP/2 and TLS are left out of all. \
         Kubernetes 1.22 and later cut Endpoints off at 1,000 addresses; here they are whole",
    );
    section.note(
        "pods replaced one by one cost Kubernetes' reconciler as many syncs of the whole service as 4 × pods, hours at \
         20,000 endpoints, so that case is run at fewer: each sync writes one slice of at most 100, whatever the service",
    );
    progress.finish_and_clear();
    Ok(())
}

fn one(section: &mut Section, peers: &Peers, giant: &Giant, step: usize) -> anyhow::Result<Sent> {
    let cluster = peers.path("rollout-cluster");
    giant.write(&cluster)?;
    let arguments = [cluster.into_os_string(), step.to_string().into()];
    // Nothing is timed, so it may be as quick as it can.
    let variables = [("GOMAXPROCS", "2"), ("GOGC", "300")];
    let kubernetes = peers.run_with("rollout", &arguments, &variables)?;
    let answers = kubernetes.by_item();

    let size = giant.pods.len() / 2;
    let (before, after) = giant.pods.split_at(size);
    let now = |pods: &[selectord_corpus::Pod], state: fn(&mut Pod)| -> Vec<Change> {
        let put = |one: &selectord_corpus::Pod| {
            let mut pod = pod(one.clone());
            state(&mut pod);
            put_pod(pod)
        };
        pods.iter().map(put).collect()
    };
    let mut subscriber = Subscriber::new(giant.loaded(size))?;
    let mut sent = Sent::default();
    let nodes = f64::from(NODES);
    let mut done = 0;
    for (new, old) in after.chunks(step).zip(before.chunks(step)) {
        subscriber.apply(now(new, |pod| pod.ready = ReadyCondition::False))?;
        subscriber.apply(now(new, |pod| pod.ready = ReadyCondition::True))?;
        subscriber.apply(now(old, |pod| {
            pod.ready = ReadyCondition::True;
            pod.deletion_timestamp = Some("2026-01-01T00:00:00Z".into());
        }))?;
        let gone = old.iter().map(|pod| delete_pod(&pod.namespace, &pod.name));
        subscriber.apply(gone)?;
        let to = done + old.len();
        if to * PARTS / size > done * PARTS / size {
            let item = format!("endpoints after {to}");
            let slices = answers.get(item.as_str()).copied().unwrap_or_default();
            same(&item, "Kubernetes", slices, &subscriber.endpoints()?)?;
            let x = to as f64;
            let total = |name: &str| -> anyhow::Result<(f64, f64)> {
                Ok((
                    x,
                    kubernetes.figure(&format!("{name} after {to}"))?.median() * nodes,
                ))
            };
            sent.endpoints.push(total("endpoints")?);
            sent.slices.push(total("slices")?);
            sent.ours.push((x, subscriber.bytes as f64 * nodes));
        }
        done = to;
    }
    let last =
        |points: &[(f64, f64)]| Samples::one(points.last().map_or(f64::NAN, |point| point.1));
    let slices = format!(
        "EndpointSlices of 100, {} writes",
        kubernetes.figure("slice writes")?.median()
    );
    let endpoints = format!(
        "Endpoints uncut, {} writes",
        kubernetes.figure("endpoints writes")?.median()
    );
    for (name, theirs) in [(slices, &sent.slices), (endpoints, &sent.endpoints)] {
        let what = format!("to {NODES} nodes: {size} endpoints replaced, {step} at a time");
        let row = Row::new(what, Unit::Bytes, &last(&sent.ours));
        section.row(row.beside(name, Unit::Bytes, &last(theirs)));
    }
    section.note(format!(
        "{size} endpoints, {step} at a time: {} messages of selectord's",
        subscriber.messages
    ));
    Ok(sent)
}
