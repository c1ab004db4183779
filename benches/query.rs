//! Questions to the index.
//!
//! What is measured: counts of selectors of every shape over all pods and in one namespace; pages of
//! 500 pods of a large answer, as ids and as whole pods; all ids of answers of seven eighths and of
//! a fifth of the pods. Beside them, in the same run, two yardsticks for the two-pair count: AND and
//! popcount of two flat bitsets as wide as there are pods, and a scan of the same pods in ordinary
//! maps. Before anything is timed, each count is compared with a scan.
//!
//! Corpus: `load-tests/corpus`, plain, seed 1; SELECTORD_BENCH_PODS pods (100,000).
//! Run: `cargo bench --no-default-features --bench query`

mod support;

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use selectord::engine::{Engine, Namespaces};
use selectord::selector::Selector;
use selectord_corpus::Corpus;

use support::{group, labels, selector};

/// Seven eighths of the pods.
const MOST: &str = "active=yes";
/// A tenth of a percent of the pods, and a fifth of them.
const SELECTIVE: &str = "app=app-00100,tier=backend";
const BROAD: &str = "env=prod,active=yes";

fn fifty_teams() -> String {
    let teams: Vec<String> = (0..50).map(|team| format!("team-{team:03}")).collect();
    format!("team in ({})", teams.join(","))
}

/// How many of the pods match, by the selector's own definition.
fn scan(corpus: &Corpus, selector: &Selector, namespace: Option<&str>) -> u64 {
    let pods = corpus
        .pods()
        .filter(|pod| namespace.is_none_or(|namespace| *pod.namespace == *namespace));
    pods.filter(|pod| selector.matches(&labels(pod.labels.clone())))
        .count() as u64
}

fn counts(criterion: &mut Criterion, corpus: &Corpus, engine: &Engine) {
    let fifty = fifty_teams();
    let queries = [
        ("two pairs, selective", SELECTIVE),
        ("two pairs, broad", BROAD),
        ("run=rng,active!=yes", "run=rng,active!=yes"),
        ("in, 50 values", fifty.as_str()),
        ("exists", "job-name"),
        ("notin", "env notin (dev,test)"),
        ("greater than", "version>250"),
        (
            "four terms, worst first",
            "active=yes,env=prod,tier=backend,app=app-00010",
        ),
    ];
    let all = Namespaces::all();
    let mut group = group(criterion, "query/count");
    for (name, text) in queries {
        let selector = selector(text);
        assert_eq!(
            engine.count(&selector, &all),
            scan(corpus, &selector, None),
            "{text}"
        );
        group.bench_function(name, |bencher| {
            bencher.iter(|| engine.count(black_box(&selector), &all));
        });
    }
    let namespace = corpus.pod(corpus.spec().pods / 2).namespace;
    let one = Namespaces::only([&*namespace]);
    let selector = selector("run=rng,active!=yes");
    assert_eq!(
        engine.count(&selector, &one),
        scan(corpus, &selector, Some(&namespace))
    );
    group.bench_function("run=rng,active!=yes in one namespace", |bencher| {
        bencher.iter(|| engine.count(black_box(&selector), &one));
    });
    group.finish();
}

fn pages(criterion: &mut Criterion, engine: &Engine) {
    let mut group = group(criterion, "query/page");
    let all = Namespaces::all();
    for (name, text) in [
        ("two pairs, broad", BROAD),
        ("one pair", MOST),
        ("run=rng,active!=yes", "run=rng,active!=yes"),
    ] {
        let selector = selector(text);
        group.bench_function(format!("first 500 ids, {name}"), |bencher| {
            bencher.iter(|| engine.pod_ids_by_name(black_box(&selector), &all, None, 500));
        });
        let middle = engine.pod_ids_by_name(&selector, &all, None, 50_000);
        let middle = middle.last().and_then(|id| engine.pod_name(*id));
        group.bench_function(format!("500 ids from amidst, {name}"), |bencher| {
            bencher
                .iter(|| engine.pod_ids_by_name(black_box(&selector), &all, middle.as_ref(), 500));
        });
    }
    let selector = selector(BROAD);
    group.bench_function("first 500 pods, two pairs, broad", |bencher| {
        bencher.iter(|| engine.pods(black_box(&selector), &all, None, 500));
    });
    group.finish();
}

fn ids(criterion: &mut Criterion, engine: &Engine) {
    let mut group = group(criterion, "query/ids");
    let all = Namespaces::all();
    let mut ids = Vec::new();
    for (name, text) in [("one pair", MOST), ("two pairs, broad", BROAD)] {
        let selector = selector(text);
        engine.pod_ids(&selector, &all, &mut ids);
        assert_eq!(ids.len() as u64, engine.count(&selector, &all), "{text}");
        group.throughput(Throughput::Elements(ids.len() as u64));
        group.bench_function(format!("all ids, {name}"), |bencher| {
            bencher.iter(|| engine.pod_ids(black_box(&selector), &all, &mut ids));
        });
    }
    group.finish();
}

/// A set of pods as one bit each.
fn bitset(corpus: &Corpus, key: &str, value: &str) -> Vec<u64> {
    let mut words = vec![0u64; corpus.spec().pods.div_ceil(64) as usize];
    for (number, pod) in corpus.pods().enumerate() {
        let has = pod.labels.iter().any(|(k, v)| *k == key && *v == value);
        words[number / 64] |= u64::from(has) << (number % 64);
    }
    words
}

fn yardsticks(criterion: &mut Criterion, corpus: &Corpus) {
    let mut group = group(criterion, "query/yardstick");
    let sets = (
        bitset(corpus, "env", "prod"),
        bitset(corpus, "active", "yes"),
    );
    group.bench_function("flat bitsets, AND and popcount", |bencher| {
        bencher.iter(|| {
            let (left, right) = black_box((&sets.0, &sets.1));
            let words = left.iter().zip(right);
            words
                .map(|(l, r)| u64::from((l & r).count_ones()))
                .sum::<u64>()
        });
    });
    let maps: Vec<BTreeMap<String, String>> = corpus
        .pods()
        .map(|pod| {
            let pairs = pod.labels.into_iter();
            pairs.map(|(k, v)| (k.to_owned(), v.into_owned())).collect()
        })
        .collect();
    group.bench_function("scan of ordinary maps", |bencher| {
        bencher.iter(|| {
            let has = |pod: &&BTreeMap<String, String>, key, value| {
                pod.get(key).is_some_and(|v| v == value)
            };
            let pods = black_box(&maps).iter();
            pods.filter(|pod| has(pod, "env", "prod") && has(pod, "active", "yes"))
                .count()
        });
    });
    group.finish();
}

fn query(criterion: &mut Criterion) {
    let corpus = support::corpus();
    let engine = support::loaded(&corpus);
    counts(criterion, &corpus, &engine);
    pages(criterion, &engine);
    ids(criterion, &engine);
    drop(engine);
    yardsticks(criterion, &corpus);
}

criterion_group!(benches, query);
criterion_main!(benches);
