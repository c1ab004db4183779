//! Reading selectors, and matching them the obvious way.
//!
//! What is measured: `Selector::parse` of a one-requirement text, of ten requirements covering
//! every operator, and of one `in` with 50 values; `Selector::matches` of each against a set of
//! ten labels, as a pod of a Helm chart carries them; and building that set from text. All of
//! them match, so no requirement is skipped. Inputs are constants: there is no seed.
//!
//! `matches` here is the yardstick that the index is tested against, not the way pods are found;
//! its cost is what one scanned pod would cost.
//!
//! Run: `cargo bench --no-default-features --bench selector`

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use selectord::labels::LabelSet;
use selectord::selector::Selector;

const LABELS: [(&str, &str); 10] = [
    ("app.kubernetes.io/component", "api"),
    ("app.kubernetes.io/instance", "checkout-blue"),
    ("app.kubernetes.io/managed-by", "Helm"),
    ("app.kubernetes.io/name", "checkout"),
    ("app.kubernetes.io/part-of", "shop"),
    ("app.kubernetes.io/version", "1.27.3"),
    ("helm.sh/chart", "checkout-4.2.0"),
    ("pod-template-hash", "6d4cf56db6"),
    ("shard", "17"),
    ("tier", "backend"),
];

const SHORT: &str = "app.kubernetes.io/name=checkout";

const LONG: &str = "app.kubernetes.io/name=checkout, app.kubernetes.io/instance==checkout-blue, \
    app.kubernetes.io/component in (api, worker), app.kubernetes.io/version notin (1.26.0, 1.26.1), \
    app.kubernetes.io/managed-by, !canary, tier!=frontend, shard>9, shard<100, pod-template-hash";

fn fifty_values() -> String {
    let values: Vec<String> = (0..50).map(|shard| shard.to_string()).collect();
    format!("shard in ({})", values.join(","))
}

fn selectors(criterion: &mut Criterion) {
    let labels = LabelSet::try_from_pairs(LABELS).expect("the labels are legal");
    let fifty = fifty_values();
    let texts = [
        ("short", SHORT),
        ("long", LONG),
        ("50 values", fifty.as_str()),
    ];

    let mut group = criterion.benchmark_group("selector/parse");
    for (name, text) in texts {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| Selector::parse(black_box(text)));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("selector/matches");
    for (name, text) in texts {
        let selector = Selector::parse(text).expect("the text is a selector");
        assert!(selector.matches(&labels), "{name} has to match");
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(&selector).matches(black_box(&labels)));
        });
    }
    group.finish();

    criterion.bench_function("labels/ten from text", |bencher| {
        bencher.iter(|| LabelSet::try_from_pairs(black_box(LABELS)));
    });
}

criterion_group!(benches, selectors);
criterion_main!(benches);
