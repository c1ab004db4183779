use std::time::Instant;

use selectord::engine::Engine;
use selectord_corpus::{Change, Pod};

use crate::cluster::{apply, changes, loaded, service, transaction};
use crate::context::Context;
use crate::measure::Samples;
use crate::report::{Axis, Curve, Row, Section, Unit};

use super::answers::{endpoints, same};
use super::files::{Giant, write_changes};
use super::go::Peers;

/// Endpoints of the service, and how many flips Kubernetes is given.
const CASES: [(u32, usize); 3] = [(100, 2_200), (1_000, 440), (10_000, 33)];
/// Flips timed at once here.
const TIMED: usize = 2_000;

/// Readiness flips of the pods of one service, each followed by what it takes to tell of it. The peers know
/// that service alone; here it is one of the whole cluster's.
pub fn measure(context: &Context, section: &mut Section, peers: &Peers) -> anyhow::Result<()> {
    let progress = context.progress("readiness flips", CASES.len() as u64);
    let (mut theirs, mut whole, mut here) = (Vec::new(), Vec::new(), Vec::new());
    for (size, count) in CASES {
        let corpus = Giant::corpus(context.args.seed, size, 0);
        let giant = Giant::new(&corpus, size as usize)?;
        let count = if context.args.quick {
            count / 10
        } else {
            count
        };
        let mut flips = Flips::new(giant.pods.clone());
        let [cluster, flipped] = ["flip-cluster", "flips"].map(|name| peers.path(name));
        let first: Vec<Change> = flips.by_ref().take(count).collect();
        giant.write(&cluster)?;
        write_changes(&flipped, &first)?;
        let kubernetes = peers.run(
            "slices",
            &[cluster.as_os_str(), flipped.as_os_str(), "each".as_ref()],
        )?;
        let mut engine = loaded(&context.corpus);
        giant.load(&mut engine, giant.pods.len());
        for flip in first {
            apply(&mut engine, transaction(changes(flip)));
        }
        let name = service(giant.service.clone()).name;
        let ours = endpoints(&engine, &name)?;
        let answers = kubernetes.by_item();
        let slices = answers
            .get(name.to_string().as_str())
            .copied()
            .unwrap_or_default();
        same(&name.to_string(), "Kubernetes", slices, &ours)?;
        let runs = 0..context.runs(11);
        let ours: Samples = runs.map(|_| timed(&mut engine, &mut flips)).collect();
        let (reconciler, sync) = (
            kubernetes.figure("reconciler alone")?,
            kubernetes.figure("sync")?,
        );
        for (beside, figure) in [
            (
                "Kubernetes' EndpointSlice reconciler alone, with no other service or pod",
                reconciler,
            ),
            (
                "Kubernetes' controller: find the service, list its pods, reconcile; with no other service or pod",
                sync,
            ),
        ] {
            let what = format!(
                "readiness flip to difference, a service of {size} endpoints, which here is one of {} \
                 services, {} pods",
                context.corpus.service_count() + 1,
                context.pods() + size
            );
            section.row(Row::new(what, Unit::Time, &ours).beside(beside, Unit::Time, figure));
        }
        let point = |samples: &Samples| (f64::from(size), samples.median());
        theirs.push(point(reconciler));
        whole.push(point(sync));
        here.push(point(&ours));
        progress.inc(1);
    }
    section.curve(
        Curve::new(
            "flip",
            "A readiness flip, by the endpoints of the service",
            Axis::log("endpoints", Unit::Number("")),
            Axis::log("time of a flip", Unit::Time),
        )
        .line("Kubernetes' controller", whole)
        .line("its reconciler alone", theirs)
        .line("selectord", here),
    );
    section.note("Kubernetes' controller has a fake client in place of the API server, which costs it next to nothing; it was given the one service and its pods, selectord the whole cluster besides");
    progress.finish_and_clear();
    Ok(())
}

fn timed(engine: &mut Engine, flips: &mut Flips) -> f64 {
    let prepared: Vec<_> = flips
        .take(TIMED)
        .map(|flip| transaction(changes(flip)))
        .collect();
    let start = Instant::now();
    for transaction in prepared {
        apply(engine, transaction);
    }
    start.elapsed().as_nanos() as f64 / TIMED as f64
}

/// An endless stream of flips, all over the pods.
struct Flips {
    pods: Vec<Pod>,
    at: usize,
}

impl Flips {
    fn new(pods: Vec<Pod>) -> Flips {
        Flips { pods, at: 0 }
    }
}

impl Iterator for Flips {
    type Item = Change;

    fn next(&mut self) -> Option<Change> {
        // A prime that divides no number of pods here, so that each has its turn.
        const STRIDE: usize = 7_919;
        self.at = (self.at + STRIDE) % self.pods.len().max(1);
        let pod = self.pods.get_mut(self.at)?;
        pod.ready = !pod.ready;
        Some(Change::Readiness(pod.clone()))
    }
}
