use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The longest that a program may take. The slowest that is known is iptables of the nft variant, which
/// takes minutes to write tens of thousands of services at once.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Runs a program to its end, with a text as its input. If we are killed meanwhile, it has all of it. One
/// that takes far too long is killed.
///
/// # Errors
/// When it cannot be run.
pub(super) fn run(program: &OsStr, args: &[&str], input: &str) -> io::Result<Output> {
    run_within(LONGEST, program, args, input)
}

fn run_within(
    longest: Duration,
    program: &OsStr,
    args: &[&str],
    input: &str,
) -> io::Result<Output> {
    let child = Command::new(program)
        .args(args)
        .env("LC_ALL", "C")
        .stdin(memory_file(input)?)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let process = pidfd_open(Pid::from_child(&child), PidfdFlags::empty());
    thread::scope(|scope| {
        // Kernels that know nothing of this are older than what the rules need.
        if let Ok(process) = process {
            scope.spawn(move || end_within(longest, &process));
        }
        child.wait_with_output()
    })
}

/// Kills a process that does not end in time.
fn end_within(longest: Duration, process: &OwnedFd) {
    let longest = Timespec::try_from(longest).ok();
    let mut ended = [PollFd::new(process, PollFlags::IN)];
    if let Ok(0) = poll(&mut ended, longest.as_ref()) {
        tracing::error!("a program has run for far too long, and is killed");
        // One that has ended meanwhile needs no killing.
        let _ = pidfd_send_signal(process, Signal::KILL);
    }
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

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn a_program_finds_its_whole_input_and_no_pipe() {
        let script = "test ! -p /dev/stdin && wc -c < /dev/stdin && wc -c";
        let long = "x".repeat(1 << 20);
        let output = run(OsStr::new("sh"), &["-c", script], &long).unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said, "1048576\n1048576\n");
        let output = run(OsStr::new("cat"), &[], "").unwrap();
        assert!(output.status.success() && output.stdout.is_empty());
    }

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let soon = Duration::from_millis(10);
        let output = run_within(soon, OsStr::new("sleep"), &["infinity"], "").unwrap();
        assert_eq!(output.status.signal(), Some(9));
    }
}
