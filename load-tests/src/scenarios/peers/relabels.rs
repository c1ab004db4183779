use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use selectord::engine::{Engine, Recent};
use selectord::model::{ObjectName, Revision};
use selectord_corpus::{Change, ChangeKind, Corpus, Selector, Spec, Variant};

use crate::cluster::{apply, changes, loaded, pod, transaction};
use crate::context::Context;
use crate::measure::Samples;
use crate::report::{Row, Section, Unit};

use super::answers::{all_same, same};
use super::files::{write_changes, write_corpus};
use super::go::{Output, Peers};
use super::run::memory_row;

/// Runs that many changes are told as.
const RUNS: usize = 11;
/// Pods of the namespace that has a tenth as many services.
const HUGE: u32 = 20_000;

/// Changes of the pods of one namespace, and of the whole cluster.
struct Case {
    about: String,
    corpus: Corpus,
    relabels: Vec<Change>,
    replacements: Vec<Change>,
}

/// What became of them here.
struct Ours {
    engine: Engine,
    /// Of each change, the services that it concerned.
    touched: Vec<Vec<String>>,
    /// Nanoseconds to find the services of a relabelled pod, before and after.
    finding: Samples,
    /// Nanoseconds of a relabelling, index, endpoints and log included.
    relabel: Samples,
    /// Nanoseconds of a pod that is deleted and another created.
    replace: Samples,
}

/// Relabelled pods in a namespace of 20 services, and in one of 2,000. Calico's index is asked too if it
/// could be built: then `memory` has what a pod takes here.
pub fn measure(
    context: &Context,
    section: &mut Section,
    peers: &Peers,
    memory: Option<f64>,
) -> anyhow::Result<()> {
    let progress = context.progress("relabels", 2);
    for case in [small(context)?, huge(context)] {
        compare(context, section, peers, memory, &case)?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(())
}

fn thorough(context: &Context, count: usize) -> usize {
    if context.args.quick {
        count / 10
    } else {
        count
    }
}

/// The namespace of the cluster whose services are closest to 20.
fn small(context: &Context) -> anyhow::Result<Case> {
    let mut services: BTreeMap<_, u32> = BTreeMap::new();
    for service in context.corpus.services() {
        *services.entry(service.namespace).or_default() += 1;
    }
    let closest = services
        .into_iter()
        .min_by_key(|(_, count)| count.abs_diff(20));
    let (namespace, count) = closest.context("a corpus without services")?;
    let mut churn = context
        .corpus
        .churn(context.args.seed)
        .only(ChangeKind::Relabel);
    let here =
        |change: &Change| matches!(change, Change::Relabel(pod) if pod.namespace == namespace);
    Ok(Case {
        about: format!(
            "a namespace of {count} services, {} pods in all",
            context.pods()
        ),
        corpus: context.corpus.clone(),
        relabels: churn
            .by_ref()
            .filter(here)
            .take(thorough(context, 2_200))
            .collect(),
        replacements: churn
            .only(ChangeKind::Replace)
            .take(thorough(context, 1_100))
            .collect(),
    })
}

fn huge(context: &Context) -> Case {
    let spec = Spec::new(HUGE)
        .seed(context.args.seed)
        .variant(Variant::HugeNamespace);
    let corpus = Corpus::new(spec);
    let relabels = corpus.churn(context.args.seed).only(ChangeKind::Relabel);
    Case {
        about: format!(
            "one namespace of {} services and {HUGE} pods",
            corpus.service_count()
        ),
        relabels: relabels.take(thorough(context, 550)).collect(),
        replacements: Vec::new(),
        corpus,
    }
}

fn compare(
    context: &Context,
    section: &mut Section,
    peers: &Peers,
    memory: Option<f64>,
    case: &Case,
) -> anyhow::Result<()> {
    let files =
        ["relabel-cluster", "none", "relabels", "replacements"].map(|name| peers.path(name));
    let [cluster, none, relabels, all] = &files;
    write_corpus(cluster, &case.corpus)?;
    write_changes(none, [])?;
    write_changes(relabels, &case.relabels)?;
    write_changes(all, case.relabels.iter().chain(&case.replacements))?;
    let kubernetes = peers.run("lister", &[cluster, none, relabels])?;
    let ours = ours(case);
    kubernetes_agrees(case, &kubernetes, &ours)?;
    let calico = memory.map(|_| peers.run("labelindex", &[cluster, all]));
    let calico = calico.transpose()?;
    if let Some(calico) = &calico {
        calico_agrees(case, calico, &ours)?;
    }
    let about = &case.about;
    let lister = "Kubernetes' controller: finding the services alone";
    let kubernetes = kubernetes.figure("relabel")?;
    section.row(
        Row::new(
            format!("services of a relabelled pod, {about}"),
            Unit::Time,
            &ours.finding,
        )
        .beside(lister, Unit::Time, kubernetes),
    );
    let relabel = || {
        Row::new(
            format!("relabel to difference, {about}"),
            Unit::Time,
            &ours.relabel,
        )
    };
    section.row(relabel().beside(lister, Unit::Time, kubernetes));
    let (Some(calico), Some(memory)) = (calico, memory) else {
        return Ok(());
    };
    let index = "Calico's index, IP sets";
    section.row(relabel().beside(index, Unit::Time, calico.figure("MODIFIED")?));
    if !case.replacements.is_empty() {
        let row = Row::new(
            format!("delete and create, {} pods", context.pods()),
            Unit::Time,
            &ours.replace,
        );
        section.row(row.beside(index, Unit::Time, calico.figure("REPLACED")?));
        let heap = calico
            .figure("heap")?
            .map(|bytes| bytes / f64::from(context.pods()));
        let beside = "Calico's index: labels and addresses, without services";
        section.row(memory_row(context, memory).beside(beside, Unit::Bytes, &heap));
        section.note(format!("Calico: {}", calico.version));
    }
    Ok(())
}

fn ours(case: &Case) -> Ours {
    let mut engine = loaded(&case.corpus);
    let mut touched = Vec::new();
    let mut spent: HashMap<bool, Vec<Duration>> = HashMap::new();
    for change in case.relabels.iter().chain(&case.replacements) {
        let prepared = transaction(changes(change.clone()));
        let revision = engine.head() + 1;
        let start = Instant::now();
        let applied = engine.apply(revision, prepared);
        let elapsed = start.elapsed();
        let relabelled = matches!(change, Change::Relabel(_));
        spent.entry(relabelled).or_default().push(elapsed);
        applied.expect("a fresh revision");
        touched.push(sorted(told(&engine, revision)));
    }
    let of = |relabelled| means(spent.get(&relabelled).map_or(&[][..], Vec::as_slice));
    Ours {
        touched,
        finding: means(&finding(case)),
        relabel: of(true),
        replace: of(false),
        engine,
    }
}

/// Finding the services of each relabelled pod, on an engine of its own: what finding reads must not be at
/// hand when a relabelling is timed.
fn finding(case: &Case) -> Vec<Duration> {
    let mut engine = loaded(&case.corpus);
    let mut spent = Vec::new();
    for change in &case.relabels {
        if let Change::Relabel(now) = change {
            spent.push(find(&engine, now));
        }
        apply(&mut engine, transaction(changes(change.clone())));
    }
    spent
}

/// The services that subscribers are told of at a revision, the newest.
fn told(engine: &Engine, revision: Revision) -> Vec<ObjectName> {
    let mut names = Vec::new();
    engine.recent(revision - 1, &mut |recent| {
        if let Recent::Service(service, _) = recent {
            names.push(service.name.clone());
        }
    });
    names.sort_unstable();
    names.dedup();
    names
}

/// As Kubernetes' controller does it: the services of the pod as it was, and as it is.
fn find(engine: &Engine, now: &selectord_corpus::Pod) -> Duration {
    let now = pod(now.clone());
    let before = engine.pod(&now.name);
    let start = Instant::now();
    let namespace = &now.name.namespace;
    if let Some(before) = &before {
        std::hint::black_box(engine.matching_services(namespace, &before.object.labels));
    }
    std::hint::black_box(engine.matching_services(namespace, &now.labels));
    start.elapsed()
}

fn sorted(names: Vec<ObjectName>) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.sort_unstable();
    names
}

/// Nanoseconds, as the mean of each of some runs.
fn means(times: &[Duration]) -> Samples {
    let run = |run: &[Duration]| run.iter().sum::<Duration>().as_nanos() as f64 / run.len() as f64;
    times
        .chunks(times.len().div_ceil(RUNS).max(1))
        .map(run)
        .collect()
}

/// Kubernetes' services have no set-based selectors, so those are left out.
fn kubernetes_agrees(case: &Case, output: &Output, ours: &Ours) -> anyhow::Result<()> {
    let set_based = case
        .corpus
        .services()
        .filter(|s| matches!(s.selector, Selector::Set(_)));
    let unknown: HashSet<String> = set_based
        .map(|s| format!("{}/{}", s.namespace, s.name))
        .collect();
    let count = case.relabels.len();
    anyhow::ensure!(
        output.answers.len() == count,
        "the lister answered too little"
    );
    for (number, (_, theirs)) in output.answers.iter().enumerate() {
        let known = ours.touched.get(number).into_iter().flatten();
        let known: Vec<String> = known
            .filter(|name| !unknown.contains(*name))
            .cloned()
            .collect();
        same(&format!("relabel {number}"), "Kubernetes", theirs, &known)?;
    }
    Ok(())
}

fn calico_agrees(case: &Case, output: &Output, ours: &Ours) -> anyhow::Result<()> {
    let answers = output.answers.iter().filter(|(item, _)| item == "change");
    let answers: Vec<&Vec<String>> = answers.map(|(_, services)| services).collect();
    anyhow::ensure!(
        answers.len() == ours.touched.len(),
        "Calico's index answered too little"
    );
    for (number, (theirs, ours)) in answers.into_iter().zip(&ours.touched).enumerate() {
        same(&format!("change {number}"), "Calico", theirs, ours)?;
    }
    let mut theirs = output.by_item();
    theirs.remove("change");
    let sets = case.corpus.services().map(|service| {
        let name = ObjectName::new(&*service.namespace, service.name);
        let endpoints = ours.engine.endpoints(&name).unwrap_or_default();
        let addresses = endpoints
            .iter()
            .flat_map(|endpoint| &endpoint.identity.addresses);
        let mut addresses: Vec<String> = addresses.map(ToString::to_string).collect();
        addresses.sort_unstable();
        (name.to_string(), addresses)
    });
    all_same("Calico", &theirs, &sets.collect())
}
