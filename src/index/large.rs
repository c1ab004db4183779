use std::ops::Range;

use roaring::RoaringBitmap;

use super::flat::Flat;

/// A bitmap with one id in so many of those up to its last one is kept as plain bits as well: there
/// are a few dozen such pairs in a cluster, and most counts are about two of them.
const DENSE: u64 = 32;
/// With one in so many the plain bits are dropped.
const SPARSE: u64 = 128;
/// Each so many ids, it is looked whether plain bits are worth it.
const LOOKED: u64 = 256;

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
        self.inserted(id..id + 1);
        true
    }

    /// Adds ids, one behind the other, of which none is there.
    pub(super) fn insert_range(&mut self, ids: Range<u32>) {
        // A part of the bitmap that a range fills is kept as runs from then on, in which all takes longer:
        // it is filled by the last id.
        let last = ids.end - 1;
        self.bitmap.insert_range(ids.start..last);
        self.bitmap.insert(last);
        self.inserted(ids);
    }

    fn inserted(&mut self, ids: Range<u32>) {
        let before = self.len;
        self.len += ids.len() as u64;
        if let Some(flat) = &mut self.flat {
            flat.insert_range(ids);
        } else if before / LOOKED < self.len / LOOKED && self.len * DENSE >= self.span() {
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

    fn span(&self) -> u64 {
        Flat::span(self.bitmap.max().unwrap_or(0))
    }
}
