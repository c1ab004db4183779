use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::model::Revision;
use crate::store::HistoryId;

use super::disk::Disk;
use super::error::OpenError;
use super::frame::{
    FRAME_HEADER, Group, PART_HEADER, SECTOR, is_torn, is_torn_header, part_header, read_header,
    read_payload,
};
use super::frame_search::holds_frame;

/// Bytes that are read, and written again, at once.
const BLOCK: usize = 1 << 20;

/// A part of the journal that is read back.
pub(super) struct Part<'d> {
    pub(super) disk: &'d dyn Disk,
    pub(super) directory: &'d Path,
    pub(super) path: &'d Path,
    pub(super) history: HistoryId,
    pub(super) first: Revision,
    /// Whether it was being written last: only then may its end be missing.
    pub(super) is_last: bool,
}

impl Part<'_> {
    /// Hands on the groups, oldest first. What the last write left undone is cut off.
    ///
    /// Of the last part, what was read is made durable once more: the sync after which it was not
    /// acknowledged may have failed, and whatever is written from now on stands on it.
    pub(super) fn read(
        &self,
        sink: &mut dyn FnMut(Group) -> Result<(), OpenError>,
    ) -> Result<(), OpenError> {
        let offset = self.groups(sink)?;
        if self.is_last {
            let failed = |error| OpenError::io("make durable", self.path, error);
            self.settle(offset).map_err(failed)?;
        }
        Ok(())
    }

    /// Hands on the groups, and answers where the last one ends.
    fn groups(
        &self,
        sink: &mut dyn FnMut(Group) -> Result<(), OpenError>,
    ) -> Result<u64, OpenError> {
        let failed = |error| OpenError::io("read", self.path, error);
        let len = self.path.metadata().map_err(failed)?.len();
        // Without a whole header there is nothing behind it either: the part was being begun. Whether
        // something is missing shows in the next one.
        if len < PART_HEADER as u64 {
            return Ok(0);
        }
        let file = self.disk.read(self.path).map_err(failed)?;
        let mut file = BufReader::with_capacity(BLOCK, file);
        let mut header = [0; PART_HEADER];
        file.read_exact(&mut header).map_err(failed)?;
        if header[..] != part_header(self.history, self.first)[..] {
            // It was synced before anything was written behind it.
            if self.is_last && len == PART_HEADER as u64 && is_torn(&header, 0) {
                return Ok(0);
            }
            return Err(self.damaged(0, "it does not begin as it has to"));
        }
        let mut offset = PART_HEADER as u64;
        let mut follows = self.first;
        while let Some((group, end)) = self.next(&mut file, offset, len, follows)? {
            follows = (group.first).saturating_add(group.transactions.len() as u64);
            sink(group)?;
            offset = end;
        }
        Ok(offset)
    }

    /// Cuts off what is behind a place, and writes again what is before it. What was written and not
    /// synced may be seen and not be on the disk, and a system that could not write it once does not try
    /// again by itself.
    fn settle(&self, end: u64) -> io::Result<()> {
        let mut file = self.disk.open(self.path)?;
        file.set_size(end)?;
        let mut from = self.disk.read(self.path)?;
        let mut block = Vec::new();
        let mut offset = 0;
        while offset < end {
            block.clear();
            (&mut from).take(BLOCK as u64).read_to_end(&mut block)?;
            if block.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            file.write_all_at(&block, offset)?;
            offset = offset.saturating_add(block.len() as u64);
        }
        file.sync()
    }

    /// The group that stands at a place, of a revision that follows, and where it ends; none at the end of
    /// what was written whole.
    fn next(
        &self,
        file: &mut impl Read,
        offset: u64,
        len: u64,
        follows: Revision,
    ) -> Result<Option<(Group, u64)>, OpenError> {
        let failed = |error: io::Error| OpenError::io("read", self.path, error);
        let left = len.saturating_sub(offset);
        if left == 0 {
            return Ok(None);
        }
        if left < FRAME_HEADER as u64 {
            return self.torn_or(offset, "it is cut off", true);
        }
        let mut header = [0; FRAME_HEADER];
        file.read_exact(&mut header).map_err(failed)?;
        let Some((length, check)) = read_header(&header) else {
            let mut near = header.to_vec();
            let mut sectors = file.by_ref().take(2 * SECTOR);
            sectors.read_to_end(&mut near).map_err(failed)?;
            let mut rest = near.as_slice().chain(file);
            let torn = is_torn_header(&near, offset)
                && !holds_frame(&mut rest, follows).map_err(failed)?;
            return self.torn_or(
                offset,
                "the header of a group is not what was written",
                torn,
            );
        };
        let end = (FRAME_HEADER as u64)
            .saturating_add(length as u64)
            .saturating_add(offset);
        if end > len {
            return self.torn_or(offset, "it is cut off", true);
        }
        let mut payload = vec![0; length];
        file.read_exact(&mut payload).map_err(failed)?;
        if crc32fast::hash(&payload) != check {
            let at = offset.saturating_add(FRAME_HEADER as u64);
            let torn = end == len && is_torn(&payload, at);
            return self.torn_or(offset, "a group is not what was written", torn);
        }
        match read_payload(&payload) {
            Ok(group) => Ok(Some((group, end))),
            Err(wrong) => Err(self.damaged(offset, &wrong)),
        }
    }

    /// The end, if the last write did not get to its own.
    fn torn_or(
        &self,
        offset: u64,
        what: &str,
        torn: bool,
    ) -> Result<Option<(Group, u64)>, OpenError> {
        if torn && self.is_last {
            Ok(None)
        } else {
            Err(self.damaged(offset, what))
        }
    }

    fn damaged(&self, offset: u64, what: &str) -> OpenError {
        OpenError::damaged(
            self.directory,
            self.path,
            format!("{what} (at byte {offset})"),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::disk::SystemDisk;
    use super::super::frame::frame;
    use super::*;
    use crate::model::{Change, Node, Object, ResolvedTransaction};
    use crate::store::AnsweredRequest;

    const HISTORY: HistoryId = HistoryId::from_bytes([7; 16]);

    fn transaction(name: &str) -> ResolvedTransaction {
        let node = Node {
            name: name.into(),
            ..Node::default()
        };
        ResolvedTransaction::new(vec![Change::Put(Object::Node(Box::new(node)))], "")
    }

    /// A part of two groups, and where the second begins.
    fn part() -> (Vec<u8>, usize) {
        let mut bytes = part_header(HISTORY, 5);
        bytes.extend(group(5, &[transaction("a"), transaction("b")]));
        let second = bytes.len();
        bytes.extend(group(7, &[transaction(&"c".repeat(2_000))]));
        (bytes, second)
    }

    fn group(first: Revision, transactions: &[ResolvedTransaction]) -> Vec<u8> {
        let request = AnsweredRequest {
            request_id: "again".into(),
            digest: 1,
            resolved_at: first,
            revision: first,
        };
        frame(first, 1, (3, &[request]), transactions).unwrap()
    }

    /// The revisions that groups begin with, if the part can be read; and how long it is then.
    fn read(bytes: &[u8], is_last: bool) -> (Option<Vec<Revision>>, usize) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part");
        fs::write(&path, bytes).unwrap();
        let part = Part {
            disk: &SystemDisk,
            directory: folder.path(),
            path: &path,
            history: HISTORY,
            first: 5,
            is_last,
        };
        let mut groups = Vec::new();
        let read = part.read(&mut |group| {
            assert_eq!(group.requests.len(), 1);
            groups.push(group.first);
            Ok(())
        });
        (read.ok().map(|()| groups), fs::read(&path).unwrap().len())
    }

    #[test]
    fn what_was_not_finished_is_cut_off_at_the_end_of_the_journal_and_nowhere_else() {
        let (bytes, second) = part();
        for is_last in [true, false] {
            assert_eq!(read(&bytes, is_last), (Some(vec![5, 7]), bytes.len()));
        }
        for len in second + 1..bytes.len() {
            let cut = &bytes[..len];
            assert_eq!(read(cut, true), (Some(vec![5]), second), "{len} bytes");
            assert_eq!(read(cut, false), (None, len), "{len} bytes");
        }
        for len in 0..PART_HEADER {
            assert_eq!(read(&bytes[..len], true), (Some(vec![]), 0), "{len} bytes");
        }
    }

    #[test]
    fn a_sector_of_zeros_at_the_end_was_not_finished_and_one_before_is_damage() {
        let (bytes, second) = part();
        let mut torn = bytes.clone();
        torn[1_024..1_536].fill(0);
        assert_eq!(read(&torn, true), (Some(vec![5]), second));
        let mut more = torn.clone();
        more.extend(group(8, &[transaction("d")]));
        assert_eq!(read(&more, true).0, None);
    }

    #[test]
    fn a_header_of_zeros_was_not_finished_only_if_nothing_whole_stands_behind_it() {
        let (mut bytes, _) = part();
        // A group that ends with a sector, and one that begins with the next.
        let fill = |name: usize| group(8, &[transaction(&"d".repeat(name))]);
        let ends = |name: &usize| (bytes.len() + fill(*name).len()).is_multiple_of(512);
        let name = (0..4_096).find(ends);
        bytes.extend(fill(name.unwrap()));
        let last = bytes.len();
        bytes.extend(group(9, &[transaction(&"e".repeat(600))]));
        let mut torn = bytes.clone();
        torn[last..last + 512].fill(0);
        assert_eq!(read(&torn, true), (Some(vec![5, 7, 8]), last));
        torn.extend(group(10, &[transaction("f")]));
        assert_eq!(read(&torn, true), (None, torn.len()));
        // Zeros where only the header was are no sector that is missing.
        let mut flat = bytes.clone();
        flat[last..last + FRAME_HEADER].fill(0);
        assert_eq!(read(&flat, true), (None, bytes.len()));
        // Of a part's header, all that is behind it tells that it was there.
        let mut begun = bytes.clone();
        begun[..PART_HEADER].fill(0);
        assert_eq!(read(&begun, true), (None, bytes.len()));
        assert_eq!(read(&begun[..PART_HEADER], true), (Some(vec![]), 0));
    }

    #[test]
    fn a_frame_behind_zeros_counts_only_if_it_follows() {
        let (bytes, second) = part();
        let last = bytes.len().next_multiple_of(512);
        let with = |behind: &[u8]| {
            let mut torn = bytes.clone();
            torn.resize(last + 512, 0);
            torn.extend(behind);
            read(&torn, true)
        };
        // What a disk had there of a part that is gone, and zeros that it gave for what was not written.
        let old = group(7, &[transaction("old")]);
        let next = group(8, &[transaction("new")]);
        for behind in [&[][..], &[0; 3_000], &old, &next[..next.len() - 1]] {
            assert_eq!(with(behind), (Some(vec![5, 7]), bytes.len()));
        }
        for before in [0, 5, 65_530, 65_536, 200_000] {
            let behind = [&vec![0; before][..], &next, &[0; 700]].concat();
            assert_eq!(with(&behind).0, None, "{before} bytes before it");
        }
        assert!(second < bytes.len());
    }

    #[test]
    fn a_header_on_two_sectors_is_not_missing_for_a_byte_that_is_zero() {
        let (bytes, _) = part();
        let header_at = (bytes.len() + FRAME_HEADER).next_multiple_of(512) - 15;
        let before = |name: usize| group(8, &[transaction(&"d".repeat(name))]);
        let name = (0..1_024).find(|name| bytes.len() + before(*name).len() == header_at);
        let bytes = [bytes, before(name.unwrap())].concat();
        let last = (0..4_096).map(|i| group(9, &[transaction(&format!("{i}"))]));
        let last = last
            .clone()
            .find(|frame| frame[FRAME_HEADER - 1] == 0)
            .unwrap();
        let mut bytes = [bytes, last].concat();
        assert_eq!(read(&bytes, true).0, Some(vec![5, 7, 8, 9]));
        bytes[header_at + 2] ^= 1;
        assert_eq!(read(&bytes, true), (None, bytes.len()));
    }

    #[test]
    fn any_byte_that_is_another_is_damage() {
        let (bytes, _) = part();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert_eq!(read(&damaged, true), (None, bytes.len()), "byte {at}");
        }
    }
}
