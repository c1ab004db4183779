//! Random selectors over a corpus that is large enough for bitmaps: counts, plans and pages are what a
//! scan by the selector's own definition finds.

#[allow(dead_code, reason = "shared with the benches")]
#[path = "../benches/support/convert.rs"]
mod convert;
mod support;

use selectord::engine::Namespaces;
use selectord::labels::LabelSet;
use selectord::model::ObjectName;
use selectord::selector::Selector;
use selectord_corpus::{Corpus, Spec};

use support::random::{Random, seeds};

const PODS: u32 = 6_000;
const SELECTORS: usize = 400;

type Labelled = (ObjectName, LabelSet);

/// One requirement about a label of some pod.
fn requirement(random: &mut Random, pods: &[Labelled]) -> String {
    let (_, labels) = random.pick(pods);
    let pairs: Vec<_> = labels.iter().collect();
    let (key, value) = random.pick(&pairs);
    let others: Vec<String> = (0..random.below(40))
        .filter_map(|_| Some(random.pick(pods).1.get(key.as_str())?.to_string()))
        .chain([value.to_string()])
        .collect();
    let others = others.join(",");
    match random.below(9) {
        0 | 1 => format!("{key}={value}"),
        2 => format!("{key}!={value}"),
        3 => format!("{key} in ({others})"),
        4 => format!("{key} notin ({others})"),
        5 => key.to_string(),
        6 => format!("!{key}"),
        7 => format!("version>{}", random.below(500)),
        _ => format!("version<{}", random.below(500)),
    }
}

#[test]
fn answers_are_what_a_scan_finds() {
    let corpus = Corpus::new(Spec::new(PODS));
    let engine = convert::loaded(&corpus);
    let mut pods: Vec<Labelled> = corpus
        .pods()
        .map(convert::pod)
        .map(|pod| (pod.name, pod.labels))
        .collect();
    pods.sort_unstable();
    let names: Vec<&str> = corpus.namespaces().collect();
    let seed = seeds(1, 1)[0];
    let mut random = Random::new(seed);
    let mut ids = Vec::new();
    for _ in 0..SELECTORS {
        let requirements: Vec<String> = (0..random.below(4) + 1)
            .map(|_| requirement(&mut random, &pods))
            .collect();
        let text = requirements.join(",");
        let selector = Selector::parse(&text).expect(&text);
        let some = Namespaces::only((0..3).map(|_| random.pick(&names)));
        for namespaces in [Namespaces::all(), some] {
            let matching: Vec<&ObjectName> = pods
                .iter()
                .filter(|(name, labels)| {
                    namespaces.contains(&name.namespace) && selector.matches(labels)
                })
                .map(|(name, _)| name)
                .collect();
            let count = matching.len() as u64;
            assert_eq!(
                engine.count(&selector, &namespaces),
                count,
                "seed {seed}: {text}"
            );
            assert_eq!(
                engine.explain(&selector, &namespaces).count,
                count,
                "seed {seed}: {text}"
            );
            let page = engine.pods(&selector, &namespaces, None, 50);
            let page: Vec<_> = page.iter().map(|pod| &pod.object.name).collect();
            assert!(
                page.iter().eq(matching.iter().take(50)),
                "seed {seed}: {text}"
            );
            let after = &random.pick(&pods).0;
            let rest = matching.iter().skip_while(|name| **name <= after);
            let page = engine.pod_ids_by_name(&selector, &namespaces, Some(after), 20);
            let page = page.into_iter().filter_map(|id| engine.pod_name(id));
            assert!(
                page.eq(rest.take(20).copied().cloned()),
                "seed {seed}: {text} after {after}"
            );
            engine.pod_ids(&selector, &namespaces, &mut ids);
            assert!(ids.is_sorted(), "seed {seed}: {text}");
            let mut all: Vec<_> = ids.iter().filter_map(|id| engine.pod_name(*id)).collect();
            all.sort_unstable();
            assert!(all.iter().eq(matching), "seed {seed}: {text}");
        }
    }
}
