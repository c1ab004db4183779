use smallvec::SmallVec;

use crate::selector::{Requirement, Selector};

use super::Posting;
use super::dictionary::{Dictionary, KeyId, PairId};

/// The postings that hold the pods a term is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Terms {
    /// The pods that carry one of these pairs. Disjoint, as a pod has one value for a key. Sorted.
    Pairs(KeyId, SmallVec<[PairId; 2]>),
    /// The pods that carry the key.
    Key(KeyId),
}

/// A requirement bound to the index: its pods are those in `terms`, or, negative, all others.
#[derive(Debug, Clone)]
pub(crate) struct Term<'s> {
    pub(crate) requirement: &'s Requirement,
    pub(crate) terms: Terms,
    /// Pods in `terms`: exact.
    pub(crate) cardinality: u64,
}

/// A selector bound to the index, in the order in which it is best evaluated.
///
/// Positive terms come smallest first, so that everything after works on little; negative ones
/// largest first, so that they take out much early. Terms that rule out nothing are left out, as are
/// those that come again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan<'s> {
    /// Some requirement is met by no pod.
    pub(crate) empty: bool,
    pub(crate) positives: Vec<Term<'s>>,
    pub(crate) negatives: Vec<Term<'s>>,
}

impl<'s> Plan<'s> {
    /// Binds a selector. Costs a look-up for each value named, and for `>` and `<` one for each value
    /// of the key.
    pub(crate) fn new(selector: &'s Selector, dictionary: &Dictionary) -> Plan<'s> {
        let mut plan = Plan {
            empty: selector.is_nothing(),
            ..Plan::default()
        };
        for requirement in selector.requirements() {
            match (bind(requirement, dictionary), requirement.is_negative()) {
                (Some(term), false) => plan.positives.push(term),
                (Some(term), true) => plan.negatives.push(term),
                (None, false) => plan.empty = true,
                (None, true) => {}
            }
        }
        let by_size = |a: &Term<'_>, b: &Term<'_>| {
            (a.cardinality.cmp(&b.cardinality)).then_with(|| a.terms.cmp(&b.terms))
        };
        plan.positives.sort_by(by_size);
        plan.negatives.sort_by(|a, b| by_size(b, a));
        for terms in [&mut plan.positives, &mut plan.negatives] {
            terms.dedup_by(|a, b| a.terms == b.terms);
        }
        plan
    }
}

impl Plan<'_> {
    /// Roughly what part of so many pods matches: as if no term had to do with another.
    pub(crate) fn density(&self, pods: u64) -> f64 {
        let part = |term: &Term<'_>| term.cardinality as f64 / pods.max(1) as f64;
        let positives: f64 = self.positives.iter().map(part).product();
        let negatives: f64 = self.negatives.iter().map(|term| 1.0 - part(term)).product();
        positives * negatives
    }
}

impl Term<'_> {
    /// Whether a pod with these labels is in the term's postings.
    pub(crate) fn contains(&self, pair_of: &impl Fn(KeyId) -> Option<PairId>) -> bool {
        match &self.terms {
            Terms::Key(key) => pair_of(*key).is_some(),
            Terms::Pairs(key, wanted) => {
                pair_of(*key).is_some_and(|pair| wanted.binary_search(&pair).is_ok())
            }
        }
    }

    /// The term's postings.
    pub(crate) fn postings<'d>(&self, dictionary: &'d Dictionary) -> SmallVec<[&'d Posting; 2]> {
        match &self.terms {
            Terms::Key(key) => dictionary
                .key(*key)
                .map(|term| &term.posting)
                .into_iter()
                .collect(),
            Terms::Pairs(_, pairs) => pairs
                .iter()
                .filter_map(|pair| dictionary.pair(*pair))
                .map(|term| &term.posting)
                .collect(),
        }
    }
}

/// Binds one requirement; none if its postings hold no pod.
fn bind<'s>(requirement: &'s Requirement, dictionary: &Dictionary) -> Option<Term<'s>> {
    let key_id = dictionary.find_key(requirement.key())?;
    let terms = match requirement {
        Requirement::Exists(_) | Requirement::DoesNotExist(_) => Terms::Key(key_id),
        Requirement::Equals(_, value)
        | Requirement::DoubleEquals(_, value)
        | Requirement::NotEquals(_, value) => Terms::Pairs(
            key_id,
            dictionary.pair_of(key_id, value).into_iter().collect(),
        ),
        Requirement::In(_, values) | Requirement::NotIn(_, values) => {
            let mut pairs: SmallVec<[PairId; 2]> = values
                .iter()
                .filter_map(|value| dictionary.pair_of(key_id, value))
                .collect();
            pairs.sort_unstable();
            pairs.dedup();
            Terms::Pairs(key_id, pairs)
        }
        Requirement::GreaterThan(..) | Requirement::LessThan(..) => {
            let meets = |value| requirement.matches_value(Some(value));
            let mut pairs: SmallVec<[PairId; 2]> = dictionary
                .values(key_id)
                .filter(|(value, _)| meets(value))
                .map(|(_, pair)| pair)
                .collect();
            pairs.sort_unstable();
            Terms::Pairs(key_id, pairs)
        }
    };
    let mut term = Term {
        requirement,
        terms,
        cardinality: 0,
    };
    term.cardinality = term
        .postings(dictionary)
        .iter()
        .map(|posting| posting.len())
        .sum();
    (term.cardinality > 0).then_some(term)
}
