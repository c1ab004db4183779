use std::hint::black_box;

use smallvec::SmallVec;

use super::dictionary::{Dictionary, KeyId, PairId};
use super::nodes::NodeNames;
use super::pods::Index;
use super::posting::Posting;
use super::templates::TemplateId;

/// Pairs of a label set.
type Pairs = SmallVec<[PairId; 16]>;

/// Pods that postings are to gain or lose: noted pod by pod, done together.
///
/// Each posting stands somewhere else, behind two pointers or three. Done together, the reads that lead
/// to them overlap.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pairs: Moves<PairId>,
    keys: Moves<KeyId>,
    nodes: Moves<u32>,
}

/// Terms, each with a pod.
#[derive(Debug)]
struct Moves<T> {
    lost: Vec<(T, u32)>,
    gained: Vec<(T, u32)>,
}

impl<T> Default for Moves<T> {
    fn default() -> Self {
        Moves {
            lost: Vec::new(),
            gained: Vec::new(),
        }
    }
}

impl<T> Moves<T> {
    fn add(&mut self, term: T, pod: u32, present: bool) {
        let moves = if present {
            &mut self.gained
        } else {
            &mut self.lost
        };
        moves.push((term, pod));
    }

    /// Reads what leads to the places in the postings.
    fn look_ahead<'p>(&self, posting: impl Fn(&T) -> Option<&'p Posting>) {
        let all = || self.lost.iter().chain(&self.gained);
        let lens = all().map(|(term, _)| posting(term).map_or(0, Posting::len));
        black_box(lens.fold(0, u64::wrapping_add));
        let there = all().filter(|(term, pod)| posting(term).is_some_and(|p| p.is_near(*pod)));
        black_box(there.count());
    }

    /// Does what was noted: first what is lost.
    fn drain(&mut self, mut post: impl FnMut(T, u32, bool)) {
        self.lost.drain(..).for_each(|(t, pod)| post(t, pod, false));
        self.gained
            .drain(..)
            .for_each(|(t, pod)| post(t, pod, true));
    }
}

impl Pending {
    pub(super) fn pair(&mut self, pair: PairId, pod: u32, present: bool) {
        self.pairs.add(pair, pod, present);
    }

    pub(super) fn key(&mut self, key: KeyId, pod: u32, present: bool) {
        self.keys.add(key, pod, present);
    }

    pub(super) fn node(&mut self, node: u32, pod: u32, present: bool) {
        self.nodes.add(node, pod, present);
    }

    /// Does what was noted; answers how many postings gained or lost a pod.
    pub(super) fn settle(&mut self, dictionary: &mut Dictionary, nodes: &mut NodeNames) -> u64 {
        let mut touched = 0;
        self.pairs
            .look_ahead(|pair| Some(&dictionary.pair(*pair)?.posting));
        self.keys
            .look_ahead(|key| Some(&dictionary.key(*key)?.posting));
        self.nodes.look_ahead(|node| nodes.posting(*node));
        self.pairs.drain(|pair, pod, present| {
            dictionary.post_pair(pair, pod, present);
            touched += 1;
        });
        self.keys.drain(|key, pod, present| {
            dictionary.post_key(key, pod, present);
            touched += 1;
        });
        self.nodes.drain(|node, pod, present| {
            touched += u64::from(nodes.post(node, pod, present));
        });
        touched
    }
}

impl Index {
    /// Brings the postings up to date with the puts and removals so far.
    pub(crate) fn settle(&mut self) {
        self.postings_touched += self.pending.settle(&mut self.dictionary, &mut self.nodes);
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
        let pairs = |template: Option<TemplateId>| {
            let mut pairs = Pairs::new();
            if let Some(template) = template {
                self.templates
                    .for_each_pair(template, |pair| pairs.push(pair));
            }
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
