use std::sync::Arc;

use rustc_hash::FxHashMap;
use slab::Slab;
use smallvec::SmallVec;

use crate::labels::{Key, LabelSet};

use super::dictionary::{Dictionary, KeyId, KeyTerm, PairId, PairTerm};
use super::namespaces::NamespaceId;

/// A label set that pods of one namespace share, interned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateId(u32);

impl TemplateId {
    /// The template's slot: small numbers, reused. Its [`Template::stamp`] tells two uses apart.
    pub(crate) fn slot(self) -> usize {
        self.0 as usize
    }
}

/// The pairs of a label set, sorted by key id.
type Pairs = Arc<[(KeyId, PairId)]>;

/// A shared label set: its pairs, by key id.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) namespace: NamespaceId,
    pub(crate) pairs: Pairs,
    /// Never the same for two templates, even in the same slot.
    pub(crate) stamp: u64,
    pods: u32,
}

/// Every label set in use, each once per namespace.
///
/// Pods of one workload carry the same labels; what is known of a label set is known of all of them.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    slots: Slab<Template>,
    by_pairs: FxHashMap<(NamespaceId, Pairs), TemplateId>,
    stamps: u64,
}

impl Templates {
    pub(crate) fn get(&self, id: TemplateId) -> Option<&Template> {
        self.slots.get(id.slot())
    }

    pub(crate) fn len(&self) -> u64 {
        self.slots.len() as u64
    }

    /// The template of these labels, with one pod more.
    pub(crate) fn acquire(
        &mut self,
        dictionary: &mut Dictionary,
        namespace: NamespaceId,
        labels: &LabelSet,
    ) -> TemplateId {
        let mut pairs: Vec<(KeyId, PairId)> = labels
            .iter()
            .map(|(key, value)| dictionary.intern(key, value))
            .collect();
        pairs.sort_unstable();
        let pairs: Pairs = pairs.into();
        let lookup = (namespace, pairs);
        if let Some(id) = self.by_pairs.get(&lookup).copied() {
            // The template is a holder of its pairs already.
            lookup
                .1
                .iter()
                .for_each(|(_, pair)| dictionary.release(*pair));
            if let Some(template) = self.slots.get_mut(id.slot()) {
                template.pods += 1;
            }
            return id;
        }
        self.stamps += 1;
        let template = Template {
            namespace,
            pairs: lookup.1.clone(),
            stamp: self.stamps,
            pods: 1,
        };
        let id = TemplateId(self.slots.insert(template) as u32);
        self.by_pairs.insert(lookup, id);
        id
    }

    /// Whether a template is of just these labels. Interns nothing.
    pub(crate) fn has_labels(
        &self,
        dictionary: &Dictionary,
        id: TemplateId,
        labels: &LabelSet,
    ) -> bool {
        let same = |key: KeyId, pair: PairId| {
            let value = dictionary
                .key(key)
                .and_then(|term| labels.get(term.key.as_str()));
            value.is_some() && value == dictionary.pair(pair).map(|term| &term.value)
        };
        self.get(id).is_some_and(|template| {
            template.pairs.len() == labels.len()
                && template.pairs.iter().all(|(key, pair)| same(*key, *pair))
        })
    }

    /// One pod less; the last one frees the template and what it holds.
    pub(crate) fn release(&mut self, dictionary: &mut Dictionary, id: TemplateId) {
        let Some(template) = self.slots.get_mut(id.slot()) else {
            return;
        };
        template.pods -= 1;
        if template.pods > 0 {
            return;
        }
        let template = self.slots.remove(id.slot());
        template
            .pairs
            .iter()
            .for_each(|(_, pair)| dictionary.release(*pair));
        self.by_pairs.remove(&(template.namespace, template.pairs));
    }

    /// The labels, spelt out. Linear in their number.
    pub(crate) fn labels(&self, dictionary: &Dictionary, id: TemplateId) -> LabelSet {
        let mut labels = Vec::with_capacity(self.get(id).map_or(0, |t| t.pairs.len()));
        labels.extend(
            self.terms(dictionary, id)
                .map(|(key, pair)| (key.key.clone(), pair.value.clone())),
        );
        labels.into_iter().collect()
    }

    /// The stamps of those pairs whose keys are `wanted`: as good as the labels to tell two label sets
    /// apart that exist at the same time.
    pub(crate) fn stamps_of(
        &self,
        dictionary: &Dictionary,
        id: TemplateId,
        wanted: impl Fn(&Key) -> bool,
    ) -> SmallVec<[u64; 12]> {
        self.terms(dictionary, id)
            .filter(|(key, _)| wanted(&key.key))
            .map(|(_, pair)| pair.stamp)
            .collect()
    }

    fn terms<'d>(
        &self,
        dictionary: &'d Dictionary,
        id: TemplateId,
    ) -> impl Iterator<Item = (&'d KeyTerm, &'d PairTerm)> {
        let pairs = self.get(id).map(|template| &*template.pairs);
        pairs
            .unwrap_or_default()
            .iter()
            .filter_map(|(key, pair)| Some((dictionary.key(*key)?, dictionary.pair(*pair)?)))
    }
}

/// The pair that a list sorted by key id has for a key.
pub(crate) fn pair_of(pairs: &[(KeyId, PairId)], key: KeyId) -> Option<PairId> {
    pairs
        .binary_search_by_key(&key, |(k, _)| *k)
        .ok()
        .and_then(|at| pairs.get(at))
        .map(|(_, pair)| *pair)
}
