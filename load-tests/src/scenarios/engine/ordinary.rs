//! What is done with ordinary maps elsewhere.

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::time::{Duration, Instant};

use selectord::model::{ObjectName, Pod};
use selectord_corpus::{ChangeKind, Corpus, Selector};

use crate::cluster;

/// Every pod in a map by name, as a client's cache holds them: nothing can be asked of it but a name.
pub fn cache(corpus: &Corpus) -> HashMap<ObjectName, Pod> {
    let pods = corpus.pods().map(cluster::pod);
    pods.map(|pod| (pod.name.clone(), pod)).collect()
}

/// Pods a second that such a map takes.
pub fn fill_rate(corpus: &Corpus) -> f64 {
    let mut cache = HashMap::new();
    let mut spent = Duration::ZERO;
    let mut pods = corpus.pods().map(cluster::pod).peekable();
    while pods.peek().is_some() {
        let part: Vec<Pod> = pods.by_ref().take(cluster::LOADED_AT_ONCE).collect();
        let start = Instant::now();
        for pod in part {
            cache.insert(pod.name.clone(), pod);
        }
        spent += start.elapsed();
    }
    f64::from(corpus.spec().pods) / spent.as_secs_f64()
}

type Labels = BTreeMap<String, String>;

/// The pairs that services select by, namespace by namespace. What is not a list of pairs is left out.
pub struct Services(HashMap<String, Vec<Labels>>);

impl Services {
    /// Those of the cluster.
    pub fn of(corpus: &Corpus) -> Services {
        let mut by_namespace: HashMap<String, Vec<Labels>> = HashMap::new();
        for service in corpus.services() {
            if let Selector::Pairs(pairs) = service.selector {
                let of = by_namespace.entry(service.namespace.to_string());
                of.or_default().push(owned(pairs));
            }
        }
        Services(by_namespace)
    }

    /// Nanoseconds to find the services of a changed pod by testing each of its namespace.
    pub fn cost(&self, corpus: &Corpus, seed: u64) -> f64 {
        const CHANGES: usize = 5_000;
        let churn = corpus.churn(seed).only(ChangeKind::Readiness);
        let changed: Vec<(String, Labels)> = churn
            .take(CHANGES)
            .filter_map(|change| match change {
                selectord_corpus::Change::Readiness(pod) => {
                    Some((pod.namespace.to_string(), owned(pod.labels)))
                }
                _ => None,
            })
            .collect();
        let start = Instant::now();
        for (namespace, labels) in &changed {
            let services = self.0.get(namespace).map_or(&[][..], Vec::as_slice);
            let selects = |pairs: &&Labels| pairs.iter().all(|(k, v)| labels.get(k) == Some(v));
            black_box(services.iter().filter(selects).count());
        }
        start.elapsed().as_nanos() as f64 / CHANGES as f64
    }
}

fn owned(labels: selectord_corpus::Labels) -> Labels {
    let pairs = labels.into_iter();
    pairs.map(|(k, v)| (k.to_owned(), v.into_owned())).collect()
}
