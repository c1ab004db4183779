use std::ffi::OsString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::{Errno, retry_on_intr};

/// Where the lock is, unless the programs are told another place.
const LOCK: &str = "/run/xtables.lock";
const ELSEWHERE: &str = "XTABLES_LOCKFILE";

/// Sees that somebody takes the lock of the legacy variant's rules, as each of iptables' programs does
/// that may write any. To save them all takes no lock.
#[derive(Debug)]
pub struct LockWatch(OwnedFd);

impl LockWatch {
    /// Watches from now on.
    ///
    /// # Errors
    /// When there is no lock yet, or it cannot be watched.
    pub fn new() -> io::Result<LockWatch> {
        let path = std::env::var_os(ELSEWHERE).unwrap_or_else(|| OsString::from(LOCK));
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        // Another file in its place is seen too.
        let uses = WatchFlags::OPEN | WatchFlags::CLOSE;
        let goes = WatchFlags::ATTRIB | WatchFlags::MOVE_SELF | WatchFlags::DELETE_SELF;
        inotify::add_watch(&inotify, path, uses | goes)?;
        Ok(LockWatch(inotify))
    }

    /// Whether nobody has taken the lock, or held it still, since it has been watched. That somebody has is
    /// said once.
    pub fn saw_nobody(&self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 512];
        let mut events = Reader::new(&self.0, &mut buffer);
        retry_on_intr(|| events.next().map(drop)) == Err(Errno::WOULDBLOCK)
    }
}
