use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use roaring::RoaringBitmap;
use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::labels::{Key, LabelSet, Value};
use crate::model::{ContainerPort, ObjectName, Pod, Revision};

use super::Posting;
use super::dictionary::{Dictionary, KeyId, PairId};
use super::namespaces::{NamespaceId, NamespaceTable};
use super::pod_ref::PodRef;
use super::templates::{Template, TemplateId, Templates};

/// A pod in the index: everything but its labels, which its template holds.
#[derive(Debug)]
pub(crate) struct PodRecord {
    /// The pod, without labels.
    pub(crate) pod: Pod,
    pub(crate) namespace: NamespaceId,
    pub(crate) template: TemplateId,
    pub(crate) revision: Revision,
    pub(crate) source: SmolStr,
}

/// Pods, and the postings from their labels and nodes to their ids.
///
/// Adding, changing or removing a pod touches only the postings of the pairs and keys that it gains
/// or loses, and that of its node.
#[derive(Debug, Default)]
pub struct Index {
    pub(crate) dictionary: Dictionary,
    pub(crate) templates: Templates,
    pub(crate) namespaces: NamespaceTable,
    records: Vec<Option<PodRecord>>,
    /// Every pod.
    pub(crate) live: RoaringBitmap,
    pub(crate) nodes: BTreeMap<SmolStr, Posting>,
    /// Container-port lists in use: pods of one workload share theirs.
    ports: BTreeMap<Arc<[ContainerPort]>, u32>,
    postings_touched: u64,
}

/// What a put did.
#[derive(Debug)]
pub(crate) struct Put {
    /// The pod's id.
    pub(crate) id: u32,
    /// What was there before.
    pub(crate) before: Option<PodRecord>,
}

impl Index {
    /// How often a posting gained or lost a pod, ever.
    pub fn postings_touched(&self) -> u64 {
        self.postings_touched
    }

    /// The number of pods.
    pub fn len(&self) -> u64 {
        self.live.len()
    }

    /// Whether there are no pods.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// The number of namespaces that have pods.
    pub fn namespace_count(&self) -> u64 {
        self.namespaces.len()
    }

    /// The number of distinct label keys.
    pub fn key_count(&self) -> u64 {
        self.dictionary.key_count()
    }

    /// The number of distinct label pairs.
    pub fn pair_count(&self) -> u64 {
        self.dictionary.pair_count()
    }

    /// The number of distinct label sets, each counted once in a namespace.
    pub fn template_count(&self) -> u64 {
        self.templates.len()
    }

    /// Whether so many pods more are sure to get an id.
    pub fn has_room_for(&self, pods: usize) -> bool {
        self.namespaces.has_room_for(pods)
    }

    /// The id of a pod.
    pub fn find(&self, name: &ObjectName) -> Option<u32> {
        self.namespaces
            .find(&name.namespace)?
            .pods
            .get(&name.name)
            .copied()
    }

    /// A pod by id.
    pub(crate) fn get(&self, id: u32) -> Option<PodRef<'_>> {
        let record = self.records.get(id as usize)?.as_ref()?;
        Some(PodRef::new(self, record))
    }

    /// A pod as it was before the transaction that is being applied.
    pub(crate) fn before<'i>(&'i self, record: &'i PodRecord) -> PodRef<'i> {
        PodRef::new(self, record)
    }

    /// Every pod with its id, by id.
    pub(crate) fn pods(&self) -> impl Iterator<Item = (u32, PodRef<'_>)> {
        let ids = 0..u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        ids.filter_map(|id| Some((id, self.get(id)?)))
    }

    /// The pairs of a pod's labels, by key id.
    pub(crate) fn pairs_of(&self, id: u32) -> Option<&[(KeyId, PairId)]> {
        let record = self.records.get(id as usize)?.as_ref()?;
        Some(&self.templates.get(record.template)?.pairs)
    }

    pub(crate) fn template(&self, id: TemplateId) -> Option<&Template> {
        self.templates.get(id)
    }

    /// The labels of a template, spelt out.
    pub(crate) fn template_labels(&self, id: TemplateId) -> LabelSet {
        self.templates.labels(&self.dictionary, id)
    }

    /// The stamps of those pairs of a template whose keys are `wanted`.
    pub(crate) fn template_stamps(
        &self,
        id: TemplateId,
        wanted: impl Fn(&Key) -> bool,
    ) -> SmallVec<[u64; 12]> {
        self.templates.stamps_of(&self.dictionary, id, wanted)
    }

    /// How many pods carry a label pair.
    pub(crate) fn pair_cardinality(&self, key: &Key, value: &Value) -> u64 {
        let pair = self
            .dictionary
            .find_pair(key, value)
            .and_then(|pair| self.dictionary.pair(pair));
        pair.map_or(0, |term| term.posting.len())
    }

    /// How many pods carry a label key.
    pub(crate) fn key_cardinality(&self, key: &Key) -> u64 {
        let key = self
            .dictionary
            .find_key(key)
            .and_then(|key| self.dictionary.key(key));
        key.map_or(0, |term| term.posting.len())
    }

    /// The pods that name this node.
    pub fn on_node(&self, node: &str) -> Option<&Posting> {
        self.nodes.get(node)
    }

    /// Creates or replaces a pod. With an empty source it stays whose it was. The caller made sure that
    /// there is room.
    pub(crate) fn put(&mut self, mut pod: Pod, revision: Revision, mut source: SmolStr) -> Put {
        let labels = std::mem::take(&mut pod.labels);
        pod.ports = self.share_ports(std::mem::take(&mut pod.ports));
        let (namespace, id, before) = match self.find(&pod.name) {
            Some(id) => {
                let before = self.records.get_mut(id as usize).and_then(Option::take);
                let namespace = self.namespaces.id(&pod.name.namespace);
                (namespace, id, before)
            }
            None => {
                let (namespace, id) = self.namespaces.insert(&pod.name.namespace, &pod.name.name);
                (Some(namespace), id, None)
            }
        };
        let Some(namespace) = namespace else {
            return Put { id, before };
        };
        let template = self.put_labels(id, namespace, before.as_ref(), &labels);
        self.post_node(
            id,
            before.as_ref().map(|b| &b.pod.node_name),
            Some(&pod.node_name),
        );
        if let Some(before) = &before {
            if source.is_empty() {
                source = before.source.clone();
            }
            self.release_ports(&before.pod.ports);
        }
        self.live.insert(id);
        if self.records.len() <= id as usize {
            self.records.resize_with(id as usize + 1, || None);
        }
        if let Some(slot) = self.records.get_mut(id as usize) {
            *slot = Some(PodRecord {
                pod,
                namespace,
                template,
                revision,
                source,
            });
        }
        Put { id, before }
    }

    /// Removes a pod. Its id is not given to another until [`Index::release`].
    pub(crate) fn remove(&mut self, name: &ObjectName) -> Option<(u32, PodRecord)> {
        let id = self.find(name)?;
        let before = self.records.get_mut(id as usize).and_then(Option::take)?;
        self.post_labels(id, Some(before.template), None);
        self.post_node(id, Some(&before.pod.node_name), None);
        self.templates
            .release(&mut self.dictionary, before.template);
        self.release_ports(&before.pod.ports);
        self.live.remove(id);
        self.namespaces.remove(before.namespace, &name.name);
        Some((id, before))
    }

    /// Gives back the id of a removed pod.
    pub(crate) fn release(&mut self, id: u32, before: &PodRecord) {
        self.namespaces.release(before.namespace, id);
    }

    /// Calls `f` with the pods of one namespace, by name, from behind `after` on, until it answers false.
    pub(crate) fn by_name(
        &self,
        namespace: &str,
        after: Option<&str>,
        mut f: impl FnMut(u32) -> bool,
    ) {
        use std::ops::Bound::{Excluded, Unbounded};
        let Some(namespace) = self.namespaces.find(namespace) else {
            return;
        };
        let from = after.map_or(Unbounded, Excluded);
        for id in namespace
            .pods
            .range::<str, _>((from, Unbounded))
            .map(|(_, id)| *id)
        {
            if !f(id) {
                return;
            }
        }
    }

    /// The id ranges of a namespace.
    pub(crate) fn ranges(&self, namespace: &str) -> Vec<Range<u32>> {
        self.namespaces
            .find(namespace)
            .map(|n| n.ranges())
            .unwrap_or_default()
    }

    fn share_ports(&mut self, ports: Arc<[ContainerPort]>) -> Arc<[ContainerPort]> {
        let shared = match self.ports.get_key_value(&ports) {
            Some((shared, _)) => shared.clone(),
            None => ports,
        };
        *self.ports.entry(shared.clone()).or_insert(0) += 1;
        shared
    }

    fn release_ports(&mut self, ports: &Arc<[ContainerPort]>) {
        if let Some(pods) = self.ports.get_mut(ports) {
            *pods -= 1;
            if *pods == 0 {
                self.ports.remove(ports);
            }
        }
    }

    /// Gives a pod its labels. Most changes leave them as they were, and that is found out first.
    fn put_labels(
        &mut self,
        id: u32,
        namespace: NamespaceId,
        before: Option<&PodRecord>,
        labels: &LabelSet,
    ) -> TemplateId {
        let before = before.map(|record| record.template);
        if let Some(template) = before
            && self
                .templates
                .has_labels(&self.dictionary, template, labels)
        {
            return template;
        }
        let template = self
            .templates
            .acquire(&mut self.dictionary, namespace, labels);
        self.post_labels(id, before, Some(template));
        if let Some(before) = before {
            self.templates.release(&mut self.dictionary, before);
        }
        template
    }

    /// Moves a pod between the postings of two templates, touching only what differs.
    fn post_labels(&mut self, id: u32, before: Option<TemplateId>, after: Option<TemplateId>) {
        if before == after {
            return;
        }
        let pairs = |t: Option<TemplateId>| {
            t.and_then(|t| self.templates.get(t))
                .map(|t| t.pairs.clone())
        };
        let (before, after) = (
            pairs(before).unwrap_or_default(),
            pairs(after).unwrap_or_default(),
        );
        let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
        loop {
            let (lost, gained) = match (old.peek(), new.peek()) {
                (None, None) => return,
                (Some(o), Some(n)) if o.0 == n.0 => (old.next().copied(), new.next().copied()),
                (Some(o), Some(n)) if o.0 < n.0 => (old.next().copied(), None),
                (Some(_), None) => (old.next().copied(), None),
                _ => (None, new.next().copied()),
            };
            if lost == gained {
                continue;
            }
            if let Some((_, pair)) = lost {
                self.dictionary.post_pair(pair, id, false);
                self.postings_touched += 1;
            }
            if let Some((_, pair)) = gained {
                self.dictionary.post_pair(pair, id, true);
                self.postings_touched += 1;
            }
            if let (Some((key, _)), None) | (None, Some((key, _))) = (lost, gained) {
                self.dictionary.post_key(key, id, gained.is_some());
                self.postings_touched += 1;
            }
        }
    }

    fn post_node(&mut self, id: u32, before: Option<&SmolStr>, after: Option<&SmolStr>) {
        if before == after {
            return;
        }
        if let Some(node) = before.filter(|node| !node.is_empty()) {
            self.postings_touched += 1;
            if let Some(posting) = self.nodes.get_mut(node) {
                posting.remove(id);
                if posting.is_empty() {
                    self.nodes.remove(node);
                }
            }
        }
        if let Some(node) = after.filter(|node| !node.is_empty()) {
            self.postings_touched += 1;
            self.nodes.entry(node.clone()).or_default().insert(id);
        }
    }
}
