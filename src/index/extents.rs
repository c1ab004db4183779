use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Ids that nobody has, to be taken in extents: those never given out, and those given back.
///
/// Neighbours that were given back are one extent again, and a longer one is taken in parts, so that
/// however namespaces come and go, the ids in use stay dense.
#[derive(Debug, Default)]
pub(crate) struct Extents {
    /// From here on no id was given out.
    next: u32,
    /// Given back: length by start, none next to another.
    by_start: BTreeMap<u32, u32>,
    /// The same, as length and start.
    by_len: BTreeSet<(u32, u32)>,
    /// Ids in them.
    spare: u32,
}

impl Extents {
    /// Whether so many ids more can be taken, whatever was given back.
    pub(crate) fn has(&self, ids: u64) -> bool {
        u64::from(self.next).saturating_add(ids) < u64::from(u32::MAX)
    }

    /// An extent of so many ids, or of fewer: the shortest of those given back that is long enough; else
    /// new ids, unless a quarter of all is spare already; else the longest that was given back.
    pub(crate) fn take(&mut self, len: u32) -> Range<u32> {
        let long_enough = self.by_len.range((len, 0)..).next().copied();
        let taken = long_enough.or_else(|| {
            let crowded = self.spare <= self.next / 4;
            self.by_len.last().copied().filter(|_| !crowded)
        });
        let Some((whole, start)) = taken else {
            let start = self.next;
            self.next += len;
            return start..self.next;
        };
        self.forget(start, whole);
        let len = len.min(whole);
        if len < whole {
            self.remember(start + len, whole - len);
        }
        start..start + len
    }

    /// Nobody has these any more.
    pub(crate) fn give_back(&mut self, range: Range<u32>) {
        let (mut start, mut end) = (range.start, range.end);
        if let Some((before, len)) = self.by_start.range(..start).next_back()
            && before + len == start
        {
            let (before, len) = (*before, *len);
            self.forget(before, len);
            start = before;
        }
        if let Some(len) = self.by_start.get(&end).copied() {
            self.forget(end, len);
            end += len;
        }
        if end == self.next {
            self.next = start;
        } else {
            self.remember(start, end - start);
        }
    }

    fn remember(&mut self, start: u32, len: u32) {
        self.by_start.insert(start, len);
        self.by_len.insert((len, start));
        self.spare += len;
    }

    fn forget(&mut self, start: u32, len: u32) {
        self.by_start.remove(&start);
        self.by_len.remove(&(len, start));
        self.spare -= len;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// No id is given out twice, and ids that are spare are used before too many new ones are.
        #[test]
        fn ids_are_used_again(steps in prop::collection::vec((1u32..40, any::<prop::sample::Index>(), any::<bool>()), 0..400)) {
            let (mut extents, mut held) = (Extents::default(), Vec::<Range<u32>>::new());
            let mut most = 0;
            for (len, which, give_back) in steps {
                if give_back && !held.is_empty() {
                    extents.give_back(held.swap_remove(which.index(held.len())));
                } else {
                    let taken = extents.take(len * 16);
                    prop_assert!(!taken.is_empty() && taken.len() <= len as usize * 16);
                    prop_assert!(held.iter().all(|other| other.end <= taken.start || taken.end <= other.start));
                    held.push(taken);
                }
                let live: u32 = held.iter().map(|range| range.end - range.start).sum();
                prop_assert_eq!(live + extents.spare, extents.next);
                most = most.max(live);
                // New ids are given out while a quarter at most is spare, and otherwise there are no more of them.
                prop_assert!(u64::from(extents.next) * 3 <= u64::from(most) * 4);
            }
            held.into_iter().for_each(|range| extents.give_back(range));
            prop_assert_eq!((extents.next, extents.spare), (0, 0));
        }
    }
}
