use std::fmt;
use std::io::{self, Write as _};

use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use sha2::{Digest as _, Sha256};

use super::format::Header;

/// Makes the bytes of a snapshot. They are taken as they come to be, so that little is held.
pub struct SnapshotWriter {
    /// What was made and is not taken yet stands behind it.
    body: FrameEncoder<Vec<u8>>,
    hash: Sha256,
}

impl fmt::Debug for SnapshotWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotWriter").finish_non_exhaustive()
    }
}

impl SnapshotWriter {
    /// Begins with a header.
    pub fn new(header: &Header) -> SnapshotWriter {
        // Said outright: what is chosen otherwise depends on how the first bytes come.
        let info = FrameInfo::new()
            .block_size(BlockSize::Max256KB)
            .block_mode(BlockMode::Linked);
        SnapshotWriter {
            body: FrameEncoder::with_frame_info(info, header.encode()),
            hash: Sha256::new(),
        }
    }

    /// Adds an object, encoded as a `StoredObject`. They come by kind, namespace and name.
    ///
    /// # Errors
    /// It cannot be compressed, by a defect.
    pub fn push(&mut self, object: &[u8]) -> io::Result<()> {
        let mut length = Vec::with_capacity(10);
        prost::encoding::encode_varint(object.len() as u64, &mut length);
        self.body.write_all(&length)?;
        self.body.write_all(object)
    }

    /// How many bytes may be taken.
    pub fn ready(&self) -> usize {
        self.body.get_ref().len()
    }

    /// Takes the bytes that are made.
    pub fn take(&mut self) -> Vec<u8> {
        let bytes = std::mem::take(self.body.get_mut());
        self.hash.update(&bytes);
        bytes
    }

    /// Ends it, and takes the rest.
    ///
    /// # Errors
    /// It cannot be compressed, by a defect.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        let mut rest = self.body.finish().map_err(io::Error::other)?;
        let mut hash = self.hash;
        hash.update(&rest);
        rest.extend_from_slice(&hash.finalize());
        Ok(rest)
    }
}
