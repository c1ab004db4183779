use std::borrow::Cow;

use crate::layout::{Kind, Layout, Workload};
use crate::rng::Rng;
use crate::spec::{Spec, Variant};

/// The labels of a pod, in no particular order; the last two say which workload it belongs to.
pub type Labels = Vec<(&'static str, Cow<'static, str>)>;

/// The key that most services select by.
pub const APP: &str = "app";

const TIERS: [&str; 5] = ["frontend", "backend", "cache", "queue", "storage"];
const ENVS: [&str; 4] = ["prod", "staging", "test", "dev"];
const RUNS: [&str; 16] = [
    "rng", "hasher", "worker", "webui", "redis", "api", "auth", "billing", "cart", "catalog",
    "gateway", "mailer", "metrics", "search", "session", "uploader",
];
const VERSIONS: u64 = 500;
const TEAMS: u64 = 300;
const TEMPLATE_GENERATIONS: u64 = 30;
/// Zones of the nodes.
pub(crate) const ZONES: u64 = 12;
/// Pods for one value of `app`, and for one of `part-of`.
const PODS_A_VALUE: u32 = 50;

/// A value that looks like a hash: ten characters, one for each number in practice.
fn hash(rng: &mut Rng) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    (0..10).map(|_| char::from(*rng.pick(ALPHABET))).collect()
}

/// A value of `app`, the low ones far more often.
pub(crate) fn app(spec: Spec, rng: &mut Rng) -> String {
    let values = (spec.pods / PODS_A_VALUE).max(1);
    let value = (f64::from(values) * rng.unit().powi(3)) as u32;
    format!("app-{value:05}")
}

pub(crate) fn zone_name(zone: u64) -> String {
    format!("zone-{zone:02}")
}

/// Who a pod is, as far as its labels depend on it.
pub(crate) struct Identity<'p> {
    pub(crate) number: u32,
    pub(crate) name: &'p str,
    pub(crate) zone: String,
    /// How often it was relabelled: each time it moves to another `app`.
    pub(crate) relabels: u32,
}

/// The name of a workload, from which its pods take theirs, and the hash that tells its template.
pub(crate) fn workload_name(spec: Spec, number: u32, kind: Kind) -> (String, String) {
    let mut rng = Rng::of(spec.seed, 2, u64::from(number));
    let word = match kind {
        Kind::Deployment => "deploy",
        Kind::StatefulSet => "set",
        Kind::Job => "job",
        Kind::DaemonSet => "daemon",
    };
    (format!("{word}-{number}"), hash(&mut rng))
}

pub(crate) fn labels(
    spec: Spec,
    layout: &Layout,
    at: (u32, Workload),
    pod: Identity<'_>,
) -> Labels {
    let (number, workload) = at;
    let (workload_name, template) = workload_name(spec, number, workload.kind);
    let mut own = Rng::of(spec.seed, 3, u64::from(pod.number));
    let mut rng = Rng::of(spec.seed, 4, u64::from(number));
    let mut app_value = app(spec, &mut rng);
    if pod.relabels > 0 {
        let move_number = u64::from(pod.number) << 32 | u64::from(pod.relabels);
        app_value = app(spec, &mut Rng::of(spec.seed, 5, move_number));
    }
    let active = if own.one_in(8) { "no" } else { "yes" };
    let mut labels: Labels = vec![
        (APP, app_value.into()),
        ("tier", (*rng.pick(&TIERS)).into()),
        ("env", (*rng.pick(&ENVS)).into()),
        ("run", (*rng.pick(&RUNS)).into()),
        ("version", rng.below(VERSIONS).to_string().into()),
        ("team", format!("team-{:03}", rng.below(TEAMS)).into()),
        ("zone", pod.zone.into()),
        ("active", active.into()),
    ];
    if spec.variant == Variant::Unique {
        labels.push(("serial", format!("s{}", pod.number).into()));
    }
    match workload.kind {
        Kind::Deployment => {
            let values = u64::from((layout.pods / PODS_A_VALUE).max(1));
            labels.push(("part-of", format!("suite-{:05}", rng.below(values)).into()));
            labels.push(("pod-template-hash", template.into()));
        }
        Kind::StatefulSet => {
            labels.push(("controller-revision-hash", template.into()));
            labels.push(("pod-name", pod.name.to_owned().into()));
        }
        Kind::DaemonSet => {
            let generation = rng.below(TEMPLATE_GENERATIONS);
            labels.push(("pod-template-generation", generation.to_string().into()));
            labels.push(("controller-revision-hash", template.into()));
        }
        Kind::Job => {
            labels.push(("job-name", workload_name.into()));
            labels.push(("controller-uid", template.into()));
        }
    }
    labels
}
