use crate::model::{IpFamily, Pod};

use super::pod_ref::PodRef;

impl PodRef<'_> {
    /// Whether a pod of the same name is just as this one. What differs most often is looked at first;
    /// nothing is copied.
    pub(crate) fn equals(self, pod: &Pod) -> bool {
        self.ready() == pod.ready
            && self.phase() == pod.phase
            && self.has_timestamp_of(pod)
            && self.has_ips_of(pod)
            && *self.node_name() == pod.node_name
            && self.uid() == pod.uid
            && self.has_labels(&pod.labels)
            && *self.ports() == *pod.ports
            && self.hostname() == pod.hostname
            && *self.subdomain() == pod.subdomain
    }

    fn has_timestamp_of(self, pod: &Pod) -> bool {
        match (self.is_terminating(), &pod.deletion_timestamp) {
            (false, None) => true,
            (true, Some(_)) => self.pod().deletion_timestamp == pod.deletion_timestamp,
            _ => false,
        }
    }

    fn has_ips_of(self, pod: &Pod) -> bool {
        let of_families = self.ips(IpFamily::V4).chain(self.ips(IpFamily::V6));
        if pod.pod_ips.len() <= 1 {
            return of_families.eq(pod.pod_ips.iter().copied());
        }
        // Which family comes first counts, too.
        self.pod().pod_ips == pod.pod_ips
    }
}
