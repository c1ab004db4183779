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
