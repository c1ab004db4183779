use std::fs::File;
use std::io::{self, Seek as _, Write as _};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;

/// A text as the input of a program: a file in memory. Of a pipe, the program would take what has been
/// written to it for the whole, if we are killed meanwhile.
///
/// # Errors
/// When the kernel has no memory for it.
pub(super) fn memory_file(text: &str) -> io::Result<File> {
    const NAME: &str = "selectord-rules";
    // Where every such file has to say that it is no program; kernels before 6.3 know no such word.
    let strict = MemfdFlags::CLOEXEC | MemfdFlags::NOEXEC_SEAL;
    let made = memfd_create(NAME, strict).or_else(|error| match error {
        Errno::INVAL => memfd_create(NAME, MemfdFlags::CLOEXEC),
        other => Err(other),
    });
    let mut file = File::from(made?);
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file)
}
