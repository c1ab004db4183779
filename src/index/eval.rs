use std::borrow::Cow;
use std::ops::Range;

use roaring::RoaringBitmap;
use smallvec::SmallVec;

use crate::selector::Selector;

use super::flat::{Flat, Flats};
use super::namespaces::Namespaces;
use super::plan::{Plan, Term};
use super::pods::Index;
use super::posting::{Posting, View};

/// Up to so many pods, each is looked at by itself; more are combined as bitmaps.
const PROBE: u64 = 512;
/// A term of up to so many postings is looked up in them, pod by pod: they are few and hot, where a
/// pod's labels are somewhere in memory. Of more, in the pod's labels.
const LOOK_UPS: usize = 4;

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
        if let Some(count) = self.count_flat(&plan, &universe) {
            return count;
        }
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
                    .fold(start, |found, step| Cow::Owned(step.apply(self, found)))
                    .into_owned()
            }
        }
    }

    /// Puts the ids of the pods that match into `ids`, in order, in place of what it holds: a buffer that
    /// is used again costs no allocation.
    ///
    /// Of a selector of one pair or key nothing is built besides.
    pub fn select_into(&self, selector: &Selector, namespaces: &Namespaces, ids: &mut Vec<u32>) {
        let plan = Plan::new(selector, &self.dictionary);
        let universe = self.universe(namespaces);
        if self.strategy(&plan, &universe) == Strategy::Combine {
            let (start, rest) = self.start(&plan, &universe);
            let found = rest
                .into_iter()
                .fold(start, |found, step| Cow::Owned(step.apply(self, found)));
            // What is overwritten is not cleared first.
            ids.resize(usize::try_from(found.len()).unwrap_or(usize::MAX), 0);
            let filled = found.iter().next_many(ids).len();
            ids.truncate(filled);
            return;
        }
        ids.clear();
        if !plan.empty {
            self.probe(&plan, &universe, |id| ids.push(id));
            ids.sort_unstable();
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
        let smallest = plan
            .positives
            .first()
            .filter(|term| term.cardinality <= universe.size());
        let checks = self.checks(plan, usize::from(smallest.is_some()));
        let mut look = |id: u32| {
            if self.passes(&checks, id) {
                f(id);
            }
        };
        let Some(smallest) = smallest else {
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

    /// What a pod has to pass one by one, but for the first so many positive terms.
    pub(crate) fn checks<'i>(&'i self, plan: &'i Plan<'i>, skipped: usize) -> Checks<'i> {
        let check = |term: &'i Term<'i>, wanted| {
            let postings = term.postings(&self.dictionary);
            Check {
                term,
                wanted,
                postings: (postings.len() <= LOOK_UPS).then_some(postings),
            }
        };
        let positives = plan.positives.iter().skip(skipped);
        positives
            .map(|term| check(term, true))
            .chain(plan.negatives.iter().map(|term| check(term, false)))
            .collect()
    }

    /// Whether a pod passes all of them.
    pub(crate) fn passes(&self, checks: &Checks<'_>, id: u32) -> bool {
        checks.iter().all(|check| {
            let carries = match &check.postings {
                Some(postings) => postings.iter().any(|posting| posting.contains(id)),
                None => self.pod_carries(id, check.term),
            };
            carries == check.wanted
        })
    }

    /// Whether a pod's labels are among a term's.
    fn pod_carries(&self, id: u32, term: &Term<'_>) -> bool {
        self.get(id)
            .is_some_and(|pod| term.contains(&|key| pod.pair_of(key)))
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
            found = Cow::Owned(step.apply(self, found));
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

    /// The count of a plan whose terms are each one posting that is kept as plain bits: one pass over the
    /// words of all of them, or over those of the ranges.
    fn count_flat(&self, plan: &Plan<'_>, universe: &Universe) -> Option<u64> {
        let all = plan.positives.iter();
        let none = plan.negatives.iter();
        let flats = Flats {
            all: all.map(|term| self.flat(term)).collect::<Option<_>>()?,
            none: none.map(|term| self.flat(term)).collect::<Option<_>>()?,
        };
        match universe {
            _ if plan.empty || flats.all.is_empty() => None,
            // Cardinalities are known.
            Universe::All if flats.all.len() == 1 && flats.none.is_empty() => None,
            Universe::All => Some(flats.count()),
            Universe::Ranges(ranges) => {
                Some(ranges.iter().map(|range| flats.count_in(range)).sum())
            }
        }
    }

    /// The plain bits of a term that is one posting.
    fn flat(&self, term: &Term<'_>) -> Option<&Flat> {
        match term.postings(&self.dictionary).as_slice() {
            [posting] => posting.flat(),
            _ => None,
        }
    }

    /// The bitmap of a term that is one posting, and that one a bitmap.
    fn bitmap(&self, term: &Term<'_>) -> Option<&RoaringBitmap> {
        match term.postings(&self.dictionary).as_slice() {
            [posting] => match posting.view() {
                View::Bitmap(bitmap) => Some(bitmap),
                View::Ids(_) | View::Window(_) => None,
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

/// What a pod has to pass that is looked at by itself.
pub(crate) type Checks<'i> = SmallVec<[Check<'i>; 4]>;

pub(crate) struct Check<'i> {
    term: &'i Term<'i>,
    wanted: bool,
    /// The term's postings, where they are few.
    postings: Option<SmallVec<[&'i Posting; 2]>>,
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

    /// Narrows a set. One that is borrowed is not copied first.
    pub(crate) fn apply(&self, index: &Index, found: Cow<'_, RoaringBitmap>) -> RoaringBitmap {
        match (self, found) {
            (Step::Intersect(term), Cow::Borrowed(found)) => found & &*index.union(term),
            (Step::Intersect(term), Cow::Owned(found)) => found & &*index.union(term),
            (Step::Subtract(term), found) => match (index.bitmap(term), found) {
                (Some(bitmap), Cow::Borrowed(found)) => found - bitmap,
                (_, found) => {
                    let mut found = found.into_owned();
                    term.postings(&index.dictionary)
                        .iter()
                        .for_each(|p| p.subtract_from(&mut found));
                    found
                }
            },
        }
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
