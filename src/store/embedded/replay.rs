use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::model::Revision;
use crate::store::HistoryId;

use super::error::OpenError;
use super::frame::{
    FRAME_HEADER, Group, PART_HEADER, is_torn, part_header, read_header, read_payload,
};

/// A part of the journal that is read back.
pub(super) struct Part<'d> {
    pub(super) directory: &'d Path,
    pub(super) path: &'d Path,
    pub(super) history: HistoryId,
    pub(super) first: Revision,
    /// Whether it was being written last: only then may its end be missing.
    pub(super) is_last: bool,
}

/// What stands at a place.
enum Next {
    Group(Group, u64),
    End,
    /// The last write did not get to its end.
    Torn,
}

impl Part<'_> {
    /// Hands on the groups, oldest first. What the last write left undone is cut off.
    pub(super) fn read(
        &self,
        sink: &mut dyn FnMut(Group) -> Result<(), OpenError>,
    ) -> Result<(), OpenError> {
        let failed = |error| OpenError::io("read", self.path, error);
        let file = File::open(self.path).map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        let mut file = BufReader::with_capacity(1 << 20, file);
        let mut header = [0; PART_HEADER];
        let mut offset = 0;
        if len >= PART_HEADER as u64 {
            file.read_exact(&mut header).map_err(failed)?;
            if header[..] == part_header(self.history, self.first)[..] {
                offset = PART_HEADER as u64;
            } else if !(self.is_last && is_torn(&header, 0)) {
                return Err(self.damaged(0, "it does not begin as it has to"));
            }
        } else if !self.is_last {
            return Err(self.damaged(0, "it is cut off"));
        }
        // Without a whole header there is nothing behind it either.
        while offset > 0 {
            match self.next(&mut file, offset, len)? {
                Next::Group(group, end) => {
                    sink(group)?;
                    offset = end;
                }
                Next::End => return Ok(()),
                Next::Torn => break,
            }
        }
        let cut = || {
            let file = OpenOptions::new().write(true).open(self.path)?;
            file.set_len(offset)?;
            file.sync_all()
        };
        cut().map_err(|error| OpenError::io("cut off what was not finished in", self.path, error))
    }

    fn next(&self, file: &mut impl Read, offset: u64, len: u64) -> Result<Next, OpenError> {
        let failed = |error: io::Error| OpenError::io("read", self.path, error);
        let left = len.saturating_sub(offset);
        if left == 0 {
            return Ok(Next::End);
        }
        if left < FRAME_HEADER as u64 {
            return self.torn_or(offset, "it is cut off", true);
        }
        let mut header = [0; FRAME_HEADER];
        file.read_exact(&mut header).map_err(failed)?;
        let Some((length, check)) = read_header(&header) else {
            let torn = is_torn(&header, offset);
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
            Ok(group) => Ok(Next::Group(group, end)),
            Err(wrong) => Err(self.damaged(offset, &wrong)),
        }
    }

    fn torn_or(&self, offset: u64, what: &str, torn: bool) -> Result<Next, OpenError> {
        if torn && self.is_last {
            Ok(Next::Torn)
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

    use super::super::frame::frame;
    use super::*;
    use crate::model::{Change, Node, Object, ResolvedTransaction};

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
        bytes.extend(frame(5, 1, &[transaction("a"), transaction("b")]).unwrap());
        let second = bytes.len();
        bytes.extend(frame(7, 2, &[transaction(&"c".repeat(2_000))]).unwrap());
        (bytes, second)
    }

    /// The revisions that groups begin with, if the part can be read; and how long it is then.
    fn read(bytes: &[u8], is_last: bool) -> (Option<Vec<Revision>>, usize) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part");
        fs::write(&path, bytes).unwrap();
        let part = Part {
            directory: folder.path(),
            path: &path,
            history: HISTORY,
            first: 5,
            is_last,
        };
        let mut groups = Vec::new();
        let read = part.read(&mut |group| {
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
        more.extend(frame(8, 3, &[transaction("d")]).unwrap());
        assert_eq!(read(&more, true).0, None);
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
