use std::ops::Range;

use roaring::RoaringBitmap;
use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::labels::{Key, LabelSet, Value};
use crate::model::{ObjectName, Pod, Revision};

use super::Posting;
use super::dictionary::Dictionary;
use super::intern::Interner;
use super::names::{Names, Sought, split};
use super::namespaces::NamespaceTable;
use super::nodes::NodeNames;
use super::pending::Pending;
use super::pod_ref::PodRef;
use super::record::{PodRecord, Records, References, SOURCE_ELSEWHERE, Shape, shape_of};
use super::templates::{Stamp, TemplateId, Templates};

/// Pods, and the postings from their labels and nodes to their ids.
///
/// Adding, changing or removing a pod touches only the postings of the pairs and keys that it gains
/// or loses, and that of its node.
#[derive(Debug, Default)]
pub struct Index {
    pub(crate) dictionary: Dictionary,
    pub(crate) templates: Templates,
    pub(crate) namespaces: NamespaceTable,
    pub(crate) names: Names,
    pub(crate) records: Records,
    pub(crate) shapes: Interner<Shape>,
    pub(crate) sources: Interner<SmolStr>,
    /// Every pod.
    pub(crate) live: RoaringBitmap,
    pub(crate) nodes: NodeNames,
    pub(super) pending: Pending,
    pub(super) postings_touched: u64,
}

/// Labels where they stand.
pub(crate) type Labels<'l> = SmallVec<[(&'l Key, &'l Value); 16]>;

/// What a put did.
#[derive(Debug)]
pub(crate) struct Put {
    /// The pod's id.
    pub(crate) id: u32,
    /// What was there before, to be given to [`Index::release`] once nobody looks at it any more.
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

    /// The number of distinct lists of labels that pods share.
    pub fn template_count(&self) -> u64 {
        self.templates.len()
    }

    /// Whether so many pods more are sure to get an id.
    pub fn has_room_for(&self, pods: usize) -> bool {
        self.namespaces.has_room_for(pods)
    }

    /// The id of a pod.
    pub fn find(&self, name: &ObjectName) -> Option<u32> {
        let namespace = self.namespaces.id(&name.namespace)?;
        self.names.find(&self.records, namespace, &name.name)
    }

    /// A pod by id.
    pub(crate) fn get(&self, id: u32) -> Option<PodRef<'_>> {
        Some(PodRef::new(self, self.records.get(id)?))
    }

    /// A pod as it was before the transaction that is being applied.
    pub(crate) fn before<'i>(&'i self, record: &'i PodRecord) -> PodRef<'i> {
        PodRef::new(self, record)
    }

    /// Every pod with its id, by id.
    pub(crate) fn pods(&self) -> impl Iterator<Item = (u32, PodRef<'_>)> {
        (0..self.records.len()).filter_map(|id| Some((id, self.get(id)?)))
    }

    /// What tells a template apart from another that gets its id later.
    pub(crate) fn template_stamp(&self, id: TemplateId) -> Option<Stamp> {
        self.templates.stamp(id)
    }

    /// The labels of a template, spelt out.
    pub(crate) fn template_labels(&self, id: TemplateId) -> LabelSet {
        self.templates.labels(&self.dictionary, id)
    }

    /// The same, in no order, where they stand.
    pub(crate) fn template_terms(&self, id: TemplateId) -> Labels<'_> {
        let mut labels = Labels::new();
        self.templates.for_each_pair(id, |pair| {
            let key = self.dictionary.key_of(pair);
            let terms = key
                .and_then(|key| self.dictionary.key(key))
                .zip(self.dictionary.pair(pair));
            if let Some((key, pair)) = terms {
                labels.push((&key.key, &pair.value));
            }
        });
        labels
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
        self.nodes.pods(node)
    }

    /// The id of a pod whose name has been looked for before, or has not.
    fn find_sought(&self, name: &ObjectName, sought: Option<&Sought>) -> Option<u32> {
        match sought {
            Some(sought) => self.names.find_sought(&self.records, sought, &name.name),
            None => self.find(name),
        }
    }

    /// Creates or replaces a pod. Without a source it stays whose it was, or is nobody's. The caller made
    /// sure that there is room, and calls [`Index::settle`] before the postings are read.
    pub(crate) fn put(
        &mut self,
        pod: &Pod,
        revision: Revision,
        source: Option<&SmolStr>,
        sought: Option<&Sought>,
    ) -> Put {
        match self.find_sought(&pod.name, sought) {
            Some(id) => Put {
                id,
                before: self.replace(id, pod, revision, source),
            },
            None => Put {
                id: self.create(pod, revision, source, sought),
                before: None,
            },
        }
    }

    fn create(
        &mut self,
        pod: &Pod,
        revision: Revision,
        source: Option<&SmolStr>,
        sought: Option<&Sought>,
    ) -> u32 {
        let known = sought.map(|sought| sought.namespace);
        let (namespace, id) = self.namespaces.take_id(&pod.name.namespace, known);
        let Some(entry) = self.namespaces.get_mut(namespace) else {
            return id;
        };
        let (group, suffix) = self
            .names
            .enter(namespace, &mut entry.groups, &pod.name.name);
        // Another of its workload, from which most is learnt without a look-up.
        let near = self.names.group(group).and_then(|group| group.pods.last());
        let near = near.and_then(|id| self.records.get(id)).copied();
        let labels = self.labels_of_new(near.map(|near| near.labels), &pod.labels);
        let node = self.nodes.acquire(&pod.node_name);
        let source = source.cloned().unwrap_or_default();
        let refers = References {
            group,
            labels,
            node,
            shape: self.shape_of_new(near.as_ref(), pod),
            source: self.source_of_new(near.as_ref(), &source),
        };
        self.records.put(id, pod, suffix, refers, source, revision);
        self.names.add(&self.records, id, sought);
        self.live.insert(id);
        self.post_labels(id, None, Some(labels));
        self.post_node(id, node, true);
        id
    }

    fn labels_of_new(&mut self, near: Option<TemplateId>, labels: &LabelSet) -> TemplateId {
        let template = self.templates.acquire(&mut self.dictionary, labels, near);
        if let Some(near) = near.filter(|near| *near != template) {
            self.templates.compare(&mut self.dictionary, template, near);
        }
        template
    }

    fn shape_of_new(&mut self, near: Option<&PodRecord>, pod: &Pod) -> u32 {
        match near.filter(|near| PodRef::new(self, near).has_shape(pod)) {
            Some(near) => self.shapes.retain(near.shape),
            None => self.shapes.acquire(shape_of(pod)),
        }
    }

    fn source_of_new(&mut self, near: Option<&PodRecord>, source: &SmolStr) -> Option<u16> {
        let near = near.map(|near| near.source);
        match near.filter(|near| self.sources.get(u32::from(*near)) == Some(source)) {
            Some(near) => {
                self.sources.retain(u32::from(near));
                Some(near)
            }
            None => self.acquire_source(source),
        }
    }

    /// Writes a pod over what is there. Most changes leave most of it as it was, and that is found out
    /// without a look-up: a reference that stays is not counted anew.
    fn replace(
        &mut self,
        id: u32,
        pod: &Pod,
        revision: Revision,
        source: Option<&SmolStr>,
    ) -> Option<PodRecord> {
        let before = *self.records.get(id)?;
        let was = PodRef::new(self, &before);
        let (same_node, same_shape) = (*was.node_name() == pod.node_name, was.has_shape(pod));
        let same_source = source.is_none_or(|source| was.source() == source);
        let same_labels = was.has_labels(&pod.labels);
        let source = source.unwrap_or(was.source()).clone();
        let labels = if same_labels {
            before.labels
        } else {
            let near = Some(before.labels);
            self.templates
                .acquire(&mut self.dictionary, &pod.labels, near)
        };
        let node = if same_node {
            before.node
        } else {
            self.nodes.acquire(&pod.node_name)
        };
        let shape = if same_shape {
            before.shape
        } else {
            self.shapes.acquire(shape_of(pod))
        };
        let known_source = Some(before.source).filter(|source| *source != SOURCE_ELSEWHERE);
        let refers = References {
            group: before.group,
            labels,
            node,
            shape,
            source: known_source
                .filter(|_| same_source)
                .or_else(|| self.acquire_source(&source)),
        };
        let (_, suffix) = split(&pod.name.name);
        self.records.put(id, pod, suffix, refers, source, revision);
        self.post_labels(id, Some(before.labels), Some(labels));
        if node != before.node {
            self.post_node(id, before.node, false);
            self.post_node(id, node, true);
        }
        Some(before)
    }

    /// Removes a pod. Its id, and what it refers to, stay until [`Index::release`]; and until
    /// [`Index::settle`], which is to come before that, it stands in postings.
    pub(crate) fn remove(
        &mut self,
        name: &ObjectName,
        sought: Option<&Sought>,
    ) -> Option<(u32, PodRecord)> {
        let id = self.find_sought(name, sought)?;
        self.names.remove(&self.records, id);
        let before = self.records.take(id)?;
        self.post_labels(id, Some(before.labels), None);
        self.post_node(id, before.node, false);
        self.live.remove(id);
        Some((id, before))
    }

    /// Forgets what a pod was before the transaction: gives back what the record referred to and the
    /// pod now does not, and its id if it is gone.
    pub(crate) fn release(&mut self, id: u32, before: &PodRecord) {
        let now = self.records.get(id).copied();
        self.records.forget(before);
        if now.is_none_or(|now| now.labels != before.labels) {
            self.templates.release(&mut self.dictionary, before.labels);
        }
        if now.is_none_or(|now| now.node != before.node) {
            self.nodes.release(before.node);
        }
        if now.is_none_or(|now| now.shape != before.shape) {
            self.shapes.release(before.shape);
        }
        if before.source != SOURCE_ELSEWHERE && now.is_none_or(|now| now.source != before.source) {
            self.sources.release(u32::from(before.source));
        }
        if now.is_some() {
            return;
        }
        let Some(namespace) = self.names.group(before.group).map(|group| group.namespace) else {
            return;
        };
        if let Some(entry) = self.namespaces.get_mut(namespace) {
            self.names.leave(before.group, &mut entry.groups);
        }
        self.namespaces.give_back(namespace, id);
    }

    /// Calls `f` with the pods of one namespace, by name, from behind `after` on, until it answers false.
    pub(crate) fn by_name(&self, namespace: &str, after: Option<&str>, f: impl FnMut(u32) -> bool) {
        if let Some(id) = self.namespaces.id(namespace)
            && let Some(entry) = self.namespaces.get(id)
        {
            self.names.walk(&self.records, id, &entry.groups, after, f);
        }
    }

    /// The id ranges of a namespace.
    pub(crate) fn ranges(&self, namespace: &str) -> &[Range<u32>] {
        self.namespaces
            .find(namespace)
            .map(|namespace| namespace.ranges())
            .unwrap_or_default()
    }

    /// The id of a source, held by one more; none if there are too many sources for a record.
    fn acquire_source(&mut self, source: &SmolStr) -> Option<u16> {
        let id = self.sources.acquire(source.clone());
        let short = u16::try_from(id).ok().filter(|id| *id != SOURCE_ELSEWHERE);
        if short.is_none() {
            self.sources.release(id);
        }
        short
    }
}
