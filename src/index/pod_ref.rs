use std::net::IpAddr;

use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::labels::LabelSet;
use crate::model::{ContainerPort, IpFamily, ObjectName, Phase, Pod, ReadyCondition, Revision};

use super::dictionary::{KeyId, PairId};
use super::pods::Index;
use super::record::{Extra, Hostname, PodRecord, Records, SOURCE_ELSEWHERE, Shape};
use super::templates::TemplateId;

/// No text.
static EMPTY: SmolStr = SmolStr::new_static("");

/// A pod as the index keeps it, and whatever it shares with others looked up when it is asked for.
///
/// Of a pod that is there, or of one as it was before the transaction that is being applied.
#[derive(Clone, Copy)]
pub(crate) struct PodRef<'i> {
    index: &'i Index,
    pub(super) record: &'i PodRecord,
}

impl<'i> PodRef<'i> {
    pub(crate) fn new(index: &'i Index, record: &'i PodRecord) -> PodRef<'i> {
        PodRef { index, record }
    }

    /// Namespace and name.
    pub(crate) fn name(self) -> ObjectName {
        ObjectName {
            namespace: self.namespace().clone(),
            name: self.index.names.name(&self.index.records, self.record),
        }
    }

    pub(crate) fn namespace(self) -> &'i SmolStr {
        let group = self.index.names.group(self.record.group);
        let namespace = group.and_then(|group| self.index.namespaces.get(group.namespace));
        namespace.map_or(&EMPTY, |namespace| &namespace.name)
    }

    pub(crate) fn uid(self) -> SmolStr {
        match self.extra().and_then(|extra| extra.uid.clone()) {
            Some(uid) => uid,
            None => self.record.uid.text(),
        }
    }

    pub(crate) fn node_name(self) -> &'i SmolStr {
        self.index.nodes.name(self.record.node).unwrap_or(&EMPTY)
    }

    pub(crate) fn hostname(self) -> SmolStr {
        match self.shape().map(|shape| &shape.hostname) {
            Some(Hostname::PodName) => self.index.names.name(&self.index.records, self.record),
            Some(Hostname::Text(hostname)) => hostname.clone(),
            None => SmolStr::default(),
        }
    }

    pub(crate) fn subdomain(self) -> &'i SmolStr {
        self.shape().map_or(&EMPTY, |shape| &shape.subdomain)
    }

    pub(crate) fn phase(self) -> Phase {
        self.record.phase
    }

    pub(crate) fn ready(self) -> ReadyCondition {
        self.record.ready
    }

    pub(crate) fn deletion_timestamp(self) -> Option<&'i SmolStr> {
        self.extra()
            .and_then(|extra| extra.deletion_timestamp.as_ref())
    }

    /// Whether it has a deletion timestamp.
    pub(crate) fn is_terminating(self) -> bool {
        self.deletion_timestamp().is_some()
    }

    /// The addresses of one family, in the pod's order.
    pub(crate) fn ips(self, family: IpFamily) -> impl Iterator<Item = IpAddr> + 'i {
        self.index
            .records
            .ips(self.record)
            .into_iter()
            .filter(move |ip| IpFamily::of(ip) == family)
    }

    pub(crate) fn ports(self) -> &'i [ContainerPort] {
        self.shape().map(|shape| &*shape.ports).unwrap_or_default()
    }

    pub(crate) fn template(self) -> TemplateId {
        self.record.labels
    }

    pub(crate) fn revision(self) -> Revision {
        self.record.revision
    }

    /// Who wrote it, or empty.
    pub(crate) fn source(self) -> &'i SmolStr {
        if self.record.source == SOURCE_ELSEWHERE {
            let source = self.extra().and_then(|extra| extra.source.as_ref());
            return source.unwrap_or(&EMPTY);
        }
        let source = self.index.sources.get(u32::from(self.record.source));
        source.unwrap_or(&EMPTY)
    }

    /// The pair it has for a label key.
    pub(crate) fn pair_of(self, key: KeyId) -> Option<PairId> {
        let dictionary = &self.index.dictionary;
        self.index
            .templates
            .pair_of(dictionary, self.record.labels, key)
    }

    /// Its labels, spelt out.
    pub(crate) fn labels(self) -> LabelSet {
        self.index.template_labels(self.record.labels)
    }

    /// Whether the labels are just these. Spells nothing out.
    pub(crate) fn has_labels(self, labels: &LabelSet) -> bool {
        let dictionary = &self.index.dictionary;
        self.index
            .templates
            .has_labels(dictionary, self.record.labels, labels)
    }

    /// The pod, whole. Linear in its labels.
    pub(crate) fn pod(self) -> Pod {
        let shape = self.shape();
        Pod {
            name: self.name(),
            uid: self.uid(),
            labels: self.labels(),
            deletion_timestamp: self.deletion_timestamp().cloned(),
            node_name: self.node_name().clone(),
            hostname: self.hostname(),
            subdomain: self.subdomain().clone(),
            ports: shape.map(|shape| shape.ports.clone()).unwrap_or_default(),
            phase: self.record.phase,
            pod_ips: self.ips_in_order(),
            ready: self.record.ready,
        }
    }

    /// The addresses, in the pod's order.
    pub(super) fn ips_in_order(self) -> SmallVec<[IpAddr; 1]> {
        self.index.records.ips(self.record)
    }

    pub(super) fn records(self) -> &'i Records {
        &self.index.records
    }

    pub(super) fn extra(self) -> Option<&'i Extra> {
        self.index.records.extra(self.record)
    }

    pub(super) fn shape(self) -> Option<&'i Shape> {
        self.index.shapes.get(self.record.shape)
    }
}
