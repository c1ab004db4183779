use crate::index::PodRef;
use crate::model::{Conditions, ReadyCondition};

/// What of a pod decides the conditions of its endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Status {
    serving: bool,
    terminating: bool,
}

impl Status {
    pub(crate) fn of(pod: PodRef<'_>) -> Status {
        Status {
            serving: pod.ready() == ReadyCondition::True,
            terminating: pod.is_terminating(),
        }
    }

    /// The three conditions of an endpoint, from the Ready condition, the deletion timestamp and the
    /// service's `publishNotReadyAddresses`.
    ///
    /// As Kubernetes' endpointslice controller has it: terminating takes ready away, publishing gives
    /// it back, and neither touches serving. So other statuses are other conditions.
    pub(crate) fn conditions(self, publish_not_ready: bool) -> Conditions {
        let Status {
            serving,
            terminating,
        } = self;
        Conditions {
            ready: publish_not_ready || (serving && !terminating),
            serving,
            terminating,
        }
    }
}
