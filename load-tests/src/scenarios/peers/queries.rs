use std::hint::black_box;

use anyhow::Context as _;
use selectord::engine::Namespaces;
use serde::Serialize;

use crate::cluster::{loaded, selector};
use crate::context::Context;
use crate::measure::{Samples, nanos};
use crate::report::{Row, Section, Unit};

use super::answers::same;
use super::files::{write_changes, write_corpus, write_lines};
use super::go::Peers;
use super::run::memory_row;

#[derive(Serialize)]
struct Query {
    name: &'static str,
    selector: String,
    namespace: String,
}

fn queries(context: &Context) -> anyhow::Result<Vec<Query>> {
    let teams: Vec<String> = (0..50).map(|team| format!("team-{team:03}")).collect();
    let teams = format!("team in ({})", teams.join(","));
    let everywhere = |name, selector: &str| Query {
        name,
        selector: selector.to_owned(),
        namespace: String::new(),
    };
    // An ordinary one, in the middle.
    let namespaces: Vec<&str> = context.corpus.namespaces().collect();
    let one = namespaces.get(namespaces.len() / 2);
    Ok(vec![
        everywhere("two pairs, selective", "app=app-00100,tier=backend"),
        everywhere("two pairs, broad", "env=prod,active=yes"),
        everywhere("run=rng,active!=yes", "run=rng,active!=yes"),
        everywhere("in, 50 values", &teams),
        everywhere("exists", "job-name"),
        everywhere("notin", "env notin (dev,test)"),
        everywhere("greater than", "version>250"),
        Query {
            namespace: (*one.context("a corpus without namespaces")?).to_owned(),
            ..everywhere(
                "run=rng,active!=yes in one namespace",
                "run=rng,active!=yes",
            )
        },
    ])
}

/// Selectors over all pods: Kubernetes' lister beside selectord. And what both take to hold them.
pub fn measure(
    context: &Context,
    section: &mut Section,
    peers: &Peers,
    memory: f64,
) -> anyhow::Result<()> {
    let progress = context.progress("queries", 3);
    let queries = queries(context)?;
    let files = ["cluster", "queries", "none"].map(|name| peers.path(name));
    let [cluster, asked, none] = &files;
    write_corpus(cluster, &context.corpus)?;
    write_lines(asked, &queries)?;
    write_changes(none, [])?;
    progress.inc(1);
    let kubernetes = peers.run("lister", &files)?;
    progress.inc(1);
    let engine = loaded(&context.corpus);
    let answers = kubernetes.by_item();
    let ask = |query: &Query| {
        let namespaces = match query.namespace.as_str() {
            "" => Namespaces::all(),
            one => Namespaces::only([one]),
        };
        (selector(&query.selector), namespaces)
    };
    for query in &queries {
        let (selector, namespaces) = ask(query);
        let pods = engine.pods(&selector, &namespaces, None, usize::MAX);
        let mut ours: Vec<String> = pods.iter().map(|pod| pod.object.name.to_string()).collect();
        // As text, in which a hyphen comes before a slash.
        ours.sort_unstable();
        anyhow::ensure!(
            engine.count(&selector, &namespaces) == ours.len() as u64,
            "{}: selectord counts another number than it lists",
            query.name
        );
        let theirs = answers.get(query.name).copied().unwrap_or_default();
        same(query.name, "Kubernetes' lister", theirs, &ours)?;
    }
    for query in &queries {
        let (selector, namespaces) = ask(query);
        let count = || {
            black_box(engine.count(&selector, &namespaces));
        };
        let list = || {
            drop(black_box(engine.pods(
                &selector,
                &namespaces,
                None,
                usize::MAX,
            )))
        };
        let counting: Samples = (0..context.runs(11)).map(|_| nanos(100, count)).collect();
        let listing: Samples = (0..context.runs(5)).map(|_| nanos(1, list)).collect();
        let lister = kubernetes.figure(query.name)?;
        for (what, ours) in [("count", counting), ("every pod, whole", listing)] {
            section.row(
                Row::new(
                    format!("{}: {what}, {} pods", query.name, context.pods()),
                    Unit::Time,
                    &ours,
                )
                .beside(
                    "Kubernetes' lister: pointers to the pods",
                    Unit::Time,
                    lister,
                ),
            );
        }
    }
    drop(engine);
    let heap = kubernetes.figure("heap")?;
    section.row(memory_row(context, memory).beside(
        "Kubernetes' cache: the pods, and an index by namespace",
        Unit::Bytes,
        &heap.map(|heap| heap / f64::from(context.pods())),
    ));
    section.note(format!("Kubernetes: {}", kubernetes.version));
    progress.finish_and_clear();
    Ok(())
}
