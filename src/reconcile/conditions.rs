use crate::index::PodRef;
use crate::model::{Conditions, ReadyCondition};

/// The three conditions of an endpoint, from the Ready condition, the deletion timestamp and the
/// service's `publishNotReadyAddresses`.
///
/// As Kubernetes' endpointslice controller has it: terminating takes ready away, publishing gives it
/// back, and neither touches serving.
pub(crate) fn conditions(pod: PodRef<'_>, publish_not_ready: bool) -> Conditions {
    let serving = pod.ready() == ReadyCondition::True;
    let terminating = pod.is_terminating();
    Conditions {
        ready: publish_not_ready || (serving && !terminating),
        serving,
        terminating,
    }
}
