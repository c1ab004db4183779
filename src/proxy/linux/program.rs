use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::process::{Command, Output};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;

/// Runs a program to its end, with a text as its input. If we are killed meanwhile, it has all of it.
///
/// # Errors
/// When it cannot be run.
pub(super) fn run(program: &OsStr, args: &[&str], input: &str) -> io::Result<Output> {
    Command::new(program)
        .args(args)
        .env("LC_ALL", "C")
        .stdin(memory_file(input)?)
        .output()
}

/// A file in memory. Of a pipe, a program would take what has been written to it for the whole, when
/// whoever writes is killed.
fn memory_file(text: &str) -> io::Result<File> {
    const NAME: &str = "selectord-rules";
    // Some nodes want it said that this is no program; kernels before 6.3 do not know the word.
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
