use std::ops::Range;

use roaring::RoaringBitmap;
use smallvec::SmallVec;
use thin_vec::ThinVec;

use super::flat::Flat;
use super::large::Large;
use super::window::Window;

/// Ids that fit beside the tag, without an allocation.
const INLINE: usize = 3;
/// Longest sorted array; a longer posting is a bitmap.
const ARRAY: usize = 256;
/// A bitmap that shrinks to this many ids becomes an array: well below [`ARRAY`], so that a posting
/// whose length swings around the limit is not rebuilt at each swing.
const BACK_TO_ARRAY: usize = ARRAY / 2;
/// An array whose ids come to lie in so few becomes a window, which could span twice as many.
const BACK_TO_WINDOW: u32 = 32;
/// Ids for which the smallest array has room, and in how many more a larger one: what allocators give.
const ROOM: usize = 6;
const MORE_ROOM: usize = 4;
/// What an array has beside its ids: its length and its capacity.
const HEADER: usize = 2 * size_of::<usize>();
/// A set of pod ids, small while it is small: 16 bytes with up to three ids inline, or more that lie
/// close together; then a sorted array, then a roaring bitmap, and plain bits beside it while it is
/// dense.
///
/// Most label pairs of a cluster are carried by the few pods of a workload; a bitmap for each of them
/// would be most of the index, and an allocation for each a good part.
#[derive(Debug, Clone)]
pub struct Posting(Form);

#[derive(Debug, Clone)]
enum Form {
    Inline {
        len: u8,
        ids: [u32; INLINE],
    },
    /// A [`Window`], whose padding there is no room for.
    Window {
        first: u32,
        bits: u64,
    },
    Array(ThinVec<u32>),
    Bitmap(Box<Large>),
}

impl Form {
    /// The smallest form of sorted ids.
    fn of(ids: &[u32]) -> Form {
        if ids.len() <= INLINE {
            let mut inline = [0; INLINE];
            inline
                .iter_mut()
                .zip(ids)
                .for_each(|(place, id)| *place = *id);
            return Form::Inline {
                len: ids.len() as u8,
                ids: inline,
            };
        }
        if let Some(window) = Window::of(ids) {
            return window.into();
        }
        let mut array = ThinVec::with_capacity(room(ids.len()));
        array.extend_from_slice(ids);
        Form::Array(array)
    }
}

impl From<Window> for Form {
    fn from(window: Window) -> Form {
        Form::Window {
            first: window.first,
            bits: window.bits,
        }
    }
}

/// For how many ids an array has room that has to hold so many: a quarter more, as most postings stop
/// growing soon.
fn room(ids: usize) -> usize {
    let more = (ids + ids / 4).saturating_sub(ROOM);
    ROOM + more.next_multiple_of(MORE_ROOM)
}

/// Where an id stands among sorted ones, or would. Those that are added last are often the greatest.
fn place(ids: &[u32], id: u32) -> Result<usize, usize> {
    match ids.last() {
        Some(last) if *last < id => Err(ids.len()),
        _ => ids.binary_search(&id),
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
    /// Ids that lie close together.
    Window(Window),
    /// A bitmap.
    Bitmap(&'p RoaringBitmap),
}

impl Posting {
    /// The number of ids. Constant time.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Form::Inline { len, .. } => u64::from(*len),
            Form::Window { bits, .. } => u64::from(bits.count_ones()),
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
            View::Window(window) => window.contains(id),
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
            View::Window(_) | View::Bitmap(_) => self.contains(id),
        }
    }

    /// The ids as plain bits, while there are enough of them.
    pub(crate) fn flat(&self) -> Option<&Flat> {
        match &self.0 {
            Form::Bitmap(large) => large.flat.as_ref(),
            _ => None,
        }
    }

    /// Whether its count and its plain bits are those of the ids that it holds. Linear in ids.
    pub(super) fn is_consistent(&self) -> bool {
        match &self.0 {
            Form::Bitmap(large) => large.is_consistent(),
            _ => true,
        }
    }

    pub(crate) fn view(&self) -> View<'_> {
        match &self.0 {
            Form::Inline { len, ids } => {
                View::Ids(ids.get(..usize::from(*len)).unwrap_or_default())
            }
            Form::Window { first, bits } => View::Window(Window {
                first: *first,
                bits: *bits,
            }),
            Form::Array(ids) => View::Ids(ids),
            Form::Bitmap(large) => View::Bitmap(&large.bitmap),
        }
    }

    /// Adds an id; false if it was there.
    pub fn insert(&mut self, id: u32) -> bool {
        let at = match self.view() {
            View::Ids(ids) => match place(ids, id) {
                Ok(_) => return false,
                Err(at) => at,
            },
            View::Window(_) | View::Bitmap(_) => 0,
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
                let mut all = [id; INLINE + 1];
                all.iter_mut()
                    .skip(1)
                    .zip(ids.iter())
                    .for_each(|(place, id)| *place = *id);
                if let Some(before) = all.get_mut(..=at) {
                    before.rotate_left(1);
                }
                self.0 = Form::of(&all);
            }
            Form::Array(ids) if ids.len() < ARRAY => {
                if ids.len() == ids.capacity() {
                    ids.reserve_exact(room(ids.len() + 1) - ids.len());
                }
                ids.insert(at, id);
            }
            Form::Array(ids) => {
                let mut bitmap: RoaringBitmap = ids.iter().copied().collect();
                bitmap.insert(id);
                self.0 = Form::Bitmap(Box::new(Large::new(bitmap)));
            }
            Form::Bitmap(large) => return large.insert(id),
            Form::Window { first, bits } => {
                let (first, bits) = (*first, *bits);
                return self.insert_near(Window { first, bits }, id);
            }
        }
        true
    }

    /// Adds ids, one behind the other.
    pub(crate) fn insert_range(&mut self, mut ids: Range<u32>) {
        // The first few may make it a larger form.
        while !ids.is_empty() {
            if let Form::Bitmap(large) = &mut self.0 {
                return large.insert_range(ids);
            }
            self.insert(ids.start);
            ids.start += 1;
        }
    }

    /// Adds an id to those of a window.
    fn insert_near(&mut self, window: Window, id: u32) -> bool {
        if window.contains(id) {
            return false;
        }
        self.0 = match window.with(id) {
            Some(window) => window.into(),
            None => {
                let mut ids: SmallVec<[u32; Window::SPAN + 1]> = window.iter().collect();
                let at = if id < window.first { 0 } else { ids.len() };
                ids.insert(at, id);
                Form::of(&ids)
            }
        };
        true
    }

    /// Takes an id out; false if it was not there.
    pub fn remove(&mut self, id: u32) -> bool {
        let at = match self.view() {
            View::Ids(ids) => match place(ids, id) {
                Ok(at) => at,
                Err(_) => return false,
            },
            View::Window(window) if !window.contains(id) => return false,
            View::Window(_) | View::Bitmap(_) => 0,
        };
        match &mut self.0 {
            Form::Inline { len, ids } => {
                ids.copy_within(at + 1..usize::from(*len), at);
                *len -= 1;
            }
            Form::Array(ids) => {
                ids.remove(at);
                let lie_close = |(first, last): (&u32, &u32)| last - first < BACK_TO_WINDOW;
                if ids.len() < INLINE
                    || ids.len() * 4 < ids.capacity()
                    || ids.first().zip(ids.last()).is_some_and(lie_close)
                {
                    self.0 = Form::of(ids);
                }
            }
            Form::Bitmap(large) => {
                if !large.remove(id) {
                    return false;
                }
                if large.len <= BACK_TO_ARRAY as u64 {
                    let ids: Vec<u32> = large.bitmap.iter().collect();
                    self.0 = Form::of(&ids);
                }
            }
            Form::Window { first, bits } => {
                let (first, bits) = (*first, *bits);
                let left = Window { first, bits }.without(id);
                self.0 = left.map_or(Form::of(&[]), Form::from);
            }
        }
        true
    }

    /// The id that so many stand before.
    pub(crate) fn nth(&self, rank: u32) -> Option<u32> {
        match self.view() {
            View::Ids(ids) => ids.get(usize::try_from(rank).ok()?).copied(),
            View::Window(window) => window.iter().nth(usize::try_from(rank).ok()?),
            View::Bitmap(bitmap) => bitmap.select(rank),
        }
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
            View::Window(window) => {
                let ids = window.iter().filter(|id| range.contains(id));
                ids.for_each(f);
            }
            View::Bitmap(bitmap) => bitmap.range(range).for_each(f),
        }
    }

    /// Calls `f` with each id, in order.
    pub(crate) fn for_each(&self, f: impl FnMut(u32)) {
        match self.view() {
            View::Ids(ids) => ids.iter().copied().for_each(f),
            View::Window(window) => window.iter().for_each(f),
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
            View::Window(window) => {
                window.iter().skip_while(|id| *id < first).all(f);
            }
            View::Bitmap(bitmap) => {
                bitmap.range(first..).all(f);
            }
        }
    }

    /// Bytes allocated; of a roaring bitmap, what its form on disk would take.
    pub(crate) fn bytes(&self) -> usize {
        match &self.0 {
            Form::Inline { .. } | Form::Window { .. } => 0,
            Form::Array(ids) => HEADER + ids.capacity() * size_of::<u32>(),
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
            View::Window(window) => bitmap.extend(window.iter()),
            View::Bitmap(own) => *bitmap |= own,
        }
    }

    /// Takes every id out of `bitmap`.
    pub(crate) fn subtract_from(&self, bitmap: &mut RoaringBitmap) {
        match self.view() {
            View::Ids(ids) => ids.iter().for_each(|id| {
                bitmap.remove(*id);
            }),
            View::Window(window) => window.iter().for_each(|id| {
                bitmap.remove(id);
            }),
            View::Bitmap(own) => *bitmap -= own,
        }
    }

    /// How many ids are in both. No set is built.
    pub(crate) fn intersection_len(&self, bitmap: &RoaringBitmap) -> u64 {
        match self.view() {
            View::Ids(ids) => ids.iter().filter(|id| bitmap.contains(**id)).count() as u64,
            View::Window(window) => window.iter().filter(|id| bitmap.contains(*id)).count() as u64,
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
        /// Ids in runs, as pods that are created together have them, through all forms.
        #[test]
        fn ranges_are_sets(runs in prop::collection::vec((0u32..40, 1u32..200), 1..60)) {
            let mut posting = Posting::default();
            let (mut model, mut last) = (BTreeSet::new(), 0);
            for (gap, length) in runs {
                posting.insert_range(last + gap..last + gap + length);
                model.extend(last + gap..last + gap + length);
                last += gap + length;
                prop_assert_eq!(posting.len(), model.len() as u64);
            }
            let mut seen = Vec::new();
            posting.for_each(|id| seen.push(id));
            prop_assert!(seen.into_iter().eq(model.iter().copied()));
            if let Some(flat) = posting.flat() {
                prop_assert!((0..=last).all(|id| flat.contains(id) == model.contains(&id)));
            }
            prop_assert_eq!(posting.flat().is_some(), model.len() > 256 && model.len() as u64 * 32 >= Flat::span(last - 1));
        }

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
