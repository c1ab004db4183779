use std::net::IpAddr;

use smallvec::SmallVec;
use smol_str::{SmolStr, ToSmolStr};

use crate::labels::LabelSet;
use crate::model::{ContainerPort, IpFamily, ObjectName, Phase, Pod, ReadyCondition, Revision};

use super::dictionary::{KeyId, PairId};
use super::pods::Index;
use super::record::{Extra, Hostname, PodRecord, SOURCE_ELSEWHERE, Shape};
use super::templates::TemplateId;
use super::uid::Uid;

/// No text.
static EMPTY: SmolStr = SmolStr::new_static("");

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
            None => self.record.uid.text().to_smolstr(),
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

    /// Whether it has a deletion timestamp.
    pub(crate) fn is_terminating(self) -> bool {
        self.extra()
            .is_some_and(|extra| extra.deletion_timestamp.is_some())
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
        self.index.templates.pair_of(self.record.labels, key)
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

    /// Whether the pod, labels and all, is just this one, whose name it has. Builds nothing.
    pub(crate) fn is(self, pod: &Pod) -> bool {
        let empty = Extra::default();
        let extra = self.extra().unwrap_or(&empty);
        self.record.ready == pod.ready
            && self.record.phase == pod.phase
            && extra.deletion_timestamp == pod.deletion_timestamp
            && self.has_uid(&pod.uid)
            && self.index.records.ips(self.record).as_slice() == pod.pod_ips.as_slice()
            && *self.node_name() == pod.node_name
            && self.has_shape(pod)
            && self.has_labels(&pod.labels)
    }

    fn has_uid(self, uid: &str) -> bool {
        match self.extra().and_then(|extra| extra.uid.as_ref()) {
            Some(own) => own == uid,
            None => Uid::read(uid) == Some(self.record.uid),
        }
    }

    /// Whether ports, subdomain and hostname are this pod's, whose name it has.
    pub(crate) fn has_shape(self, pod: &Pod) -> bool {
        self.shape().is_some_and(|shape| {
            let hostname = match &shape.hostname {
                Hostname::PodName => pod.hostname == pod.name.name,
                Hostname::Text(hostname) => *hostname == pod.hostname && *hostname != pod.name.name,
            };
            hostname && shape.subdomain == pod.subdomain && shape.ports == pod.ports
        })
    }

    /// Whether its labels are just these. Interns nothing and builds nothing.
    pub(crate) fn has_labels(self, labels: &LabelSet) -> bool {
        self.index
            .templates
            .has_labels(&self.index.dictionary, self.record.template, labels)
    }

    /// The pod, whole. Linear in its labels.
    pub(crate) fn pod(self) -> Pod {
        let shape = self.shape();
        Pod {
            name: self.name(),
            uid: self.uid(),
            labels: self.labels(),
            deletion_timestamp: self
                .extra()
                .and_then(|extra| extra.deletion_timestamp.clone()),
            node_name: self.node_name().clone(),
            hostname: self.hostname(),
            subdomain: self.subdomain().clone(),
            ports: shape.map(|shape| shape.ports.clone()).unwrap_or_default(),
            phase: self.record.phase,
            pod_ips: self.ips_in_order(),
            ready: self.record.ready,
        }
    }

    fn ips_in_order(self) -> SmallVec<[IpAddr; 1]> {
        self.index.records.ips(self.record)
    }

    fn extra(self) -> Option<&'i Extra> {
        self.index.records.extra(self.record)
    }

    fn shape(self) -> Option<&'i Shape> {
        self.index.shapes.get(self.record.shape)
    }
}
