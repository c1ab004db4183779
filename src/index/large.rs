use std::ops::Range;

use roaring::RoaringBitmap;

use super::flat::{Flat, Flats};

/// A bitmap with one id in so many of those up to its last one is kept as plain bits as well: there
/// are a few dozen such pairs in a cluster, and most counts are about two of them.
const DENSE: u64 = 32;
/// With one in so many the plain bits are dropped.
const SPARSE: u64 = 128;
/// Each so many ids, it is looked whether plain bits are worth it.
const LOOKED: u64 = 256;
/// What the last id of a container of a roaring bitmap ends in: it has 65,536 ids.
const CONTAINER_END: u32 = u16::MAX as u32;

/// A bitmap of ids, their number, and plain bits of them while they are dense.
#[derive(Debug, Clone)]
pub(super) struct Large {
    pub(super) bitmap: RoaringBitmap,
    pub(super) len: u64,
    /// The same ids.
    pub(super) flat: Option<Flat>,
}

impl Large {
    pub(super) fn new(bitmap: RoaringBitmap) -> Large {
        Large {
            len: bitmap.len(),
            bitmap,
            flat: None,
        }
    }

    pub(super) fn insert(&mut self, id: u32) -> bool {
        if !self.bitmap.insert(id) {
            return false;
        }
        if let Some(flat) = &mut self.flat {
            flat.insert(id);
        }
        self.grown(1);
        true
    }

    /// Adds ids, one behind the other.
    pub(super) fn insert_range(&mut self, ids: Range<u32>) {
        // A container that a range begins or fills is kept as runs from then on, in which all takes longer:
        // single ids begin and fill it.
        let (mut first, mut added) = (ids.start, 0);
        while first < ids.end {
            let last = (first | CONTAINER_END).min(ids.end - 1);
            added += u64::from(self.bitmap.insert(first));
            if first < last {
                added += self.bitmap.insert_range(first + 1..last);
                added += u64::from(self.bitmap.insert(last));
            }
            first = last + 1;
        }
        if let Some(flat) = &mut self.flat {
            flat.insert_range(ids);
        }
        self.grown(added);
    }

    fn grown(&mut self, added: u64) {
        let before = self.len;
        self.len += added;
        if self.flat.is_none()
            && before / LOOKED < self.len / LOOKED
            && self.len * DENSE >= self.span()
        {
            self.flat = Some(Flat::from(&self.bitmap));
        }
    }

    pub(super) fn remove(&mut self, id: u32) -> bool {
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

    /// Whether the count and the plain bits are those of the bitmap. Linear in ids.
    pub(super) fn is_consistent(&self) -> bool {
        let has_all = |flat: &Flat| {
            let all = Flats {
                all: vec![flat],
                none: Vec::new(),
            };
            all.count() == self.len && self.bitmap.iter().all(|id| flat.contains(id))
        };
        self.len == self.bitmap.len() && self.flat.as_ref().is_none_or(has_all)
    }

    fn span(&self) -> u64 {
        Flat::span(self.bitmap.max().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn large(ids: impl IntoIterator<Item = u32>) -> Large {
        Large::new(ids.into_iter().collect())
    }

    /// Where containers begin and end, and where they are full.
    #[test]
    fn a_range_is_kept_as_single_ids_are() {
        let before = || large((0..600).step_by(2));
        for border in [1 << 16, 2 << 16] {
            for first in [0, 1, 2, 3, 70, 5_000].map(|back| border - back) {
                for length in [1, 2, 3, 4, 70, 5_003, 65_536, 70_003] {
                    let ids = first..first + length;
                    let (mut whole, mut single) = (before(), before());
                    whole.insert_range(ids.clone());
                    for id in ids.clone() {
                        single.insert(id);
                    }
                    let kept = |large: &Large| {
                        let of = large.bitmap.statistics();
                        let kinds = (of.n_array_containers, of.n_bitset_containers);
                        (of.n_run_containers, kinds, large.bitmap.serialized_size())
                    };
                    assert_eq!(kept(&whole).0, 0, "{ids:?}");
                    assert_eq!(kept(&whole), kept(&single), "{ids:?}");
                    assert_eq!((whole.bitmap, whole.len), (single.bitmap, single.len));
                }
            }
        }
    }

    #[test]
    fn a_range_that_fills_a_container_is_kept_as_bits() {
        for hole in [1_u32..2, 1..65_535, 10..13, 0..3, 65_533..65_536] {
            let mut large = large((0..1 << 16).filter(|id| !hole.contains(id)));
            large.insert_range(hole.clone());
            assert_eq!(
                (large.len, large.bitmap.len()),
                (1 << 16, 1 << 16),
                "{hole:?}"
            );
            assert_eq!(large.bitmap.statistics().n_run_containers, 0, "{hole:?}");
        }
    }

    #[test]
    fn ids_that_are_there_are_not_counted_twice() {
        let mut large = large([3, 5, 70_000]);
        large.insert_range(2..7);
        large.insert_range(65_000..71_000);
        assert!(large.is_consistent());
    }

    #[test]
    fn wrong_counts_and_wrong_bits_are_found() {
        let changed = |change: fn(&mut Large)| {
            let mut large = large(0..3);
            large.insert_range(3..3_000);
            assert!(large.flat.is_some());
            change(&mut large);
            large.is_consistent()
        };
        assert!(changed(|_| ()));
        assert!(!changed(|large| large.len += 1));
        assert!(!changed(|large| {
            large.flat.iter_mut().for_each(|flat| flat.insert(3_000));
        }));
        assert!(!changed(|large| {
            large.flat.iter_mut().for_each(|flat| flat.remove(7));
        }));
    }

    #[test]
    fn takes_the_last_id_there_is() {
        let mut large = large([1, 2, 3]);
        assert!(large.insert(u32::MAX));
        assert!(!large.insert(u32::MAX));
        large.insert_range(u32::MAX - 3..u32::MAX);
        assert_eq!((large.len, large.bitmap.len()), (7, 7));
    }
}
