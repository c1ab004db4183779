use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that is there whole or not at all: written beside its place, and put there when it is done.
/// Dropped before, it leaves nothing.
#[derive(Debug)]
pub struct NewFile {
    file: File,
    path: PathBuf,
    /// None once it is in its place.
    temporary: Option<PathBuf>,
}

impl NewFile {
    /// Begins one, which will take the place of a file that is there.
    ///
    /// # Errors
    /// It cannot be written there, or what is there is no file.
    pub fn create(path: &Path) -> io::Result<NewFile> {
        let there = fs::metadata(path);
        if there.is_ok_and(|there| !there.is_file()) {
            return Err(io::Error::other("it is there and no plain file"));
        }
        let name = path.file_name();
        let name = name.ok_or_else(|| io::Error::other("it has no name of a file"))?;
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}.partial", std::process::id()));
        let temporary = path.with_file_name(temporary);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary)?;
        Ok(NewFile {
            file,
            path: path.to_owned(),
            temporary: Some(temporary),
        })
    }

    /// Makes it durable and puts it into its place.
    ///
    /// # Errors
    /// It cannot be.
    pub fn commit(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        if let Some(temporary) = self.temporary.take() {
            let renamed = fs::rename(&temporary, &self.path);
            if renamed.is_err() {
                self.temporary = Some(temporary);
                return renamed;
            }
        }
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // What is left says by its name that it is none.
            let _ = fs::remove_file(temporary);
        }
    }
}
