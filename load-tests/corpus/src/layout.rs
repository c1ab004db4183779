use std::sync::Arc;

use crate::rng::Rng;
use crate::spec::{Spec, Variant};

/// Median of a namespace's pods.
const MEDIAN: f64 = 60.0;
/// Standard deviation of the logarithm of a namespace's pods: at a million pods the largest of some
/// 4,500 namespaces is then about 20,000.
const SIGMA: f64 = 1.6;
/// Most pods of a namespace that is not a giant's.
const LARGEST: u32 = 20_000;
/// Shares of the pods that giants have: one in so many.
const GIANTS: [u32; 3] = [10, 50, 50];
/// DaemonSets, each with a pod on every node.
const DAEMON_SETS: u32 = 3;
/// Pods for one node.
pub(crate) const PODS_A_NODE: u32 = 100;
/// A workload has one to so many pods, evenly: five on average.
const MOST_PODS_A_WORKLOAD: u64 = 9;
/// With fewer pods there are neither giants nor DaemonSets.
const FEW: u32 = 1_000;

/// What runs the pods of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Deployment,
    StatefulSet,
    Job,
    DaemonSet,
}

/// Pods that share a template: those from `first` to the next workload's first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workload {
    pub(crate) first: u32,
    pub(crate) namespace: u32,
    pub(crate) kind: Kind,
}

/// Who stands where: workload after workload, namespace after namespace, pods numbered through.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) namespaces: Vec<Arc<str>>,
    pub(crate) workloads: Vec<Workload>,
    /// First pods of the giants.
    pub(crate) giants: Vec<u32>,
    /// First pod that belongs neither to a giant nor to a DaemonSet.
    pub(crate) ordinary: u32,
    pub(crate) pods: u32,
    pub(crate) nodes: u32,
}

impl Layout {
    pub(crate) fn new(spec: Spec) -> Layout {
        let mut layout = Layout {
            namespaces: Vec::new(),
            workloads: Vec::new(),
            giants: Vec::new(),
            ordinary: 0,
            pods: 0,
            nodes: (spec.pods / PODS_A_NODE).max(3),
        };
        let mut rng = Rng::of(spec.seed, 1, 0);
        if spec.variant == Variant::HugeNamespace {
            layout.fill_namespace("huge", spec.pods, &mut rng);
            return layout;
        }
        if spec.pods >= FEW {
            layout.namespace("kube-system");
            for _ in 0..DAEMON_SETS {
                layout.workload(Kind::DaemonSet, layout.nodes);
            }
            for (number, share) in GIANTS.into_iter().enumerate() {
                layout.namespace(&format!("giant-{number}"));
                layout.giants.push(layout.pods);
                layout.workload(Kind::Deployment, spec.pods / share);
            }
        }
        layout.ordinary = layout.pods;
        for number in 0.. {
            let left = spec.pods - layout.pods;
            if left == 0 {
                break;
            }
            let size = (MEDIAN * (SIGMA * rng.normal()).exp()).round() as u32;
            let size = size.clamp(1, LARGEST).min(left);
            layout.fill_namespace(&format!("ns-{number:05}"), size, &mut rng);
        }
        layout
    }

    fn namespace(&mut self, name: &str) {
        self.namespaces.push(name.into());
    }

    fn fill_namespace(&mut self, name: &str, pods: u32, rng: &mut Rng) {
        self.namespace(name);
        let end = self.pods + pods;
        while self.pods < end {
            let kind = match rng.below(100) {
                0..70 => Kind::Deployment,
                70..85 => Kind::StatefulSet,
                _ => Kind::Job,
            };
            let size = 1 + rng.below(MOST_PODS_A_WORKLOAD) as u32;
            self.workload(kind, size.min(end - self.pods));
        }
    }

    fn workload(&mut self, kind: Kind, pods: u32) {
        self.workloads.push(Workload {
            first: self.pods,
            namespace: self.namespaces.len() as u32 - 1,
            kind,
        });
        self.pods += pods;
    }

    /// The workload of a pod, and its number. Costs a binary search.
    pub(crate) fn workload_of(&self, pod: u32) -> (u32, Workload) {
        let at = self.workloads.partition_point(|w| w.first <= pod) - 1;
        (at as u32, self.workloads[at])
    }
}
