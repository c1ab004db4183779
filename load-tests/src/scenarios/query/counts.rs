use std::collections::BTreeMap;
use std::hint::black_box;

use anyhow::bail;
use selectord::engine::Engine;
use selectord_corpus::{Corpus, Labels};

use crate::cluster::labels;
use crate::context::Context;
use crate::measure::{Samples, nanos};
use crate::report::{Row, Section, Unit};

use super::questions::{BROAD_PAIRS, Question, questions};

/// Most pods that are held as ordinary maps: a gigabyte or two.
const MOST_MAPS: usize = 1_000_000;

/// Counts on an engine. Each is compared with a scan before it is timed.
pub fn measure(context: &Context, section: &mut Section, engine: &Engine) -> anyhow::Result<()> {
    let corpus = &context.corpus;
    let questions = questions(corpus);
    check(corpus, engine, &questions)?;
    section.note("each count was compared with a scan of all pods before it was timed");
    let progress = context.progress("counts", questions.len() as u64 + 1);
    let mut broad = Samples::default();
    for question in &questions {
        let once = || {
            black_box(engine.count(black_box(&question.selector), &question.namespaces));
        };
        let beside = question.pairs.map(|pairs| Bitsets::of(corpus, pairs));
        let (mut ours, mut theirs) = (Samples::default(), Samples::default());
        for _ in 0..context.runs(11) {
            ours.push(timed(once));
            if let Some(bitsets) = &beside {
                theirs.push(timed(|| {
                    black_box(black_box(bitsets).count());
                }));
            }
        }
        if question.pairs == Some(BROAD_PAIRS) {
            broad = ours.clone();
        }
        let row = Row::new(question.what, Unit::Time, &ours).at_most(question.at_most);
        section.row(if beside.is_some() {
            row.beside(
                "flat bitsets of all pods, AND and popcount",
                Unit::Time,
                &theirs,
            )
            .ratio_at_most(4.0)
        } else {
            row
        });
        progress.inc(1);
    }
    let scan = scan(context, section);
    progress.finish_and_clear();
    section.row(
        Row::new(
            "count of two broad pairs, against a scan",
            Unit::Times,
            &scan.over(&broad),
        )
        .at_least(10_000.0)
        .beside("scan of the same pods in ordinary maps", Unit::Time, &scan),
    );
    Ok(())
}

/// Nanoseconds, of as many repetitions as take some milliseconds.
fn timed(mut once: impl FnMut()) -> f64 {
    let one = nanos(3, &mut once).max(1.0);
    nanos((5e6 / one).clamp(3.0, 1e6) as u32, once)
}

/// Asks a scan of all pods the same, by the selectors' own definition.
fn check(corpus: &Corpus, engine: &Engine, questions: &[Question]) -> anyhow::Result<()> {
    let mut counts = vec![0u64; questions.len()];
    for pod in corpus.pods() {
        let labels = labels(pod.labels);
        for (question, count) in questions.iter().zip(&mut counts) {
            let here = question.namespaces.contains(&pod.namespace);
            *count += u64::from(here && question.selector.matches(&labels));
        }
    }
    for (question, scanned) in questions.iter().zip(counts) {
        let counted = engine.count(&question.selector, &question.namespaces);
        if counted != scanned {
            bail!(
                "{}: counted {counted}, a scan finds {scanned}",
                question.what
            );
        }
    }
    Ok(())
}

/// Two sets of pods, one bit a pod.
struct Bitsets([Vec<u64>; 2]);

impl Bitsets {
    fn of(corpus: &Corpus, pairs: [(&str, &str); 2]) -> Bitsets {
        let words = corpus.spec().pods.div_ceil(64) as usize;
        let mut sets = [vec![0u64; words], vec![0u64; words]];
        for (number, pod) in corpus.pods().enumerate() {
            for (set, pair) in sets.iter_mut().zip(pairs) {
                set[number / 64] |= u64::from(has(&pod.labels, pair)) << (number % 64);
            }
        }
        Bitsets(sets)
    }

    fn count(&self) -> u64 {
        let [left, right] = &self.0;
        let words = left.iter().zip(right);
        words.map(|(l, r)| u64::from((l & r).count_ones())).sum()
    }
}

fn has(labels: &Labels, (key, value): (&str, &str)) -> bool {
    labels.iter().any(|(k, v)| *k == key && *v == value)
}

/// Nanoseconds of the broad count by a scan of ordinary maps.
fn scan(context: &Context, section: &mut Section) -> Samples {
    let owned = |labels: Labels| -> BTreeMap<String, String> {
        let pairs = labels.into_iter();
        pairs.map(|(k, v)| (k.to_owned(), v.into_owned())).collect()
    };
    let pods = context.corpus.pods().take(MOST_MAPS);
    let maps: Vec<_> = pods.map(|pod| owned(pod.labels)).collect();
    let all = f64::from(context.pods()) / maps.len() as f64;
    if all > 1.0 {
        section.note(format!(
            "the scan was of {MOST_MAPS} pods, its time was multiplied by {all}"
        ));
    }
    let runs = (0..context.runs(11)).map(|_| {
        all * nanos(1, || {
            let matches = |pod: &&BTreeMap<String, String>| {
                let mut pairs = BROAD_PAIRS.iter();
                pairs.all(|(key, value)| pod.get(*key).is_some_and(|v| v == value))
            };
            black_box(black_box(&maps).iter().filter(matches).count());
        })
    });
    runs.collect()
}

#[cfg(test)]
mod tests {
    use selectord_corpus::Spec;

    use super::*;

    #[test]
    fn bitsets_count_as_a_scan_does() {
        let corpus = Corpus::new(Spec::new(2_000));
        let pairs = BROAD_PAIRS;
        let scan = corpus
            .pods()
            .filter(|pod| pairs.iter().all(|pair| has(&pod.labels, *pair)));
        assert_eq!(Bitsets::of(&corpus, pairs).count(), scan.count() as u64);
    }
}
