use std::borrow::Cow;
use std::ops::Range;

use roaring::RoaringBitmap;

use crate::selector::Selector;

use super::namespaces::Namespaces;
use super::plan::{Plan, Term};
use super::pods::Index;
use super::posting::View;

/// Up to so many pods, each is looked at by itself; more are combined as bitmaps.
const PROBE: u64 = 512;

/// Where a query looks: everywhere, or in the id ranges of some namespaces.
pub(crate) enum Universe {
    All,
    Ranges(Vec<Range<u32>>),
}

/// How a plan begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// No pod can match.
    Nothing,
    /// Each pod of the smallest term, or of the namespaces, is looked at by itself.
    Probe,
    /// Bitmaps are combined.
    Combine,
}

impl Index {
    /// How many pods match. Builds at most the intermediate sets, never the answer.
    pub fn count(&self, selector: &Selector, namespaces: &Namespaces) -> u64 {
        let plan = Plan::new(selector, &self.dictionary);
        let universe = self.universe(namespaces);
        match self.strategy(&plan, &universe) {
            Strategy::Nothing => 0,
            Strategy::Probe => {
                let mut count = 0;
                self.probe(&plan, &universe, |_| count += 1);
                count
            }
            Strategy::Combine => self.combine_count(&plan, &universe),
        }
    }

    /// The ids of the pods that match.
    pub fn select(&self, selector: &Selector, namespaces: &Namespaces) -> RoaringBitmap {
        let plan = Plan::new(selector, &self.dictionary);
        let universe = self.universe(namespaces);
        match self.strategy(&plan, &universe) {
            Strategy::Nothing => RoaringBitmap::new(),
            Strategy::Probe => {
                let mut ids = Vec::new();
                self.probe(&plan, &universe, |id| ids.push(id));
                ids.sort_unstable();
                ids.into_iter().collect()
            }
            Strategy::Combine => {
                let (start, rest) = self.start(&plan, &universe);
                rest.into_iter()
                    .fold(start.into_owned(), |found, step| step.apply(self, found))
            }
        }
    }

    pub(crate) fn universe(&self, namespaces: &Namespaces) -> Universe {
        match namespaces.names() {
            None => Universe::All,
            Some(names) => Universe::Ranges(
                names
                    .iter()
                    .flat_map(|name| self.ranges(name))
                    .cloned()
                    .collect(),
            ),
        }
    }

    pub(crate) fn strategy(&self, plan: &Plan<'_>, universe: &Universe) -> Strategy {
        if plan.empty {
            return Strategy::Nothing;
        }
        let smallest = plan
            .positives
            .first()
            .map_or(u64::MAX, |term| term.cardinality);
        if smallest.min(universe.size()) <= PROBE {
            Strategy::Probe
        } else {
            Strategy::Combine
        }
    }

    /// Calls `f` with each pod that matches, looking at those of the smallest term one by one.
    fn probe(&self, plan: &Plan<'_>, universe: &Universe, mut f: impl FnMut(u32)) {
        let mut look = |id: u32| {
            if self
                .get(id)
                .is_some_and(|pod| plan.matches(|key| pod.pair_of(key)))
            {
                f(id);
            }
        };
        let Some(smallest) = plan
            .positives
            .first()
            .filter(|term| term.cardinality <= universe.size())
        else {
            match universe {
                Universe::All => self.live.iter().for_each(look),
                Universe::Ranges(ranges) => {
                    ranges
                        .iter()
                        .for_each(|range| self.live.range(range.clone()).for_each(&mut look));
                }
            }
            return;
        };
        for posting in smallest.postings(&self.dictionary) {
            match universe {
                Universe::All => posting.for_each(&mut look),
                Universe::Ranges(ranges) => {
                    ranges
                        .iter()
                        .for_each(|range| posting.for_each_in(range.clone(), &mut look));
                }
            }
        }
    }

    /// The first set of a combination and the steps that narrow it.
    pub(crate) fn start<'i>(
        &'i self,
        plan: &'i Plan<'i>,
        universe: &Universe,
    ) -> (Cow<'i, RoaringBitmap>, Vec<Step<'i>>) {
        let mut positives = plan.positives.iter();
        let mut start = match positives.next() {
            Some(term) => self.union(term),
            None => Cow::Borrowed(&self.live),
        };
        if let Universe::Ranges(ranges) = universe {
            let mut inside = RoaringBitmap::new();
            ranges.iter().for_each(|range| {
                inside.insert_range(range.clone());
            });
            inside &= &*start;
            start = Cow::Owned(inside);
        }
        let steps = positives
            .map(Step::Intersect)
            .chain(plan.negatives.iter().map(Step::Subtract));
        (start, steps.collect())
    }

    fn combine_count(&self, plan: &Plan<'_>, universe: &Universe) -> u64 {
        if let (Universe::All, Some(count)) = (universe, self.count_without_sets(plan)) {
            return count;
        }
        let (start, steps) = self.start(plan, universe);
        let Some((last, before)) = steps.split_last() else {
            return start.len();
        };
        let mut found = start;
        for step in before {
            if found.is_empty() {
                return 0;
            }
            found = Cow::Owned(step.apply(self, found.into_owned()));
        }
        last.count(self, &found)
    }

    /// The count over all namespaces of a plan of one or two terms, where it is a matter of adding up:
    /// the postings of a term are disjoint, so that their cardinalities, and what each shares with one
    /// other posting, are the whole.
    fn count_without_sets(&self, plan: &Plan<'_>) -> Option<u64> {
        match (plan.positives.as_slice(), plan.negatives.as_slice()) {
            ([term], []) => Some(term.cardinality),
            ([], [term]) => Some(self.live.len() - term.cardinality),
            ([few, many], []) => {
                let bitmap = self.bitmap(many)?;
                Some(Step::Intersect(few).count(self, bitmap))
            }
            _ => None,
        }
    }

    /// The bitmap of a term that is one posting, and that one a bitmap.
    fn bitmap(&self, term: &Term<'_>) -> Option<&RoaringBitmap> {
        match term.postings(&self.dictionary).as_slice() {
            [posting] => match posting.view() {
                View::Bitmap(bitmap) => Some(bitmap),
                View::Ids(_) => None,
            },
            _ => None,
        }
    }

    /// The pods of a term, borrowed where one bitmap holds them.
    fn union(&self, term: &Term<'_>) -> Cow<'_, RoaringBitmap> {
        if let Some(bitmap) = self.bitmap(term) {
            return Cow::Borrowed(bitmap);
        }
        let mut union = RoaringBitmap::new();
        term.postings(&self.dictionary)
            .iter()
            .for_each(|posting| posting.union_into(&mut union));
        Cow::Owned(union)
    }
}

/// One narrowing of a set.
pub(crate) enum Step<'p> {
    Intersect(&'p Term<'p>),
    Subtract(&'p Term<'p>),
}

impl Step<'_> {
    pub(crate) fn term(&self) -> &Term<'_> {
        match self {
            Step::Intersect(term) | Step::Subtract(term) => term,
        }
    }

    pub(crate) fn apply(&self, index: &Index, mut found: RoaringBitmap) -> RoaringBitmap {
        match self {
            Step::Intersect(term) => found &= &*index.union(term),
            Step::Subtract(term) => {
                term.postings(&index.dictionary)
                    .iter()
                    .for_each(|p| p.subtract_from(&mut found));
            }
        }
        found
    }

    /// How many would be left: the postings of a term are disjoint, so their shares add up.
    fn count(&self, index: &Index, found: &RoaringBitmap) -> u64 {
        let shared: u64 = self
            .term()
            .postings(&index.dictionary)
            .iter()
            .map(|p| p.intersection_len(found))
            .sum();
        match self {
            Step::Intersect(_) => shared,
            Step::Subtract(_) => found.len() - shared,
        }
    }
}

impl Universe {
    /// An upper bound on its pods.
    pub(crate) fn size(&self) -> u64 {
        match self {
            Universe::All => u64::MAX,
            Universe::Ranges(ranges) => ranges.iter().map(|range| range.len() as u64).sum(),
        }
    }
}
