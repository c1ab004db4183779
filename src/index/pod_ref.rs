use std::net::IpAddr;

use smol_str::SmolStr;

use crate::labels::LabelSet;
use crate::model::{ContainerPort, IpFamily, ObjectName, Phase, Pod, ReadyCondition, Revision};

use super::pods::{Index, PodRecord};
use super::templates::TemplateId;

/// A pod as the index keeps it, and whatever it shares with others looked up when it is asked for.
///
/// Of a pod that is there, or of one as it was before the transaction that is being applied.
#[derive(Clone, Copy)]
pub(crate) struct PodRef<'i> {
    index: &'i Index,
    record: &'i PodRecord,
}

impl<'i> PodRef<'i> {
    pub(crate) fn new(index: &'i Index, record: &'i PodRecord) -> PodRef<'i> {
        PodRef { index, record }
    }

    /// Namespace and name.
    pub(crate) fn name(self) -> ObjectName {
        self.record.pod.name.clone()
    }

    pub(crate) fn namespace(self) -> &'i SmolStr {
        &self.record.pod.name.namespace
    }

    pub(crate) fn uid(self) -> SmolStr {
        self.record.pod.uid.clone()
    }

    pub(crate) fn node_name(self) -> &'i SmolStr {
        &self.record.pod.node_name
    }

    pub(crate) fn hostname(self) -> SmolStr {
        self.record.pod.hostname.clone()
    }

    pub(crate) fn subdomain(self) -> &'i SmolStr {
        &self.record.pod.subdomain
    }

    pub(crate) fn phase(self) -> Phase {
        self.record.pod.phase
    }

    pub(crate) fn ready(self) -> ReadyCondition {
        self.record.pod.ready
    }

    /// Whether it has a deletion timestamp.
    pub(crate) fn is_terminating(self) -> bool {
        self.record.pod.deletion_timestamp.is_some()
    }

    /// The addresses of one family, in the pod's order.
    pub(crate) fn ips(self, family: IpFamily) -> impl Iterator<Item = IpAddr> + 'i {
        self.record.pod.ips(family).copied()
    }

    pub(crate) fn ports(self) -> &'i [ContainerPort] {
        &self.record.pod.ports
    }

    pub(crate) fn template(self) -> TemplateId {
        self.record.template
    }

    pub(crate) fn revision(self) -> Revision {
        self.record.revision
    }

    /// Who wrote it, or empty.
    pub(crate) fn source(self) -> &'i SmolStr {
        &self.record.source
    }

    /// Its labels, spelt out.
    pub(crate) fn labels(self) -> LabelSet {
        self.index
            .templates
            .labels(&self.index.dictionary, self.record.template)
    }

    /// Whether its labels are just these. Interns nothing and builds nothing.
    pub(crate) fn has_labels(self, labels: &LabelSet) -> bool {
        self.index
            .templates
            .has_labels(&self.index.dictionary, self.record.template, labels)
    }

    /// The pod, whole. Linear in its labels.
    pub(crate) fn pod(self) -> Pod {
        Pod {
            labels: self.labels(),
            ..self.record.pod.clone()
        }
    }
}
