use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom, Take};
use std::path::{Path, PathBuf};

use lz4_flex::frame::FrameDecoder;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use smol_str::SmolStr;

use crate::engine::ObjectPlace;
use crate::model::Object;
use crate::wire::{decode_stored, proto};

use super::error::SnapshotError;
use super::format::{BEFORE_HEADER, Checked, FORMAT, Header, MAGIC, MAX_HEADER, SUM};

/// Read at a time.
const BUFFER: usize = 1 << 18;
/// Longest object.
const MAX_OBJECT: u64 = 64 << 20;

/// A snapshot that is whole: every byte is what was written.
#[derive(Debug)]
pub struct SnapshotReader {
    path: PathBuf,
    file: File,
    header: Header,
    /// Where the body begins, and its length.
    body: (u64, u64),
    bytes: u64,
    sum: [u8; 32],
}

impl SnapshotReader {
    /// Opens a file and reads all of it, to see that it is whole. `tell` is told how many bytes were
    /// read, of how many.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn open(
        path: &Path,
        tell: &mut dyn FnMut(u64, u64),
    ) -> Result<SnapshotReader, SnapshotError> {
        let failed = |error| SnapshotError::io(path, error);
        let damaged = |what: &str| SnapshotError::damaged(path, what);
        let mut file = File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let length = header_length(path, &mut file)?;
        let begin = (BEFORE_HEADER as u64).saturating_add(length as u64);
        let body = bytes.saturating_sub(SUM as u64).checked_sub(begin);
        let body = body.ok_or_else(|| damaged("it is cut off"))?;
        let sum = check(path, &mut file, bytes, tell)?;

        let mut header = vec![0; length];
        file.seek(SeekFrom::Start(BEFORE_HEADER as u64))
            .map_err(failed)?;
        file.read_exact(&mut header).map_err(failed)?;
        let header = Header::decode(&header)
            .map_err(|what| SnapshotError::damaged(path, format!("its header is wrong: {what}")))?;
        Ok(SnapshotReader {
            path: path.to_owned(),
            file,
            header,
            body: (begin, body),
            bytes,
            sum,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands before the objects.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 of all of them but the last 32, which are it.
    pub fn sum(&self) -> &[u8; 32] {
        &self.sum
    }

    /// The objects, from the first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn objects(&mut self) -> Result<Objects<'_>, SnapshotError> {
        let (begin, length) = self.body;
        let start = self.file.seek(SeekFrom::Start(begin));
        start.map_err(|error| SnapshotError::io(&self.path, error))?;
        let body = BufReader::with_capacity(BUFFER, (&self.file).take(length));
        Ok(Objects {
            path: &self.path,
            header: &self.header,
            body: BufReader::with_capacity(BUFFER, FrameDecoder::new(body)),
            content: Sha256::new(),
            buffer: Vec::new(),
            last: None,
            found: [0; 5],
        })
    }
}

/// Refuses what is no snapshot of a format that is known; answers the header's length.
fn header_length(path: &Path, file: &mut File) -> Result<usize, SnapshotError> {
    let mut before = Vec::with_capacity(BEFORE_HEADER);
    let read = file.take(BEFORE_HEADER as u64).read_to_end(&mut before);
    read.map_err(|error| SnapshotError::io(path, error))?;
    let damaged = |what: &str| SnapshotError::damaged(path, what);
    let numbers = before.strip_prefix(MAGIC).and_then(|rest| {
        let (format, length) = rest.split_first_chunk::<4>()?;
        let length = length.first_chunk::<4>()?;
        Some((u32::from_le_bytes(*format), u32::from_le_bytes(*length)))
    });
    let Some((format, length)) = numbers else {
        return if before.starts_with(MAGIC) || MAGIC.starts_with(&before) {
            Err(damaged("it is cut off"))
        } else {
            Err(SnapshotError::Foreign {
                path: path.to_owned(),
            })
        };
    };
    if format > FORMAT {
        return Err(SnapshotError::NewerFormat {
            path: path.to_owned(),
            found: format,
            known: FORMAT,
        });
    }
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if format < FORMAT || length > MAX_HEADER {
        return Err(damaged("its beginning is not what was written"));
    }
    Ok(length)
}

/// Reads the whole file, and answers its check sum if it is right.
fn check(
    path: &Path,
    file: &mut File,
    bytes: u64,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<[u8; 32], SnapshotError> {
    let failed = |error| SnapshotError::io(path, error);
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut checked = Checked::default();
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        checked.update(buffer.get(..read).unwrap_or_default());
        tell(checked.bytes(), bytes);
    }
    let sum = checked.finish();
    sum.ok_or_else(|| {
        SnapshotError::damaged(
            path,
            "its check sum is wrong: it is cut off, or not what was written",
        )
    })
}

type Body<'r> = BufReader<FrameDecoder<BufReader<Take<&'r File>>>>;

/// The objects of a snapshot, each with whose it is, one after the other: or what no writer writes,
/// behind which nothing is of use.
pub struct Objects<'r> {
    path: &'r Path,
    header: &'r Header,
    body: Body<'r>,
    content: Sha256,
    buffer: Vec<u8>,
    last: Option<ObjectPlace>,
    found: [u64; 5],
}

impl fmt::Debug for Objects<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").finish_non_exhaustive()
    }
}

impl Iterator for Objects<'_> {
    type Item = Result<(Object, SmolStr), SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

impl Objects<'_> {
    /// The next object; none behind the last, where they are as many as the header says.
    fn read(&mut self) -> Result<Option<(Object, SmolStr)>, SnapshotError> {
        if !self.message()? {
            if self.found != self.header.objects {
                return Err(self.damaged("it has not as many objects as its header says"));
            }
            return Ok(None);
        }
        let stored = proto::StoredObject::decode(self.buffer.as_slice())
            .map_err(|error| self.damaged(format!("an object is wrong: {error}")))?;
        let (object, source) = decode_stored(stored).map_err(|faults| {
            let first = faults.first().map(ToString::to_string).unwrap_or_default();
            self.damaged(format!("an object is wrong: {first}"))
        })?;
        let place = ObjectPlace::from(object.object_ref());
        if self.last.as_ref().is_some_and(|last| *last >= place) {
            return Err(self.damaged(format!("{} is out of order", object.object_ref())));
        }
        let of_kind = self.found.get_mut(place.rank());
        of_kind.into_iter().for_each(|count| *count += 1);
        self.last = Some(place);
        Ok(Some((object, source)))
    }

    /// SHA-256 of the body before it was compressed, as far as it was read: equal for equal objects.
    pub fn content(&self) -> [u8; 32] {
        self.content.clone().finalize().into()
    }

    /// Reads the next message into the buffer; false at the end.
    fn message(&mut self) -> Result<bool, SnapshotError> {
        let unread = |error: io::Error| match error.kind() {
            io::ErrorKind::Other | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                SnapshotError::damaged(self.path, format!("its body is wrong: {error}"))
            }
            _ => SnapshotError::io(self.path, error),
        };
        if self.body.fill_buf().map_err(unread)?.is_empty() {
            return Ok(false);
        }
        let mut prefix = Vec::with_capacity(10);
        let mut length = 0u64;
        for shift in (0..63).step_by(7) {
            let mut byte = [0; 1];
            self.body.read_exact(&mut byte).map_err(unread)?;
            let [byte] = byte;
            prefix.push(byte);
            length |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        if length > MAX_OBJECT {
            return Err(self.damaged("an object is longer than any can be"));
        }
        self.buffer.clear();
        let read = (&mut self.body).take(length).read_to_end(&mut self.buffer);
        if read.map_err(unread)? as u64 != length {
            return Err(self.damaged("an object is cut off"));
        }
        self.content.update(prefix);
        self.content.update(&self.buffer);
        Ok(true)
    }

    fn damaged(&self, what: impl Into<String>) -> SnapshotError {
        SnapshotError::damaged(self.path, what)
    }
}
