use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::index::{Index, Labels, Posting, Stamp, TemplateId};
use crate::labels::{Key, LabelSet, Value};
use crate::selector::Selector;

use super::class::{ClassCache, Generation, Owners};
use super::stored_selector::StandingSelector;
use super::term::{Term, TermHash, hash_key, hash_pair, terms_of};

/// Whose a standing selector is: the id of a service or of a live query.
pub(crate) type Owner = u32;

/// A list tested in vain this many times per selector in it is filed anew.
const VAIN: u32 = 16;

/// Where the selectors themselves are kept: once, with their owners.
pub(crate) trait Selectors {
    /// The selector of an owner that has one standing.
    fn standing(&self, owner: Owner) -> Option<StandingSelector<'_>>;
}

#[derive(Debug, Default)]
struct List {
    owners: Posting,
    /// Tests of these selectors that failed since the list was last looked through.
    vain: u32,
}

/// The selectors of one namespace that are to be told of changes, and the way back from labels to
/// those that match.
///
/// A selector is filed under the positive requirement that fewest others are filed under, so that a
/// label set is tested against few. Those with none (`!key`, `notin`, `!=`, everything) stand on a
/// list that is always tested. What was found for a label set is remembered, see [`ClassCache`].
#[derive(Debug, Default)]
pub(crate) struct Standing {
    generation: Generation,
    lists: FxHashMap<TermHash, List>,
    unfiled: Posting,
    len: u32,
}

impl Standing {
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// When its selectors last changed.
    pub(super) fn generation(&self) -> Generation {
        self.generation
    }

    /// Registers a selector. The index breaks ties: by how many pods carry a pair or key.
    pub(crate) fn insert(
        &mut self,
        owner: Owner,
        selector: &Selector,
        index: &Index,
        classes: &mut ClassCache,
    ) {
        self.file(owner, selector, index);
        self.len += 1;
        self.generation = classes.next_generation();
    }

    /// Takes a selector out, which was registered.
    pub(crate) fn remove(&mut self, owner: Owner, selector: &Selector, classes: &mut ClassCache) {
        self.unfile(owner, selector);
        self.len -= 1;
        self.generation = classes.next_generation();
    }

    /// Whose selectors match the pods of a template, in order. `tested` counts the selectors looked at.
    pub(crate) fn matching(
        &mut self,
        id: TemplateId,
        stamp: Stamp,
        index: &Index,
        selectors: &impl Selectors,
        classes: &mut ClassCache,
        tested: &mut u64,
    ) -> Owners {
        if let Some(known) = classes.get(self.generation, stamp) {
            return known.clone();
        }
        let labels = index.template_terms(id);
        let owners = self.match_anew(&labels, index, selectors, tested);
        classes.remember(self.generation, stamp, &owners);
        owners
    }

    /// Whose selectors match these labels, in order. Remembers nothing.
    pub(crate) fn matching_labels(&self, labels: &LabelSet, selectors: &impl Selectors) -> Owners {
        let mut owners = Owners::new();
        let labels: Labels<'_> = labels.iter().collect();
        self.test(&labels, selectors, &mut owners, &mut 0, |_, _| {});
        owners
    }

    fn match_anew(
        &mut self,
        labels: &[(&Key, &Value)],
        index: &Index,
        selectors: &impl Selectors,
        tested: &mut u64,
    ) -> Owners {
        let mut owners = Owners::new();
        let mut vain: Vec<(TermHash, u32)> = Vec::new();
        self.test(labels, selectors, &mut owners, tested, |term, failed| {
            vain.push((term, failed))
        });
        for (term, failed) in vain {
            let Some(list) = self.lists.get_mut(&term) else {
                continue;
            };
            list.vain = list.vain.saturating_add(failed);
            if u64::from(list.vain / VAIN) > list.owners.len().max(4) {
                list.vain = 0;
                self.file_anew(term, index, selectors);
            }
        }
        owners
    }

    fn test(
        &self,
        labels: &[(&Key, &Value)],
        selectors: &impl Selectors,
        owners: &mut Owners,
        tested: &mut u64,
        mut vain: impl FnMut(TermHash, u32),
    ) {
        let mut look = |candidates: &Posting| {
            let mut failed = 0;
            candidates.for_each(|owner| {
                *tested += 1;
                if selectors
                    .standing(owner)
                    .is_some_and(|s| s.matches_terms(labels))
                {
                    owners.push(owner);
                } else {
                    failed += 1;
                }
            });
            failed
        };
        look(&self.unfiled);
        for (key, value) in labels {
            for term in [hash_pair(key, value), hash_key(key)] {
                if let Some(list) = self.lists.get(&term) {
                    let failed = look(&list.owners);
                    if failed > 0 {
                        vain(term, failed);
                    }
                }
            }
        }
        // Where hashes collide, two labels lead to one list.
        owners.sort_unstable();
        owners.dedup();
    }

    /// Files a selector under the terms of the positive requirement under which fewest are filed.
    fn file(&mut self, owner: Owner, selector: &Selector, index: &Index) {
        let filed = |term: &Term<'_>| {
            let list = self.lists.get(&term.hash());
            list.map_or(0, |list| list.owners.len())
        };
        let terms = selector
            .requirements()
            .iter()
            .map(terms_of)
            .filter(|terms| !terms.is_empty())
            .min_by_key(|terms| {
                let load: u64 = terms.iter().map(|term| 1 + filed(term)).sum();
                let pods: u64 = terms.iter().map(|term| term.cardinality(index)).sum();
                (load, pods)
            });
        match terms {
            None => {
                self.unfiled.insert(owner);
            }
            Some(terms) => {
                for term in terms {
                    let list = self.lists.entry(term.hash()).or_default();
                    list.owners.insert(owner);
                }
            }
        }
    }

    /// Takes a selector from wherever it is filed.
    fn unfile(&mut self, owner: Owner, selector: &Selector) {
        self.unfiled.remove(owner);
        for term in selector.requirements().iter().flat_map(terms_of) {
            let term = term.hash();
            if let Some(list) = self.lists.get_mut(&term) {
                list.owners.remove(owner);
                if list.owners.is_empty() {
                    self.lists.remove(&term);
                }
            }
        }
    }

    /// Moves the selectors of a list to better places, where there are any. Costs the list's length
    /// squared at worst, paid for by the tests that were in vain.
    fn file_anew(&mut self, term: TermHash, index: &Index, selectors: &impl Selectors) {
        let mut owners = Vec::new();
        if let Some(list) = self.lists.get(&term) {
            list.owners.for_each(|owner| owners.push(owner));
        }
        for owner in owners {
            if let Some(selector) = selectors.standing(owner) {
                let selector = selector.to_selector();
                self.unfile(owner, &selector);
                self.file(owner, &selector, index);
            }
        }
    }

    /// Whether a selector is filed where labels that it matches lead to it.
    pub(crate) fn holds(&self, owner: Owner, selector: &Selector) -> bool {
        let filed = |term: &Term<'_>| {
            let list = self.lists.get(&term.hash());
            list.is_some_and(|list| list.owners.contains(owner))
        };
        let by = |terms: Vec<Term<'_>>| !terms.is_empty() && terms.iter().all(filed);
        self.unfiled.contains(owner) || selector.requirements().iter().map(terms_of).any(by)
    }

    /// Every owner, in order.
    fn owners(&self) -> BTreeSet<Owner> {
        let mut owners = BTreeSet::new();
        for posting in self.lists.values().map(|list| &list.owners) {
            posting.for_each(|owner| {
                owners.insert(owner);
            });
        }
        self.unfiled.for_each(|owner| {
            owners.insert(owner);
        });
        owners
    }

    /// Compares what the reverse index finds for the pods of some templates, and what is remembered of
    /// them, with a test of every selector; and looks whether every selector is filed as it should be.
    pub(crate) fn verify(
        &self,
        templates: impl IntoIterator<Item = TemplateId>,
        index: &Index,
        selectors: &impl Selectors,
        classes: &ClassCache,
        report: &mut dyn FnMut(String),
    ) {
        let owners = self.owners();
        if owners.len() != self.len as usize {
            report(format!(
                "reverse index has selectors of {} owners, of {} by its count",
                owners.len(),
                self.len
            ));
        }
        for owner in &owners {
            let selector = selectors
                .standing(*owner)
                .map(StandingSelector::to_selector);
            if selector.is_none_or(|selector| !self.holds(*owner, &selector)) {
                report(format!(
                    "reverse index has a wrong place for selector {owner}"
                ));
            }
        }
        for id in templates {
            let labels = index.template_labels(id);
            let matches = |o: &Owner| selectors.standing(*o).is_some_and(|s| s.matches(&labels));
            let expected: Owners = owners.iter().copied().filter(matches).collect();
            if self.matching_labels(&labels, selectors) != expected {
                report(format!(
                    "reverse index misses selectors that match {labels}"
                ));
            }
            let known = index
                .template_stamp(id)
                .and_then(|stamp| classes.peek(self.generation, stamp));
            if let Some(known) = known.filter(|known| **known != expected) {
                report(format!(
                    "class of {labels} remembers selectors {known:?}, {expected:?} match"
                ));
            }
        }
    }

    /// Bytes it has allocated, without those of long lists.
    pub(crate) fn bytes(&self) -> u64 {
        (self.lists.capacity() * (size_of::<(TermHash, List)>() + 1)) as u64
    }
}
