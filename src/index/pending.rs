use std::hint::black_box;
use std::ops::Range;

use smallvec::SmallVec;

use super::dictionary::{Dictionary, KeyId, PairId};
use super::nodes::NodeNames;
use super::pods::Index;
use super::posting::Posting;
use super::templates::{ListId, TemplateId, Templates};

/// Pairs of a label set.
type Pairs = SmallVec<[PairId; 16]>;

/// Pods that postings are to gain or lose: noted pod by pod, done together.
///
/// Each posting stands somewhere else, behind two pointers or three. Done together, the reads that lead
/// to them overlap.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Of pods that are new or gone: whole lists of pairs, each standing for its pairs and their keys.
    lists: Moves<ListId>,
    pairs: Moves<PairId>,
    keys: Moves<KeyId>,
    nodes: Moves<u32>,
}

/// So many of the last moves are looked at for one that goes on: pods that are created together get ids
/// one behind the other, and have the same keys, and those of a workload one list of pairs.
const RECENT: usize = 16;

/// Terms, each with pods whose ids are one behind the other.
#[derive(Debug)]
struct Moves<T> {
    lost: Vec<(T, Range<u32>)>,
    gained: Vec<(T, Range<u32>)>,
}

impl<T> Default for Moves<T> {
    fn default() -> Self {
        Moves {
            lost: Vec::new(),
            gained: Vec::new(),
        }
    }
}

impl<T: PartialEq> Moves<T> {
    /// Adds pods, joined to those of a recent move if they go on.
    fn add(&mut self, term: T, pods: Range<u32>, present: bool) {
        let mut recent = self.side(present).iter_mut().rev().take(RECENT);
        let before = recent.find(|(of, before)| *of == term && before.end == pods.start);
        match before {
            Some((_, before)) => before.end = pods.end,
            None => self.push(term, pods, present),
        }
    }

    /// Adds pods that hardly go on.
    fn push(&mut self, term: T, pods: Range<u32>, present: bool) {
        self.side(present).push((term, pods));
    }

    fn side(&mut self, present: bool) -> &mut Vec<(T, Range<u32>)> {
        if present {
            &mut self.gained
        } else {
            &mut self.lost
        }
    }

    /// Reads what leads to the places in the postings.
    fn look_ahead<'p>(&self, posting: impl Fn(&T) -> Option<&'p Posting>) {
        let all = || self.lost.iter().chain(&self.gained);
        let lens = all().map(|(term, _)| posting(term).map_or(0, Posting::len));
        black_box(lens.fold(0, u64::wrapping_add));
        let near = |term, pod| posting(term).is_some_and(|p| p.is_near(pod));
        let there = all().filter(|(term, pods)| near(term, pods.start));
        black_box(there.count());
    }

    /// Does what was noted: first what is lost.
    fn drain(&mut self, mut post: impl FnMut(T, Range<u32>, bool)) {
        let lost = self.lost.drain(..);
        lost.for_each(|(term, pods)| post(term, pods, false));
        let gained = self.gained.drain(..);
        gained.for_each(|(term, pods)| post(term, pods, true));
    }
}

impl Pending {
    fn list(&mut self, list: ListId, pod: u32, present: bool) {
        self.lists.add(list, pod..pod + 1, present);
    }

    fn pair(&mut self, pair: PairId, pod: u32, present: bool) {
        self.pairs.push(pair, pod..pod + 1, present);
    }

    fn key(&mut self, key: KeyId, pod: u32, present: bool) {
        self.keys.push(key, pod..pod + 1, present);
    }

    fn node(&mut self, node: u32, pod: u32, present: bool) {
        self.nodes.push(node, pod..pod + 1, present);
    }

    /// Does what was noted; answers how many postings gained or lost a pod.
    fn settle(
        &mut self,
        templates: &Templates,
        dictionary: &mut Dictionary,
        nodes: &mut NodeNames,
    ) -> u64 {
        let mut touched = 0;
        self.lists.drain(|list, pods, present| {
            for pair in templates.list(list) {
                self.pairs.push(*pair, pods.clone(), present);
                if let Some(key) = dictionary.key_of(*pair) {
                    self.keys.add(key, pods.clone(), present);
                }
            }
        });
        self.pairs
            .look_ahead(|pair| Some(&dictionary.pair(*pair)?.posting));
        self.keys
            .look_ahead(|key| Some(&dictionary.key(*key)?.posting));
        self.nodes.look_ahead(|node| nodes.posting(*node));
        self.pairs.drain(|pair, pods, present| {
            touched += pods.len() as u64;
            dictionary.post_pair(pair, pods, present);
        });
        self.keys.drain(|key, pods, present| {
            touched += pods.len() as u64;
            dictionary.post_key(key, pods, present);
        });
        self.nodes.drain(|node, pods, present| {
            let posted = pods.map(|pod| u64::from(nodes.post(node, pod, present)));
            touched += posted.sum::<u64>();
        });
        touched
    }
}

impl Index {
    /// Brings the postings up to date with the puts and removals so far.
    pub(crate) fn settle(&mut self) {
        self.postings_touched +=
            self.pending
                .settle(&self.templates, &mut self.dictionary, &mut self.nodes);
    }

    /// Moves a pod between the postings of two templates, touching only what differs.
    pub(super) fn post_labels(
        &mut self,
        id: u32,
        before: Option<TemplateId>,
        after: Option<TemplateId>,
    ) {
        if before == after {
            return;
        }
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) => (before, after),
            (None, None) => return,
            (None, Some(all)) | (Some(all), None) => {
                let lists = self.templates.lists_of(all);
                return lists
                    .into_iter()
                    .for_each(|list| self.pending.list(list, id, after.is_some()));
            }
        };
        let pairs = |template: TemplateId| {
            let mut pairs = Pairs::new();
            let push = |pair| pairs.push(pair);
            self.templates.for_each_pair(template, push);
            pairs
        };
        let (before, after) = (pairs(before), pairs(after));
        let (before, after) = differing(&before, &after);
        let by_key = |pairs: &[PairId]| {
            let keyed = pairs.iter().copied();
            let keyed = keyed.filter_map(|pair| Some((self.dictionary.key_of(pair)?, pair)));
            keyed.collect::<SmallVec<[_; 16]>>()
        };
        let (mut before, mut after) = (by_key(before), by_key(after));
        if !before.is_empty() && !after.is_empty() {
            before.sort_unstable();
            after.sort_unstable();
        }
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
                self.pending.pair(pair, id, false);
            }
            if let Some((_, pair)) = gained {
                self.pending.pair(pair, id, true);
            }
            if let (Some((key, _)), None) | (None, Some((key, _))) = (lost, gained) {
                self.pending.key(key, id, gained.is_some());
            }
        }
    }

    pub(super) fn post_node(&mut self, id: u32, node: u32, present: bool) {
        self.pending.node(node, id, present);
    }
}

/// Of two lists what stands between their common beginning and their common end: of a pod that was
/// relabelled, a pair or two.
fn differing<'p>(one: &'p [PairId], other: &'p [PairId]) -> (&'p [PairId], &'p [PairId]) {
    let same = |pair: &(&PairId, &PairId)| pair.0 == pair.1;
    let first = one.iter().zip(other).take_while(same).count();
    let (one, other) = match (one.get(first..), other.get(first..)) {
        (Some(one), Some(other)) => (one, other),
        _ => return (&[], &[]),
    };
    let last = one.iter().rev().zip(other.iter().rev());
    let last = last.take_while(same).count();
    let (end, other_end) = (one.len() - last, other.len() - last);
    (
        one.get(..end).unwrap_or_default(),
        other.get(..other_end).unwrap_or_default(),
    )
}
