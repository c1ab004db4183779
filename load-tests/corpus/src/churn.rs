use std::sync::Arc;

use crate::cluster::{Corpus, History};
use crate::objects::Pod;
use crate::rng::Rng;

/// One change of a cluster that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A pod became ready, or is ready no more; this is it now.
    Readiness(Pod),
    /// A pod's `app` changed; this is it now.
    Relabel(Pod),
    /// A pod is gone, and another has taken its place. A StatefulSet's has the same name.
    Replace {
        /// Namespace of both.
        namespace: Arc<str>,
        /// Name of the one that is gone.
        deleted: String,
        /// The new one.
        created: Pod,
    },
}

/// The kinds of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// [`Change::Readiness`]
    Readiness,
    /// [`Change::Relabel`]
    Relabel,
    /// [`Change::Replace`]
    Replace,
}

/// Changes of random pods: of ten, eight of readiness, one relabelling, one replacement.
///
/// Endless. Holds 12 bytes a pod: each change starts from what the earlier ones left.
#[derive(Debug, Clone)]
pub struct Churn<'c> {
    corpus: &'c Corpus,
    rng: Rng,
    histories: Vec<History>,
    only: Option<ChangeKind>,
}

impl Churn<'_> {
    pub(crate) fn new(corpus: &Corpus, seed: u64) -> Churn<'_> {
        let spec = corpus.spec();
        let first = |number| History {
            unready: !corpus.pod(number).ready,
            ..History::default()
        };
        Churn {
            corpus,
            rng: Rng::of(spec.seed, 11, seed),
            histories: (0..spec.pods).map(first).collect(),
            only: None,
        }
    }

    /// From here on changes of every kind.
    pub fn mixed(self) -> Self {
        Churn { only: None, ..self }
    }

    /// From here on only changes of this kind.
    pub fn only(self, kind: ChangeKind) -> Self {
        Churn {
            only: Some(kind),
            ..self
        }
    }
}

impl Iterator for Churn<'_> {
    type Item = Change;

    fn next(&mut self) -> Option<Change> {
        let pods = self.histories.len() as u64;
        let number = self.rng.below(pods) as u32;
        let history = self.histories.get_mut(number as usize)?;
        let kind = self.only.unwrap_or_else(|| match self.rng.below(10) {
            0 => ChangeKind::Relabel,
            1 => ChangeKind::Replace,
            _ => ChangeKind::Readiness,
        });
        match kind {
            ChangeKind::Relabel => history.relabels += 1,
            ChangeKind::Readiness => history.unready = !history.unready,
            ChangeKind::Replace => {}
        }
        let pod = self.corpus.pod_after(number, *history);
        Some(match kind {
            ChangeKind::Relabel => Change::Relabel(pod),
            ChangeKind::Readiness => Change::Readiness(pod),
            ChangeKind::Replace => {
                history.incarnation += 1;
                Change::Replace {
                    namespace: pod.namespace,
                    deleted: pod.name,
                    created: self.corpus.pod_after(number, *history),
                }
            }
        })
    }
}
