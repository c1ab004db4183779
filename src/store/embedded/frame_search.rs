use std::collections::BTreeMap;
use std::io::{self, Read};

use crc32fast::Hasher;

use crate::model::Revision;

use super::codec::Reader;
use super::frame::{FRAME, FRAME_HEADER, read_header};

/// Bytes that are read at once.
const BLOCK: usize = 1 << 16;
/// A header, and the number of the first revision behind it.
const LOOK: usize = FRAME_HEADER + 10;
/// With so many headers whose payloads reach over one place, the bytes are none that a write left undone.
const MOST: usize = 1 << 12;

/// Whether a whole frame stands among bytes, of a revision not before `follows`. One is written when the
/// one before it is on the disk, so what stands before it was written whole. One of a revision before is
/// what the disk had there of a file that is gone.
///
/// Linear in the bytes, whatever they are, of which few are held at one time. True where they are made to
/// look like frames without end: it is the answer that leaves them as they are.
///
/// # Errors
/// The reader's.
pub(super) fn holds_frame(bytes: &mut impl Read, follows: Revision) -> io::Result<bool> {
    let mut search = Search {
        follows,
        held: Vec::with_capacity(BLOCK + LOOK),
        hashed: 0,
        begin: 0,
        before: Hasher::new(),
        ends: BTreeMap::new(),
        pending: 0,
    };
    loop {
        let read = (&mut *bytes)
            .take(BLOCK as u64)
            .read_to_end(&mut search.held)?;
        let is_end = read < BLOCK;
        if search.look(is_end) {
            return Ok(true);
        }
        if is_end {
            return Ok(false);
        }
    }
}

/// Looks at bytes that come one block after another. The check sum of a payload is not made for each, since
/// payloads may lie in one another: from the sum of all bytes before it and the one that its header has
/// follows which sum there has to be of all bytes before its end.
struct Search {
    follows: Revision,
    /// Bytes that were not looked at, or not hashed.
    held: Vec<u8>,
    /// How many of them are hashed.
    hashed: usize,
    /// Where they begin.
    begin: u64,
    /// The sum of all bytes before.
    before: Hasher,
    /// By where payloads end: the sums there have to be of all bytes before.
    ends: BTreeMap<u64, Vec<u32>>,
    /// How many sums these are.
    pending: usize,
}

impl Search {
    /// Whether a whole frame ends in what is held.
    fn look(&mut self, is_end: bool) -> bool {
        // A header may go on with the next block.
        let beyond = if is_end { 0 } else { LOOK };
        let until = self.held.len().saturating_sub(beyond);
        let mut at = 0;
        while let Some(found) = self.find(at, until) {
            at = found.saturating_add(1);
            let Some((length, check)) = self.header(found) else {
                continue;
            };
            let payload = found.saturating_add(FRAME_HEADER);
            if self.hash(payload) || self.pending >= MOST {
                return true;
            }
            let mut whole = self.before.clone();
            whole.combine(&Hasher::new_with_initial_len(check, length as u64));
            let end = (self.begin.saturating_add(payload as u64)).saturating_add(length as u64);
            self.ends.entry(end).or_default().push(whole.finalize());
            self.pending = self.pending.saturating_add(1);
        }
        if self.hash(until) {
            return true;
        }
        self.held.drain(..until);
        self.hashed = self.hashed.saturating_sub(until);
        self.begin = self.begin.saturating_add(until as u64);
        false
    }

    /// What may be a header, from a place on.
    fn find(&self, from: usize, until: usize) -> Option<usize> {
        let bytes = self.held.get(from..)?;
        let found = bytes.windows(FRAME.len()).position(|it| it == FRAME)?;
        Some(from.saturating_add(found)).filter(|at| *at < until)
    }

    /// What the header of a frame says that may stand behind.
    fn header(&self, at: usize) -> Option<(usize, u32)> {
        let (header, payload) = self.held.get(at..)?.split_first_chunk()?;
        let said = read_header(header)?;
        let first = Reader(payload).number()?;
        (first >= self.follows).then_some(said)
    }

    /// Hashes up to a place, unless that was done. Whether a payload that ends on the way is whole.
    fn hash(&mut self, until: usize) -> bool {
        while self.hashed < until {
            let next = self.ends.first_key_value().map(|(end, _)| *end);
            let next = next.map(|end| end.saturating_sub(self.begin));
            let next = next.and_then(|next| usize::try_from(next).ok());
            let end = next.map_or(until, |next| next.clamp(self.hashed, until));
            self.before
                .update(self.held.get(self.hashed..end).unwrap_or_default());
            self.hashed = end;
            let here = self.begin.saturating_add(end as u64);
            if let Some(sums) = self.ends.remove(&here) {
                self.pending = self.pending.saturating_sub(sums.len());
                if sums.contains(&self.before.clone().finalize()) {
                    return true;
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::codec::put_number;
    use super::super::frame::frame;
    use super::*;

    /// A header that is one, of a payload of any sum and length.
    fn header(length: u32, check: u32) -> Vec<u8> {
        let mut header = FRAME.to_vec();
        header.extend(length.to_le_bytes());
        header.extend(check.to_le_bytes());
        let own = crc32fast::hash(&header);
        header.extend(own.to_le_bytes());
        header
    }

    /// A whole frame of anything behind a revision.
    fn whole(first: Revision, rest: &[u8]) -> Vec<u8> {
        let mut payload = Vec::new();
        put_number(first, &mut payload);
        payload.extend(rest);
        let header = header(payload.len() as u32, crc32fast::hash(&payload));
        [header, payload].concat()
    }

    /// The same, each payload hashed by itself.
    fn plainly(bytes: &[u8], follows: Revision) -> bool {
        (0..bytes.len()).any(|at| {
            let Some((header, behind)) = bytes[at..].split_first_chunk() else {
                return false;
            };
            let Some((length, check)) = read_header(header) else {
                return false;
            };
            let whole = behind.get(..length).map(crc32fast::hash) == Some(check);
            whole
                && Reader(behind)
                    .number()
                    .is_some_and(|first| first >= follows)
        })
    }

    /// Bytes that may be those of a journal, or are made to look so.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            3 => (0..70_000usize).prop_map(|zeros| vec![0; zeros]),
            3 => vec(any::<u8>(), 0..600),
            2 => (0..100_000u32, any::<u32>()).prop_map(|(length, check)| header(length, check)),
            1 => Just(FRAME.to_vec()),
            1 => (0..20u64, vec(any::<u8>(), 1..300)).prop_map(|(first, rest)| whole(first, &rest)),
        ];
        let pieces = vec(piece, 0..12).prop_map(|pieces| pieces.concat());
        // A payload that holds others, whole or cut off.
        (pieces, 0..20u64, any::<bool>(), 0..400usize).prop_map(|(pieces, first, holds, cut)| {
            let mut bytes = if holds { whole(first, &pieces) } else { pieces };
            bytes.truncate(bytes.len().saturating_sub(cut));
            bytes
        })
    }

    proptest! {
        #[test]
        fn it_finds_what_is_found_by_hashing_each(bytes in bytes(), follows in 0..20u64) {
            let found = holds_frame(&mut bytes.as_slice(), follows).unwrap();
            prop_assert_eq!(found, plainly(&bytes, follows));
        }
    }

    /// As many look like frames as there is room for, and each would have to be hashed to the end.
    #[test]
    fn bytes_that_are_made_to_be_slow_are_not() {
        let many = MOST + 10;
        let all: Vec<u8> = (0..many as u32)
            .flat_map(|i| [header(u32::MAX - i, i), vec![0; 16]].concat())
            .collect();
        assert!(holds_frame(&mut all.as_slice(), 0).unwrap());
        let few = &all[..all.len() / 2];
        assert!(!holds_frame(&mut few.chain(&[0; 1 << 20][..]), 0).unwrap());
    }

    #[test]
    fn a_group_of_our_own_is_found_on_every_border_of_a_block() {
        let group = frame(7, 1, (0, &[]), &[]).unwrap();
        for before in (BLOCK - group.len() - LOOK)..(BLOCK + LOOK) {
            let bytes = [vec![0; before], group.clone(), vec![0; 9]].concat();
            assert!(holds_frame(&mut bytes.as_slice(), 7).unwrap(), "{before}");
            assert!(!holds_frame(&mut bytes.as_slice(), 8).unwrap(), "{before}");
        }
    }
}
