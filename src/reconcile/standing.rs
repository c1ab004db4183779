use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::index::{Index, Stamp, TemplateId};
use crate::labels::{Key, LabelSet, Value};
use crate::selector::{Requirement, Selector};

use super::class::ClassCache;

/// Whose a standing selector is: the id of a service or of a live query.
pub(crate) type Owner = u32;

/// A list tested in vain this many times per selector in it is filed anew.
const VAIN: u64 = 16;

/// Where selectors are filed: under a pair or a key that whatever they match must carry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Term {
    Pair(Key, Value),
    Key(Key),
}

#[derive(Debug, Default)]
struct List {
    owners: BTreeSet<Owner>,
    /// Tests of these selectors that failed since the list was last looked through.
    vain: u64,
}

#[derive(Debug)]
struct Filed {
    selector: Selector,
    /// Empty: on the short list of those that no pair or key announces.
    filed: Vec<Term>,
}

/// Selectors that are to be told of changes, and the way back from labels to those that match.
///
/// A selector is filed under the positive requirement that fewest others are filed under, so that a
/// label set is tested against few. Those with none (`!key`, `notin`, `!=`, everything) stand on a
/// list that is always tested. What a label set looks like to the selectors, its class, is matched
/// once and remembered.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    selectors: BTreeMap<Owner, Filed>,
    lists: BTreeMap<Term, List>,
    unfiled: BTreeSet<Owner>,
    /// How many selectors look at a key.
    keys: BTreeMap<Key, u32>,
    classes: ClassCache,
}

impl Standing {
    pub(crate) fn is_empty(&self) -> bool {
        self.selectors.is_empty()
    }

    pub(crate) fn selector_of(&self, owner: Owner) -> Option<&Selector> {
        self.selectors.get(&owner).map(|filed| &filed.selector)
    }

    pub(crate) fn classes(&self) -> u64 {
        self.classes.len()
    }

    /// Registers a selector. `cardinality` says how many pods carry a pair or key, to break ties.
    pub(crate) fn insert(&mut self, owner: Owner, selector: Selector, index: &Index) {
        for requirement in selector.requirements() {
            *self.keys.entry(requirement.key().clone()).or_default() += 1;
        }
        let filed = self.best_terms(&selector, index);
        self.file(owner, &filed);
        self.selectors.insert(owner, Filed { selector, filed });
        self.classes.raise_generation();
    }

    /// Takes a selector out.
    pub(crate) fn remove(&mut self, owner: Owner) {
        let Some(standing) = self.selectors.remove(&owner) else {
            return;
        };
        for requirement in standing.selector.requirements() {
            if let Some(count) = self.keys.get_mut(requirement.key()) {
                *count -= 1;
                if *count == 0 {
                    self.keys.remove(requirement.key());
                }
            }
        }
        self.unfile(owner, &standing.filed);
        self.classes.raise_generation();
    }

    /// Whose selectors match the pods of a template, in order. `tested` counts the selectors looked at.
    pub(crate) fn matching(
        &mut self,
        id: TemplateId,
        stamp: Stamp,
        index: &Index,
        tested: &mut u64,
    ) -> Arc<[Owner]> {
        if let Some(known) = self.classes.of_template(id, stamp) {
            return known;
        }
        let class = index.template_stamps(id, |key| self.keys.contains_key(key));
        let owners = match self.classes.of_class(&class) {
            Some(known) => known,
            None => {
                let labels = index.template_labels(id);
                let owners: Arc<[Owner]> = self.match_anew(&labels, index, tested).into();
                self.classes.remember_class(&class, owners.clone());
                owners
            }
        };
        self.classes.remember_template(id, stamp, owners.clone());
        owners
    }

    /// Whose selectors match these labels, in order. Remembers nothing.
    pub(crate) fn matching_labels(&self, labels: &LabelSet) -> Vec<Owner> {
        let mut owners = Vec::new();
        let mut tested = 0;
        self.test(labels, &mut owners, &mut tested, |_, _| {});
        owners
    }

    fn match_anew(&mut self, labels: &LabelSet, index: &Index, tested: &mut u64) -> Vec<Owner> {
        let mut owners = Vec::new();
        let mut vain: Vec<(Term, u64)> = Vec::new();
        self.test(labels, &mut owners, tested, |term, failed| {
            vain.push((term, failed))
        });
        for (term, failed) in vain {
            let Some(list) = self.lists.get_mut(&term) else {
                continue;
            };
            list.vain += failed;
            if list.vain > VAIN * list.owners.len().max(4) as u64 {
                list.vain = 0;
                self.file_anew(&term, index);
            }
        }
        owners
    }

    fn test(
        &self,
        labels: &LabelSet,
        owners: &mut Vec<Owner>,
        tested: &mut u64,
        mut vain: impl FnMut(Term, u64),
    ) {
        let mut look = |candidates: &BTreeSet<Owner>| {
            let before = owners.len();
            *tested += candidates.len() as u64;
            let matches = |owner: &&Owner| {
                self.selectors
                    .get(owner)
                    .is_some_and(|s| s.selector.matches(labels))
            };
            owners.extend(candidates.iter().filter(matches));
            (candidates.len() - (owners.len() - before)) as u64
        };
        look(&self.unfiled);
        let looked_at = labels
            .iter()
            .filter(|(key, _)| self.keys.contains_key(*key));
        for (key, value) in looked_at {
            for term in [
                Term::Pair(key.clone(), value.clone()),
                Term::Key(key.clone()),
            ] {
                if let Some(list) = self.lists.get(&term) {
                    let failed = look(&list.owners);
                    if failed > 0 {
                        vain(term, failed);
                    }
                }
            }
        }
        owners.sort_unstable();
    }

    /// The terms of the positive requirement under which fewest selectors are filed.
    fn best_terms(&self, selector: &Selector, index: &Index) -> Vec<Term> {
        let filed = |term: &Term| {
            self.lists
                .get(term)
                .map_or(0, |list| list.owners.len() as u64)
        };
        let cardinality = |term: &Term| match term {
            Term::Pair(key, value) => index.pair_cardinality(key, value),
            Term::Key(key) => index.key_cardinality(key),
        };
        selector
            .requirements()
            .iter()
            .map(terms_of)
            .filter(|terms| !terms.is_empty())
            .min_by_key(|terms| {
                let load: u64 = terms.iter().map(|term| 1 + filed(term)).sum();
                (load, terms.iter().map(cardinality).sum::<u64>())
            })
            .unwrap_or_default()
    }

    fn file(&mut self, owner: Owner, terms: &[Term]) {
        if terms.is_empty() {
            self.unfiled.insert(owner);
        }
        for term in terms {
            self.lists
                .entry(term.clone())
                .or_default()
                .owners
                .insert(owner);
        }
    }

    fn unfile(&mut self, owner: Owner, terms: &[Term]) {
        if terms.is_empty() {
            self.unfiled.remove(&owner);
        }
        for term in terms {
            if let Some(list) = self.lists.get_mut(term) {
                list.owners.remove(&owner);
                if list.owners.is_empty() {
                    self.lists.remove(term);
                }
            }
        }
    }

    /// Moves the selectors of a list to better places, where there are any. Costs the list's length
    /// squared at worst, paid for by the tests that were in vain.
    fn file_anew(&mut self, term: &Term, index: &Index) {
        let owners = self
            .lists
            .get(term)
            .map(|list| list.owners.clone())
            .unwrap_or_default();
        for owner in owners {
            let Some(mut standing) = self.selectors.remove(&owner) else {
                continue;
            };
            self.unfile(owner, &standing.filed);
            standing.filed = self.best_terms(&standing.selector, index);
            self.file(owner, &standing.filed);
            self.selectors.insert(owner, standing);
        }
    }

    /// Compares what is remembered of templates with a test of every selector.
    pub(crate) fn verify(&self, index: &Index, report: &mut dyn FnMut(String)) {
        for (id, stamp, owners) in self.classes.templates() {
            if index.template_stamp(id) != Some(stamp) {
                continue;
            }
            let labels = index.template_labels(id);
            let matching = |(_, s): &(&Owner, &Filed)| s.selector.matches(&labels);
            let expected: Vec<Owner> = self
                .selectors
                .iter()
                .filter(matching)
                .map(|(o, _)| *o)
                .collect();
            if **owners != *expected {
                report(format!(
                    "class of {labels} remembers selectors {owners:?}, {expected:?} match"
                ));
            }
            if self.matching_labels(&labels) != expected {
                report(format!(
                    "reverse index misses selectors that match {labels}"
                ));
            }
        }
    }
}

/// The terms one of which a pod must carry to meet a requirement; none for a negative one.
fn terms_of(requirement: &Requirement) -> Vec<Term> {
    match requirement {
        Requirement::Equals(key, value) | Requirement::DoubleEquals(key, value) => {
            vec![Term::Pair(key.clone(), value.clone())]
        }
        Requirement::In(key, values) => values
            .iter()
            .map(|value| Term::Pair(key.clone(), value.clone()))
            .collect(),
        Requirement::Exists(key)
        | Requirement::GreaterThan(key, _)
        | Requirement::LessThan(key, _) => vec![Term::Key(key.clone())],
        Requirement::DoesNotExist(_) | Requirement::NotEquals(..) | Requirement::NotIn(..) => {
            Vec::new()
        }
    }
}
