//! Requests that were answered last, as clients may ask them again.

use std::collections::VecDeque;
use std::ops::Range;

use crate::store::{AnsweredRequest, MAX_REQUESTS};

use super::codec::{Reader, put_bytes, put_number};

/// Writes a request.
pub(super) fn put_request(request: &AnsweredRequest, out: &mut Vec<u8>) {
    let AnsweredRequest {
        request_id,
        digest,
        resolved_at,
        revision,
    } = request;
    put_bytes(request_id.as_bytes(), out);
    out.extend_from_slice(&digest.to_le_bytes());
    put_number(*resolved_at, out);
    put_number(*revision, out);
}

/// Reads a request; none if it is not one.
pub(super) fn get_request(reader: &mut Reader<'_>) -> Option<AnsweredRequest> {
    let request_id = reader.text()?;
    let mut digest = [0; 8];
    for byte in &mut digest {
        *byte = reader.byte()?;
    }
    Some(AnsweredRequest {
        request_id,
        digest: u64::from_le_bytes(digest),
        resolved_at: reader.number()?,
        revision: reader.number()?,
    })
}

/// The last requests, numbered as they came.
#[derive(Debug, Default)]
pub(super) struct Requests {
    last: VecDeque<AnsweredRequest>,
    /// The number of the oldest.
    first: u64,
    /// The numbers that the state has.
    kept: Range<u64>,
}

/// How the requests differ from those in the state.
#[derive(Debug, Default)]
pub(super) struct RequestChanges {
    pub(super) dropped: Range<u64>,
    /// From this number on.
    pub(super) from: u64,
    pub(super) written: Vec<AnsweredRequest>,
    /// The numbers that the state then has.
    pub(super) kept: Range<u64>,
}

impl Requests {
    /// Those that a state has, by number.
    pub(super) fn of_state(first: u64, last: VecDeque<AnsweredRequest>) -> Requests {
        let kept = first..first.saturating_add(last.len() as u64);
        Requests { last, first, kept }
    }

    /// The number that the next one gets.
    pub(super) fn next(&self) -> u64 {
        self.first.saturating_add(self.last.len() as u64)
    }

    /// Adds requests, and forgets the oldest beyond the bound.
    pub(super) fn extend(&mut self, requests: impl IntoIterator<Item = AnsweredRequest>) {
        self.last.extend(requests);
        let over = self.last.len().saturating_sub(MAX_REQUESTS);
        self.last.drain(..over);
        self.first = self.first.saturating_add(over as u64);
    }

    /// All of them, oldest first.
    pub(super) fn all(&self) -> Vec<AnsweredRequest> {
        self.last.iter().cloned().collect()
    }

    /// What is to be written into the state, which then has them all.
    pub(super) fn take_changes(&mut self) -> RequestChanges {
        let now = self.first..self.next();
        let before = std::mem::replace(&mut self.kept, now.clone());
        let from = before.end.max(now.start);
        let known = usize::try_from(from.saturating_sub(now.start)).unwrap_or(usize::MAX);
        RequestChanges {
            dropped: before.start..before.end.min(now.start),
            from,
            written: self.last.iter().skip(known).cloned().collect(),
            kept: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(revision: u64) -> AnsweredRequest {
        AnsweredRequest {
            request_id: revision.to_string().into(),
            digest: u64::MAX - revision,
            resolved_at: revision / 2,
            revision,
        }
    }

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let mut bytes = Vec::new();
        put_request(&request(300), &mut bytes);
        let mut reader = Reader(&bytes);
        assert_eq!(get_request(&mut reader), Some(request(300)));
        assert_eq!(reader.end(), Some(()));
        for len in 0..bytes.len() {
            assert_eq!(get_request(&mut Reader(&bytes[..len])), None);
        }
    }

    #[test]
    fn the_state_is_told_of_each_once_and_of_those_that_are_forgotten() {
        let most = MAX_REQUESTS as u64;
        let mut requests = Requests::default();
        requests.extend((0..10).map(request));
        let first = requests.take_changes();
        assert_eq!((first.dropped, first.from, first.kept), (0..0, 0, 0..10));
        assert_eq!(first.written.len(), 10);
        requests.extend((10..most + 3).map(request));
        let second = requests.take_changes();
        assert_eq!((second.dropped, second.from), (0..3, 10));
        assert_eq!(second.kept, 3..most + 3);
        assert_eq!(second.written.first(), Some(&request(10)));
        // More at once than are remembered.
        requests.extend((most + 3..3 * most).map(request));
        let third = requests.take_changes();
        assert_eq!((third.dropped, third.from), (3..most + 3, 2 * most));
        assert_eq!(third.written.len(), MAX_REQUESTS);
        assert_eq!(third.written.first(), Some(&request(2 * most)));
        assert_eq!(requests.take_changes().written, vec![]);
    }
}
