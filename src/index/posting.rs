use std::ops::Range;

use roaring::RoaringBitmap;

use super::flat::Flat;

/// Ids that fit beside the tag, without an allocation.
const INLINE: usize = 3;
/// Longest sorted array; a longer posting is a bitmap.
const ARRAY: usize = 256;
/// A bitmap that shrinks to this many ids becomes an array: well below [`ARRAY`], so that a posting
/// whose length swings around the limit is not rebuilt at each swing.
const BACK_TO_ARRAY: usize = ARRAY / 2;
/// A bitmap with one id in so many of those up to its last one is kept as plain bits as well: there
/// are a few dozen such pairs in a cluster, and most counts are about two of them.
const DENSE: u64 = 32;
/// With one in so many the plain bits are dropped.
const SPARSE: u64 = 128;
/// Each so many ids, it is looked whether plain bits are worth it.
const LOOKED: u64 = 256;

/// A set of pod ids, small while it is small: 16 bytes with up to three ids inline, then a sorted
/// array, then a roaring bitmap, and plain bits beside it while it is dense.
///
/// Most label pairs of a cluster are carried by a handful of pods; a bitmap for each of them would
/// be most of the index.
#[derive(Debug, Clone)]
pub struct Posting(Form);

#[derive(Debug, Clone)]
enum Form {
    Inline {
        len: u8,
        ids: [u32; INLINE],
    },
    #[expect(
        clippy::box_collection,
        reason = "a bare Vec would make every posting half as large again"
    )]
    Array(Box<Vec<u32>>),
    Bitmap(Box<Large>),
}

#[derive(Debug, Clone)]
struct Large {
    bitmap: RoaringBitmap,
    len: u64,
    /// The same ids.
    flat: Option<Flat>,
}

impl Large {
    fn new(bitmap: RoaringBitmap) -> Large {
        Large {
            len: bitmap.len(),
            bitmap,
            flat: None,
        }
    }

    fn insert(&mut self, id: u32) -> bool {
        if !self.bitmap.insert(id) {
            return false;
        }
        self.len += 1;
        if let Some(flat) = &mut self.flat {
            flat.insert(id);
        } else if self.len.is_multiple_of(LOOKED) && self.len * DENSE >= self.span() {
            self.flat = Some(Flat::from(&self.bitmap));
        }
        true
    }

    fn remove(&mut self, id: u32) -> bool {
        if !self.bitmap.remove(id) {
            return false;
        }
        self.len -= 1;
        if let Some(flat) = &mut self.flat {
            flat.remove(id);
            if self.len.is_multiple_of(LOOKED) && self.len * SPARSE < self.span() {
                self.flat = None;
            }
        }
        true
    }

    fn span(&self) -> u64 {
        Flat::span(self.bitmap.max().unwrap_or(0))
    }
}

impl Default for Posting {
    fn default() -> Self {
        Posting(Form::Inline {
            len: 0,
            ids: [0; INLINE],
        })
    }
}

/// A posting as whoever combines it wants it.
pub(crate) enum View<'p> {
    /// Sorted ids.
    Ids(&'p [u32]),
    /// A bitmap.
    Bitmap(&'p RoaringBitmap),
}

impl Posting {
    /// The number of ids. Constant time.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Form::Inline { len, .. } => u64::from(*len),
            Form::Array(ids) => ids.len() as u64,
            Form::Bitmap(large) => large.len,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `id` is in it.
    pub fn contains(&self, id: u32) -> bool {
        match self.view() {
            View::Ids(ids) => ids.binary_search(&id).is_ok(),
            View::Bitmap(bitmap) => match self.flat() {
                Some(flat) => flat.contains(id),
                None => bitmap.contains(id),
            },
        }
    }

    /// Whether an id like this one is there. Reads what adding or removing the id will read.
    pub(super) fn is_near(&self, id: u32) -> bool {
        match self.view() {
            View::Ids(ids) => ids.last().is_some_and(|last| *last >= id),
            View::Bitmap(_) => self.contains(id),
        }
    }

    /// The ids as plain bits, while there are enough of them.
    pub(crate) fn flat(&self) -> Option<&Flat> {
        match &self.0 {
            Form::Bitmap(large) => large.flat.as_ref(),
            _ => None,
        }
    }

    pub(crate) fn view(&self) -> View<'_> {
        match &self.0 {
            Form::Inline { len, ids } => {
                View::Ids(ids.get(..usize::from(*len)).unwrap_or_default())
            }
            Form::Array(ids) => View::Ids(ids),
            Form::Bitmap(large) => View::Bitmap(&large.bitmap),
        }
    }

    /// Adds an id; false if it was there.
    pub fn insert(&mut self, id: u32) -> bool {
        let at = match self.view() {
            View::Ids(ids) => match ids.binary_search(&id) {
                Ok(_) => return false,
                Err(at) => at,
            },
            View::Bitmap(_) => 0,
        };
        match &mut self.0 {
            Form::Inline { len, ids } if usize::from(*len) < INLINE => {
                // The free place at the end becomes the one at `at`; what stood from there on moves up.
                *len += 1;
                if let Some(moved) = ids.get_mut(at..usize::from(*len)) {
                    moved.rotate_right(1);
                    moved.iter_mut().take(1).for_each(|place| *place = id);
                }
            }
            Form::Inline { ids, .. } => {
                let mut array = Vec::with_capacity(2 * INLINE);
                array.extend_from_slice(ids);
                array.insert(at, id);
                self.0 = Form::Array(Box::new(array));
            }
            Form::Array(ids) if ids.len() < ARRAY => {
                if ids.len() == ids.capacity() {
                    // By a half: most postings stop growing soon, and doubling would waste more.
                    ids.reserve_exact(ids.len() / 2 + 1);
                }
                ids.insert(at, id);
            }
            Form::Array(ids) => {
                let mut bitmap: RoaringBitmap = ids.iter().copied().collect();
                bitmap.insert(id);
                self.0 = Form::Bitmap(Box::new(Large::new(bitmap)));
            }
            Form::Bitmap(large) => return large.insert(id),
        }
        true
    }

    /// Takes an id out; false if it was not there.
    pub fn remove(&mut self, id: u32) -> bool {
        let at = match self.view() {
            View::Ids(ids) => match ids.binary_search(&id) {
                Ok(at) => at,
                Err(_) => return false,
            },
            View::Bitmap(_) => 0,
        };
        match &mut self.0 {
            Form::Inline { len, ids } => {
                ids.copy_within(at + 1..usize::from(*len), at);
                *len -= 1;
            }
            Form::Array(ids) => {
                ids.remove(at);
                if ids.len() < INLINE {
                    let mut inline = [0; INLINE];
                    inline
                        .iter_mut()
                        .zip(ids.iter())
                        .for_each(|(place, id)| *place = *id);
                    self.0 = Form::Inline {
                        len: ids.len() as u8,
                        ids: inline,
                    };
                } else if ids.len() * 4 < ids.capacity() {
                    ids.shrink_to(ids.len() * 2);
                }
            }
            Form::Bitmap(large) => {
                if !large.remove(id) {
                    return false;
                }
                if large.len <= BACK_TO_ARRAY as u64 {
                    self.0 = Form::Array(Box::new(large.bitmap.iter().collect()));
                }
            }
        }
        true
    }

    /// Calls `f` with the ids in `range`, in order.
    pub(crate) fn for_each_in(&self, range: Range<u32>, mut f: impl FnMut(u32)) {
        match self.view() {
            View::Ids(ids) => {
                let from = ids.partition_point(|id| *id < range.start);
                for id in ids.iter().skip(from).take_while(|id| **id < range.end) {
                    f(*id);
                }
            }
            View::Bitmap(bitmap) => bitmap.range(range).for_each(f),
        }
    }

    /// Calls `f` with each id, in order.
    pub(crate) fn for_each(&self, f: impl FnMut(u32)) {
        match self.view() {
            View::Ids(ids) => ids.iter().copied().for_each(f),
            View::Bitmap(bitmap) => bitmap.iter().for_each(f),
        }
    }

    /// Calls `f` with the ids from `first` on, in order, until it answers false.
    pub(crate) fn for_each_from(&self, first: u32, mut f: impl FnMut(u32) -> bool) {
        match self.view() {
            View::Ids(ids) => {
                let from = ids.partition_point(|id| *id < first);
                ids.iter().skip(from).all(|id| f(*id));
            }
            View::Bitmap(bitmap) => {
                bitmap.range(first..).all(f);
            }
        }
    }

    /// Bytes allocated; of a roaring bitmap, what its form on disk would take.
    pub(crate) fn bytes(&self) -> usize {
        match &self.0 {
            Form::Inline { .. } => 0,
            Form::Array(ids) => size_of::<Vec<u32>>() + ids.capacity() * size_of::<u32>(),
            Form::Bitmap(large) => {
                let flat = large.flat.as_ref().map_or(0, Flat::bytes);
                size_of::<Large>() + large.bitmap.serialized_size() + flat
            }
        }
    }

    /// Adds every id to `bitmap`.
    pub(crate) fn union_into(&self, bitmap: &mut RoaringBitmap) {
        match self.view() {
            View::Ids(ids) => bitmap.extend(ids.iter().copied()),
            View::Bitmap(own) => *bitmap |= own,
        }
    }

    /// Takes every id out of `bitmap`.
    pub(crate) fn subtract_from(&self, bitmap: &mut RoaringBitmap) {
        match self.view() {
            View::Ids(ids) => ids.iter().for_each(|id| {
                bitmap.remove(*id);
            }),
            View::Bitmap(own) => *bitmap -= own,
        }
    }

    /// How many ids are in both. No set is built.
    pub(crate) fn intersection_len(&self, bitmap: &RoaringBitmap) -> u64 {
        match self.view() {
            View::Ids(ids) => ids.iter().filter(|id| bitmap.contains(**id)).count() as u64,
            View::Bitmap(own) => own.intersection_len(bitmap),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn takes_sixteen_bytes() {
        assert_eq!(size_of::<Posting>(), 16);
    }

    #[test]
    fn plain_bits_come_and_go_with_density() {
        let mut posting = Posting::default();
        let ids = || (0..100_000).step_by(7);
        for id in ids() {
            posting.insert(id);
        }
        assert!(posting.flat().is_some());
        for id in 0..100_000 {
            assert_eq!(posting.contains(id), id % 7 == 0);
        }
        for id in ids().filter(|id| id % 3 != 0) {
            posting.remove(id);
        }
        assert!(posting.flat().is_some());
        for id in ids() {
            assert_eq!(posting.contains(id), id % 3 == 0);
        }
        for id in ids().skip(300) {
            posting.remove(id);
        }
        assert!(posting.flat().is_none());
        assert_eq!(posting.len(), 100);
    }

    proptest! {
        /// Through all three forms and back, a posting is the set of what was put in.
        #[test]
        fn is_a_set(steps in prop::collection::vec((any::<bool>(), 0u32..600), 0..3000), from in 0u32..600, to in 0u32..600) {
            let mut posting = Posting::default();
            let mut model = BTreeSet::new();
            for (grow, id) in steps.iter().copied().chain((0..600).map(|id| (true, id))).chain((0..600).map(|id| (false, id))) {
                if grow {
                    prop_assert_eq!(posting.insert(id), model.insert(id));
                } else {
                    prop_assert_eq!(posting.remove(id), model.remove(&id));
                }
                prop_assert_eq!(posting.len(), model.len() as u64);
                prop_assert_eq!(posting.contains(id), grow);
            }
            for (grow, id) in steps {
                if grow { posting.insert(id); model.insert(id); } else { posting.remove(id); model.remove(&id); }
            }
            let (from, to) = (from.min(to), from.max(to));
            let mut seen = Vec::new();
            posting.for_each_in(from..to, |id| seen.push(id));
            prop_assert_eq!(seen, model.iter().copied().filter(|id| (from..to).contains(id)).collect::<Vec<_>>());
        }
    }
}
