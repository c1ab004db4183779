use smol_str::SmolStr;

use crate::model::Pod;

use super::pod_ref::PodRef;
use super::record::Hostname;
use super::uid::Uid;

impl PodRef<'_> {
    /// Whether a pod of the same name is just as this one. What differs most often is looked at first;
    /// nothing is built.
    pub(crate) fn equals(self, pod: &Pod) -> bool {
        self.ready() == pod.ready
            && self.phase() == pod.phase
            && self.deletion_timestamp() == pod.deletion_timestamp.as_ref()
            && self.ips_in_order() == pod.pod_ips
            && *self.node_name() == pod.node_name
            && self.has_uid(&pod.uid)
            && self.has_shape(pod)
            && self.has_labels(&pod.labels)
    }

    /// Whether two states of one pod have the same addresses, in the same order.
    pub(crate) fn has_addresses_of(self, other: PodRef<'_>) -> bool {
        self.records().same_ips(self.record, other.record)
    }

    /// Whether two states of one pod differ, if at all, in labels, phase, readiness and deletion alone.
    pub(crate) fn differs_in_status_alone(self, other: PodRef<'_>) -> bool {
        self.record.node == other.record.node
            && self.record.shape == other.record.shape
            && self.record.uid == other.record.uid
            && self.has_addresses_of(other)
            && self.extra_uid() == other.extra_uid()
    }

    fn extra_uid(&self) -> Option<&SmolStr> {
        self.extra().and_then(|extra| extra.uid.as_ref())
    }

    fn has_uid(self, uid: &str) -> bool {
        match self.extra_uid() {
            Some(own) => own == uid,
            None => Uid::read(uid) == Some(self.record.uid),
        }
    }

    /// Whether ports, subdomain and hostname are those of a pod of the same name.
    pub(crate) fn has_shape(self, pod: &Pod) -> bool {
        self.shape().is_some_and(|shape| {
            let hostname = match &shape.hostname {
                Hostname::PodName => pod.hostname == pod.name.name,
                Hostname::Text(hostname) => *hostname == pod.hostname && *hostname != pod.name.name,
            };
            hostname && shape.subdomain == pod.subdomain && shape.ports == pod.ports
        })
    }
}
