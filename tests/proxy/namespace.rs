//! A network namespace.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tempfile::{NamedTempFile, TempPath};

use crate::root;

/// Removed when it is dropped.
pub struct Namespace {
    pub name: String,
    /// What iptables-legacy is to lock, if not what it locks by itself.
    lock: Option<TempPath>,
}

/// Whether namespaces and rules can be made here; if not, says so loudly.
pub fn available(test: &str) -> bool {
    // What fails once, on a busy machine, does not say that it cannot be.
    static FOUND: LazyLock<bool> = LazyLock::new(|| (0..3).any(|_| can_be_made()));
    if !*FOUND {
        root::skip(test, "it needs root, ip (iproute2) and nft (nftables)");
    }
    *FOUND
}

fn can_be_made() -> bool {
    let probe = "ip netns add selectord-probe-$$ && ip netns exec selectord-probe-$$ nft add table ip probe; \
                 status=$?; ip netns del selectord-probe-$$; exit $status";
    let probed = Command::new("sh").args(["-c", probe]).output();
    probed.is_ok_and(|output| output.status.success())
}

impl Namespace {
    pub fn new(label: &str) -> Namespace {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("selectord-{}-{number}-{label}", std::process::id());
        let made = Command::new("ip")
            .args(["netns", "add", &name])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        Namespace { name, lock: None }
    }

    /// With a lock of its own for iptables-legacy: rules of namespaces are apart, and with one lock for all
    /// of them, tests would wait for each other's writes. For syncers in processes of their own: one in this
    /// process takes the other.
    pub fn apart(label: &str) -> Namespace {
        let lock = NamedTempFile::new().unwrap().into_temp_path();
        let mut namespace = Namespace::new(label);
        namespace.lock = Some(lock);
        namespace
    }

    /// What says so to a program.
    pub fn lock(&self) -> Option<(&'static str, &Path)> {
        self.lock.as_deref().map(|path| ("XTABLES_LOCKFILE", path))
    }

    /// Runs a shell script in it, which has to succeed.
    pub fn sh(&self, script: &str) -> String {
        let output = self.try_sh(script);
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{script}\n{err}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn try_sh(&self, script: &str) -> Output {
        Command::new("ip")
            .args(["netns", "exec", &self.name, "sh", "-ec", script])
            .envs(self.lock())
            .output()
            .unwrap()
    }

    /// Runs a closure on a thread of its own in it.
    pub fn spawn<T: Send + 'static>(
        &self,
        run: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let path = format!("/run/netns/{}", self.name);
        thread::spawn(move || {
            let namespace = File::open(path).unwrap();
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            run()
        })
    }

    /// The same, and waits; a panic in it is one here.
    pub fn within<T: Send>(&self, run: impl FnOnce() -> T + Send) -> T {
        match enter(&self.name, run) {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// Runs a closure on a thread of its own in a namespace, and waits.
pub fn enter<T: Send>(name: &str, run: impl FnOnce() -> T + Send) -> thread::Result<T> {
    thread::scope(|scope| {
        let inside = scope.spawn(|| {
            let namespace = File::open(format!("/run/netns/{name}")).unwrap();
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            run()
        });
        inside.join()
    })
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args(["netns", "del", &self.name])
            .output();
    }
}
