use std::fs::File;
use std::os::fd::AsFd as _;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use anyhow::{Context as _, bail};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A network namespace, whose rules are nobody else's. Dropping it removes it.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one.
    ///
    /// # Errors
    /// What `ip` says: as a rule that it takes root.
    pub fn new() -> anyhow::Result<Namespace> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("selectord-load-{}-{number}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).output();
        let made = made.context("cannot run ip (iproute2)")?;
        if !made.status.success() {
            bail!("{}", String::from_utf8_lossy(&made.stderr).trim());
        }
        Ok(Namespace { name })
    }

    /// Runs a closure on a thread of its own in it: so do programs that it starts.
    pub fn within<T: Send>(
        &self,
        run: impl FnOnce() -> anyhow::Result<T> + Send,
    ) -> anyhow::Result<T> {
        let enter = || {
            let namespace = File::open(format!("/run/netns/{}", self.name))?;
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
            run()
        };
        thread::scope(|scope| match scope.spawn(enter).join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args(["netns", "del", &self.name])
            .output();
    }
}
