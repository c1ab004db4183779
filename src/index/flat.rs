use std::ops::Range;

use roaring::RoaringBitmap;

use super::popcount::Ones;

/// Words of a chunk: a chunk has 65,536 ids, as a container of a roaring bitmap has.
const WORDS: usize = 1024;
type Chunk = [u64; WORDS];
/// Ids of a chunk.
const IDS: u32 = 64 * WORDS as u32;

/// A set of ids as one bit each, in chunks, so that it grows in pieces.
///
/// Counting what several of these share costs one pass over their words, and a range of ids is a few
/// words. Roaring bitmaps hold ids that are sparser than one in sixteen as arrays, which cost a step
/// for each id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flat {
    chunks: Vec<Option<Box<Chunk>>>,
}

/// Which ids to count: those in all of some sets and in none of others.
#[derive(Default)]
pub(crate) struct Flats<'f> {
    pub(crate) all: Vec<&'f Flat>,
    pub(crate) none: Vec<&'f Flat>,
}

/// Chunk, word and bit of an id.
fn place(id: u32) -> (usize, usize, u64) {
    let word = (id % IDS / 64) as usize;
    ((id / IDS) as usize, word, 1 << (id % 64))
}

impl Flat {
    /// Bytes allocated.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks
            .iter()
            .flatten()
            .map(|chunk| size_of_val(&**chunk))
            .sum()
    }

    /// Ids that a set takes bits for, if `last` is its last one.
    pub(crate) fn span(last: u32) -> u64 {
        (u64::from(last / IDS) + 1) * u64::from(IDS)
    }

    pub(crate) fn insert(&mut self, id: u32) {
        let (chunk, word, bit) = place(id);
        self.set(chunk, word, bit);
    }

    /// Adds ids one behind the other, a word at a time.
    pub(crate) fn insert_range(&mut self, ids: Range<u32>) {
        let mut first = ids.start;
        while first < ids.end {
            let (chunk, word, _) = place(first);
            let count = (ids.end - first).min(64 - first % 64);
            self.set(chunk, word, (u64::MAX >> (64 - count)) << (first % 64));
            first += count;
        }
    }

    fn set(&mut self, chunk: usize, word: usize, bits: u64) {
        if self.chunks.len() <= chunk {
            self.chunks.resize(chunk + 1, None);
        }
        if let Some(chunk) = self.chunks.get_mut(chunk) {
            let words = chunk.get_or_insert_with(|| Box::new([0; WORDS]));
            if let Some(word) = words.get_mut(word) {
                *word |= bits;
            }
        }
    }

    pub(crate) fn remove(&mut self, id: u32) {
        let (chunk, word, bit) = place(id);
        let chunk = self.chunks.get_mut(chunk).and_then(Option::as_mut);
        if let Some(word) = chunk.and_then(|words| words.get_mut(word)) {
            *word &= !bit;
        }
    }

    pub(crate) fn contains(&self, id: u32) -> bool {
        let (chunk, word, bit) = place(id);
        self.chunk(chunk)
            .and_then(|words| words.get(word))
            .is_some_and(|word| word & bit != 0)
    }

    fn chunk(&self, number: usize) -> Option<&Chunk> {
        self.chunks.get(number)?.as_deref()
    }
}

impl From<&RoaringBitmap> for Flat {
    fn from(bitmap: &RoaringBitmap) -> Flat {
        let mut flat = Flat::default();
        bitmap.iter().for_each(|id| flat.insert(id));
        flat
    }
}

impl Flats<'_> {
    /// How many ids there are, one word of each set after the other. There must be a set to be in.
    pub(crate) fn count(&self) -> u64 {
        let chunks = self.all.iter().map(|flat| flat.chunks.len()).min();
        let mut ones = Ones::new();
        (0..chunks.unwrap_or(0)).for_each(|number| self.count_chunk(number, &mut ones));
        ones.count()
    }

    fn count_chunk(&self, number: usize, ones: &mut Ones) {
        let mut all = self.all.iter().map(|flat| flat.chunk(number));
        let Some(Some(first)) = all.next() else {
            return;
        };
        let none = self.none.iter().filter_map(|flat| flat.chunk(number));
        // With one other set, what is left is counted as it is found.
        if let ([_, second], []) = (self.all.as_slice(), self.none.as_slice()) {
            if let Some(second) = second.chunk(number) {
                ones.add_combined(first, second, |a, b| a & b);
            }
            return;
        }
        if let ([_], [without]) = (self.all.as_slice(), self.none.as_slice()) {
            match without.chunk(number) {
                Some(without) => ones.add_combined(first, without, |a, b| a & !b),
                None => ones.add(first),
            }
            return;
        }
        let mut found = *first;
        for set in all {
            let Some(set) = set else { return };
            found.iter_mut().zip(set).for_each(|(to, from)| *to &= from);
        }
        none.for_each(|set| {
            found
                .iter_mut()
                .zip(set)
                .for_each(|(to, from)| *to &= !from)
        });
        ones.add(&found);
    }

    /// How many of the ids lie in a range. Linear in the range's length.
    pub(crate) fn count_in(&self, range: &Range<u32>) -> u64 {
        if range.is_empty() {
            return 0;
        }
        let last = range.end - 1;
        let ends = (range.start / 64, last / 64);
        let words = (ends.0..=ends.1).map(|number| {
            let mut found = u64::MAX;
            if number == ends.0 {
                found &= u64::MAX << (range.start % 64);
            }
            if number == ends.1 {
                found &= u64::MAX >> (63 - last % 64);
            }
            let (chunk, word, _) = place(number * 64);
            let word = |flat: &Flat| {
                let words = flat.chunk(chunk).and_then(|words| words.get(word));
                words.copied().unwrap_or(0)
            };
            self.all.iter().for_each(|flat| found &= word(flat));
            self.none.iter().for_each(|flat| found &= !word(flat));
            u64::from(found.count_ones())
        });
        words.sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Ids in runs of every length and stride, over three chunks.
    fn ids() -> impl Strategy<Value = BTreeSet<u32>> {
        let run = (0..3 * IDS, 1usize..6, 0usize..20_000);
        prop::collection::vec(run, 0..6).prop_map(|runs| {
            let ids = runs
                .into_iter()
                .flat_map(|(from, stride, length)| (from..3 * IDS).step_by(stride).take(length));
            ids.collect()
        })
    }

    proptest! {
        #[test]
        fn a_range_is_its_ids(first in 0u32..2 * IDS, length in 0u32..300) {
            let (mut whole, mut single) = (Flat::default(), Flat::default());
            whole.insert_range(first..first + length);
            (first..first + length).for_each(|id| single.insert(id));
            prop_assert_eq!(whole.chunks, single.chunks);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn counts_as_sets_do(
            all in prop::collection::vec(ids(), 1..4),
            none in prop::collection::vec(ids(), 0..3),
            from in 0u32..3 * IDS,
            length in 0u32..2 * IDS,
        ) {
            let flats = |sets: &[BTreeSet<u32>]| -> Vec<Flat> {
                sets.iter().map(|set| Flat::from(&set.iter().copied().collect())).collect()
            };
            let (with, without) = (flats(&all), flats(&none));
            let flats = Flats { all: with.iter().collect(), none: without.iter().collect() };
            let expected = |id: &&u32| {
                all.iter().all(|set| set.contains(*id)) && !none.iter().any(|set| set.contains(*id))
            };
            let found: Vec<u32> = all[0].iter().filter(expected).copied().collect();
            prop_assert_eq!(flats.count(), found.len() as u64);
            let range = from..from + length;
            let inside = found.iter().filter(|id| range.contains(id)).count();
            prop_assert_eq!(flats.count_in(&range), inside as u64);
        }
    }
}
