//! The journal's bytes: a header, and a frame for each group.
//!
//! ```text
//! part    "selctrdJ" history first-revision check
//! frame   "frm1" length check-of-payload check-of-these-twelve  payload
//! payload first-revision milliseconds-since-1970 requests {length transaction}…
//! requests how-many number-of-the-first {length request-id digest revision}…
//! ```
//!
//! The requests are those that the group answers, which a client may ask again. They are numbered as they
//! come, as some are answered without a transaction.
//!
//! The last frame may have been written in part when the machine stopped; it was not acknowledged. That
//! shows in a file that ends too early, or in a whole sector of zeros with no whole frame behind it. Whatever
//! else does not fit its check sum has been damaged since it was written.

use std::ops::Range;

use crate::model::{ResolvedTransaction, Revision};
use crate::store::{AnsweredRequest, HistoryId};

use super::codec::{Reader, put_bytes, put_number};
use super::object::{decode_transaction, encode_transaction};
use super::requests::{get_request, put_request};

const MAGIC: &[u8; 8] = b"selctrdJ";
pub(super) const FRAME: &[u8; 4] = b"frm1";
/// What a disk writes whole.
pub(super) const SECTOR: u64 = 512;

/// Bytes of a part's header.
pub(super) const PART_HEADER: usize = 8 + 16 + 8 + 4;
/// Bytes of a frame's header.
pub(super) const FRAME_HEADER: usize = 16;

/// A group of transactions that were written together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// The revision of the first; the others follow one by one.
    pub(super) first: Revision,
    /// When it was written: milliseconds since 1970.
    pub(super) committed: u64,
    /// The number of the first of the requests; the others follow one by one.
    pub(super) number: u64,
    pub(super) requests: Vec<AnsweredRequest>,
    pub(super) transactions: Vec<ResolvedTransaction>,
}

/// The header of a part of the journal.
pub(super) fn part_header(history: HistoryId, first: Revision) -> Vec<u8> {
    let mut header = Vec::with_capacity(PART_HEADER);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(history.as_bytes());
    header.extend_from_slice(&first.to_le_bytes());
    let check = crc32fast::hash(&header);
    header.extend_from_slice(&check.to_le_bytes());
    header
}

/// A group as a frame, with the requests that it answers, of which the first has this number; none if it is
/// too large for one.
pub(super) fn frame(
    first: Revision,
    committed: u64,
    (number, requests): (u64, &[AnsweredRequest]),
    group: &[ResolvedTransaction],
) -> Option<Vec<u8>> {
    let mut frame = vec![0; FRAME_HEADER];
    put_number(first, &mut frame);
    put_number(committed, &mut frame);
    put_number(requests.len() as u64, &mut frame);
    put_number(number, &mut frame);
    for request in requests {
        put_request(request, &mut frame);
    }
    for transaction in group {
        put_bytes(&encode_transaction(transaction), &mut frame);
    }
    let (_, payload) = frame.split_at_checked(FRAME_HEADER)?;
    let length = u32::try_from(payload.len()).ok()?;
    let check = crc32fast::hash(payload);
    let mut header = Vec::with_capacity(FRAME_HEADER);
    header.extend_from_slice(FRAME);
    header.extend_from_slice(&length.to_le_bytes());
    header.extend_from_slice(&check.to_le_bytes());
    let own = crc32fast::hash(&header);
    header.extend_from_slice(&own.to_le_bytes());
    frame.get_mut(..FRAME_HEADER)?.copy_from_slice(&header);
    Some(frame)
}

/// What a frame's header says: the payload's length and check sum. None if it is none.
pub(super) fn read_header(header: &[u8; FRAME_HEADER]) -> Option<(usize, u32)> {
    let (said, own) = header.split_last_chunk::<4>()?;
    if crc32fast::hash(said) != u32::from_le_bytes(*own) {
        return None;
    }
    let (magic, rest) = said.split_first_chunk::<4>()?;
    let (length, check) = rest.split_first_chunk::<4>()?;
    let check = check.first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    (magic == FRAME).then_some((length, u32::from_le_bytes(*check)))
}

/// The group in a payload whose check sum is right.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read_payload(payload: &[u8]) -> Result<Group, String> {
    let cut = || "a group that is cut off".to_owned();
    let mut reader = Reader(payload);
    let first = reader.number().ok_or_else(cut)?;
    let committed = reader.number().ok_or_else(cut)?;
    let count = reader.number().ok_or_else(cut)?;
    let number = reader.number().ok_or_else(cut)?;
    let mut requests = Vec::new();
    for _ in 0..count {
        requests.push(get_request(&mut reader).ok_or_else(cut)?);
    }
    let mut transactions = Vec::new();
    while reader.end().is_none() {
        transactions.push(decode_transaction(reader.bytes().ok_or_else(cut)?)?);
    }
    Ok(Group {
        first,
        committed,
        number,
        requests,
        transactions,
    })
}

/// Where the changes of a frame's transactions stand in it, one transaction after another.
pub(super) fn change_places(frame: &[u8]) -> Option<Vec<Range<usize>>> {
    let mut reader = Reader(frame.get(FRAME_HEADER..)?);
    let (_first, _committed) = (reader.number()?, reader.number()?);
    let (count, _number) = (reader.number()?, reader.number()?);
    for _ in 0..count {
        get_request(&mut reader)?;
    }
    let mut places = Vec::new();
    while reader.end().is_none() {
        let mut changes = Reader(reader.bytes()?);
        let behind = reader.0.len();
        changes.bytes()?;
        while changes.end().is_none() {
            let change = changes.bytes()?;
            let end = frame.len().checked_sub(behind)?;
            let end = end.checked_sub(changes.0.len())?;
            places.push(end.checked_sub(change.len())?..end);
        }
    }
    Some(places)
}

/// Whether bytes that stand at `offset` of a file look as if some of them never got to the disk.
pub(super) fn is_torn(bytes: &[u8], offset: u64) -> bool {
    let into = usize::try_from(offset % SECTOR).unwrap_or_default();
    let first = (SECTOR as usize).saturating_sub(into).min(bytes.len());
    let (first, rest) = bytes.split_at(first);
    let zeros = |chunk: &[u8]| !chunk.is_empty() && chunk.iter().all(|byte| *byte == 0);
    zeros(first) || rest.chunks(SECTOR as usize).any(zeros)
}

/// The same of a frame's header, which `bytes` begin with: where a sector never got to the disk, all of it
/// is zeros, also what would be behind the header.
pub(super) fn is_torn_header(bytes: &[u8], offset: u64) -> bool {
    let into = usize::try_from(offset % SECTOR).unwrap_or_default();
    let sectors = (into + FRAME_HEADER).div_ceil(SECTOR as usize);
    let end = (sectors * SECTOR as usize).saturating_sub(into);
    is_torn(bytes.get(..end).unwrap_or(bytes), offset)
}
