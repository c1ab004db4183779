use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What the store asks of the system for its own files, the journal and the format: so that a test can
/// put a disk under it that fails, tears what it writes, and loses what was not synced.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Opens a file to be written. It is made unless it is there, and keeps what it holds.
    ///
    /// # Errors
    /// The system's.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file to be read from its beginning. Reads may be short.
    ///
    /// # Errors
    /// The system's.
    fn read(&self, path: &Path) -> io::Result<Box<dyn Read>>;

    /// Gives a file another name, and takes the name from whichever had it. Durable once the folder is.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Durable once the folder is.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names of the files in a folder durable.
    ///
    /// # Errors
    /// The system's.
    fn sync_names(&self, folder: &Path) -> io::Result<()>;
}

/// A file of a [`Disk`] that is written.
pub trait DiskFile: fmt::Debug + Send {
    /// Bytes that it holds.
    ///
    /// # Errors
    /// The system's.
    fn size(&self) -> io::Result<u64>;

    /// Writes some of the bytes at a place, and answers how many.
    ///
    /// # Errors
    /// The system's. Some may have been written.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Cuts it off, or fills it up with zeros.
    ///
    /// # Errors
    /// The system's.
    fn set_size(&mut self, size: u64) -> io::Result<()>;

    /// Makes what it holds durable, though perhaps not its name.
    ///
    /// # Errors
    /// The system's. Then it is not known what is durable, and another call does not tell.
    fn sync(&mut self) -> io::Result<()>;

    /// Bytes that may still be written to its disk; none if that cannot be told.
    fn room(&self) -> Option<u64>;
}

impl dyn DiskFile {
    /// Writes all of the bytes at a place.
    ///
    /// # Errors
    /// The system's. Some may have been written.
    pub(super) fn write_all_at(&mut self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = match self.write_at(bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            bytes = bytes.get(written..).unwrap_or_default();
            offset = offset.saturating_add(written as u64);
        }
        Ok(())
    }
}

/// The system's own.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SystemDisk;

impl Disk for SystemDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        Ok(Box::new(file))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_names(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

impl DiskFile for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn set_size(&mut self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn room(&self) -> Option<u64> {
        let disk = rustix::fs::fstatvfs(self).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}
