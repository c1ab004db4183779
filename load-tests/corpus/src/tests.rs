use std::collections::{BTreeMap, BTreeSet};

use crate::*;

const PODS: u32 = 50_000;

fn corpus() -> Corpus {
    Corpus::new(Spec::new(PODS))
}

fn label<'p>(pod: &'p Pod, key: &str) -> Option<&'p str> {
    pod.labels
        .iter()
        .find(|(k, _)| *k == key)
        .map(|(_, value)| &**value)
}

fn matches(selector: &Selector, pod: &Pod) -> bool {
    let listed = |values: &[std::borrow::Cow<'static, str>], key: &str| {
        label(pod, key).is_some_and(|has| values.iter().any(|value| value == has))
    };
    match selector {
        Selector::Pairs(pairs) => pairs
            .iter()
            .all(|(key, value)| label(pod, key) == Some(&**value)),
        Selector::Set(requirements) => requirements.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => listed(values, key),
            Requirement::NotIn(key, values) => !listed(values, key),
            Requirement::DoesNotExist(key) => label(pod, key).is_none(),
        }),
    }
}

/// Whether `found` is within `percent` of `expected`.
fn about(found: usize, expected: f64, percent: f64) -> bool {
    (found as f64 - expected).abs() <= expected * percent / 100.0
}

#[test]
fn the_same_seed_makes_the_same_cluster() {
    let text = |spec: Spec| {
        let corpus = Corpus::new(spec);
        let mut out = Vec::new();
        write_ndjson(&corpus, &mut out).unwrap();
        for change in corpus.churn(3).take(500) {
            write_change(&change, &mut out).unwrap();
        }
        out
    };
    for variant in Variant::ALL {
        let spec = Spec::new(2_000).variant(variant);
        assert!(text(spec) == text(spec), "{variant}");
        assert!(text(spec) != text(spec.seed(2)), "{variant}");
    }
}

/// A figure from last year is about the same cluster: this sum may only change on purpose.
#[test]
fn the_corpus_does_not_drift() {
    let mut out = Vec::new();
    write_ndjson(&Corpus::new(Spec::new(1_000)), &mut out).unwrap();
    let sum = out.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    assert_eq!(format!("{sum:016x}"), "a23ee0af746ad39e");
}

#[test]
fn there_are_as_many_as_asked_for_and_names_are_unique() {
    for variant in Variant::ALL {
        for pods in [0, 1, 10, 999, 1_000, 20_000] {
            let corpus = Corpus::new(Spec::new(pods).variant(variant));
            let names: BTreeSet<_> = corpus.pods().map(|pod| (pod.namespace, pod.name)).collect();
            assert_eq!(names.len(), pods as usize, "{variant} {pods}");
            let services: BTreeSet<_> = corpus.services().map(|s| (s.namespace, s.name)).collect();
            assert_eq!(services.len(), corpus.service_count() as usize);
        }
    }
}

#[test]
fn every_pod_has_ten_labels_of_the_stated_cardinalities() {
    let mut values: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut pairs = 0;
    for pod in corpus().pods() {
        assert_eq!(pod.labels.len(), 10, "{pod:?}");
        for (key, value) in &pod.labels {
            pairs += usize::from(values.entry(key).or_default().insert(value.to_string()));
        }
    }
    let count = |key: &str| values.get(key).map_or(0, BTreeSet::len);
    for (key, expected) in [
        ("tier", 5),
        ("env", 4),
        ("run", 16),
        ("zone", 12),
        ("active", 2),
        ("version", 500),
        ("team", 300),
    ] {
        assert_eq!(count(key), expected, "{key}");
    }
    assert!(about(count("app"), 1_000.0, 5.0), "app {}", count("app"));
    assert!(about(pairs, f64::from(PODS) * 0.36, 10.0), "{pairs} pairs");
}

#[test]
fn app_is_skewed_and_active_and_zone_differ_within_workloads() {
    let corpus = corpus();
    let pods: Vec<Pod> = corpus
        .pods()
        .filter(|pod| pod.namespace.starts_with("ns-"))
        .collect();
    let first = pods
        .iter()
        .filter(|pod| label(pod, "app") == Some("app-00000"))
        .count();
    // One value of a thousand is drawn a tenth of the time: the cube root of a thousandth.
    assert!(
        about(first, pods.len() as f64 / 10.0, 15.0),
        "{first} of {}",
        pods.len()
    );
    let yes = pods
        .iter()
        .filter(|pod| label(pod, "active") == Some("yes"))
        .count();
    assert!(about(yes, pods.len() as f64 * 7.0 / 8.0, 2.0), "{yes}");
    let mut zones: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for pod in &pods {
        if let Some(hash) = label(pod, "pod-template-hash") {
            zones.entry(hash).or_default().extend(label(pod, "zone"));
        }
    }
    assert!(zones.values().filter(|zones| zones.len() > 1).count() * 2 > zones.len());
}

#[test]
fn namespaces_are_log_normal_and_workloads_small() {
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    let mut workloads: BTreeMap<String, usize> = BTreeMap::new();
    let (mut sets, mut jobs, mut all) = (0, 0, 0);
    for pod in Corpus::new(Spec::new(400_000)).pods() {
        if pod.namespace.starts_with("ns-") {
            *sizes.entry(pod.namespace.to_string()).or_default() += 1;
            let workload = pod.name.split('-').take(2).collect::<Vec<_>>().join("-");
            *workloads.entry(workload).or_default() += 1;
            sets += usize::from(label(&pod, "pod-name").is_some());
            jobs += usize::from(label(&pod, "job-name").is_some());
            all += 1;
        }
    }
    let mut sorted: Vec<usize> = sizes.values().copied().collect();
    sorted.sort_unstable();
    let median = sorted[sorted.len() / 2];
    assert!(about(median, 60.0, 15.0), "median {median}");
    let largest = sorted[sorted.len() - 1];
    assert!((5_000..=20_000).contains(&largest), "largest {largest}");
    assert!(
        about(all, 5.0 * workloads.len() as f64, 5.0),
        "{all} pods, {} workloads",
        workloads.len()
    );
    assert!(about(sets, 0.15 * all as f64, 5.0), "{sets} of {all}");
    assert!(about(jobs, 0.15 * all as f64, 5.0), "{jobs} of {all}");
}

#[test]
fn services_select_a_pod_of_their_namespace_and_some_are_giants() {
    let corpus = corpus();
    let pods: Vec<Pod> = corpus.pods().collect();
    let mut by_namespace: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
    for pod in &pods {
        by_namespace.entry(&pod.namespace).or_default().push(pod);
    }
    let (mut set_based, mut negative, mut memberships) = (0, 0, 0);
    for (number, service) in corpus.services().enumerate() {
        let found = by_namespace[&*service.namespace]
            .iter()
            .filter(|pod| matches(&service.selector, pod))
            .count();
        if number < 3 {
            assert_eq!(found, PODS as usize / [10, 50, 50][number], "{service:?}");
        }
        memberships += found;
        match &service.selector {
            Selector::Pairs(pairs) => {
                assert!((1..=3).contains(&pairs.len()));
                assert!(found > 0, "{service:?}");
            }
            Selector::Set(requirements) => {
                set_based += 1;
                let positive = |r: &Requirement| matches!(r, Requirement::In(..));
                negative += usize::from(!requirements.iter().any(positive));
            }
        }
    }
    let services = corpus.service_count() as usize;
    assert!(
        about(set_based, services as f64 / 100.0, 40.0),
        "{set_based}"
    );
    assert!(
        negative > 0 && negative < set_based / 3,
        "{negative} of {set_based}"
    );
    let each = memberships as f64 / pods.len() as f64;
    assert!((1.0..4.0).contains(&each), "{each} endpoints a pod");
}

#[test]
fn variants_depart_as_they_say() {
    let spec = Spec::new(20_000);
    let names = |variant| -> Vec<String> {
        let corpus = Corpus::new(spec.variant(variant));
        corpus.pods().map(|pod| pod.name).collect()
    };
    let (mut plain, mut random) = (names(Variant::Plain), names(Variant::RandomArrival));
    assert_ne!(plain, random);
    plain.sort_unstable();
    random.sort_unstable();
    assert_eq!(plain, random);
    let unique = Corpus::new(spec.variant(Variant::Unique));
    let serials: BTreeSet<_> = unique
        .pods()
        .filter_map(|pod| label(&pod, "serial").map(str::to_owned))
        .collect();
    assert_eq!(serials.len(), 20_000);
    let huge = Corpus::new(spec.variant(Variant::HugeNamespace));
    assert_eq!(huge.namespaces().collect::<Vec<_>>(), ["huge"]);
    assert_eq!(
        huge.services().filter(|s| &*s.namespace == "huge").count(),
        2_000
    );
}

#[test]
fn churn_is_mixed_as_stated_and_follows_from_what_was() {
    let corpus = Corpus::new(Spec::new(2_000));
    let key = |pod: &Pod| (pod.namespace.clone(), pod.name.clone());
    let mut now: BTreeMap<_, Pod> = corpus.pods().map(|pod| (key(&pod), pod)).collect();
    let (mut flips, mut relabels, mut replaced) = (0, 0, 0);
    for change in corpus.churn(1).take(20_000) {
        match change {
            Change::Readiness(pod) => {
                let before = now.insert(key(&pod), pod.clone()).unwrap();
                assert_eq!(
                    Pod {
                        ready: !pod.ready,
                        ..pod
                    },
                    before
                );
                flips += 1;
            }
            Change::Relabel(pod) => {
                let before = now.insert(key(&pod), pod.clone()).unwrap();
                let kept = |pod: &Pod| -> Vec<_> {
                    pod.labels
                        .iter()
                        .filter(|(k, _)| *k != APP)
                        .cloned()
                        .collect()
                };
                assert_eq!(kept(&pod), kept(&before));
                relabels += 1;
            }
            Change::Replace {
                namespace,
                deleted,
                created,
            } => {
                let before = now.remove(&(namespace, deleted)).unwrap();
                assert_ne!((&before.uid, before.ip), (&created.uid, created.ip));
                assert!(now.insert(key(&created), created).is_none());
                replaced += 1;
            }
        }
    }
    assert_eq!(now.len(), 2_000);
    assert!(about(flips, 16_000.0, 2.0), "{flips}");
    assert!(about(relabels, 2_000.0, 8.0), "{relabels}");
    assert!(about(replaced, 2_000.0, 8.0), "{replaced}");
}

/// The writer puts text into quotes as it is.
#[test]
fn nothing_generated_needs_escaping() {
    let mut out = Vec::new();
    let corpus = Corpus::new(Spec::new(2_000));
    write_ndjson(&corpus, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines = 2_000 + 200 + 20;
    assert_eq!(text.lines().count(), lines);
    for line in text.lines() {
        assert!(line.starts_with(r#"{"apiVersion":"v1","kind":""#), "{line}");
        assert!(line.is_ascii() && !line.contains('\\'), "{line}");
        let (mut depth, mut quotes) = (0i32, 0);
        for byte in line.bytes() {
            match byte {
                b'"' => quotes += 1,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            assert!(depth >= 0, "{line}");
        }
        assert_eq!((depth, quotes % 2), (0, 0), "{line}");
    }
}
