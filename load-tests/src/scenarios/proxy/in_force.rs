use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;

use super::netlink::Netlink;

/// How often it is looked: so much later, at most, is it seen.
const PERIOD: Duration = Duration::from_micros(100);

/// Runs something that writes rules with nftables, or with nftables below, and watches when the last
/// transaction of it was in force: none, if there was none. A tool ends later than that.
pub fn watched<T>(run: impl FnOnce() -> T) -> anyhow::Result<(T, Option<Instant>)> {
    let (begun, done) = (Barrier::new(2), AtomicBool::new(false));
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let opened = Netlink::open().and_then(|netlink| Ok((netlink.generation()?, netlink)));
            begun.wait();
            let (mut known, netlink) = opened?;
            let mut last = None;
            loop {
                let ends = done.load(Ordering::Acquire);
                let now = netlink.generation()?;
                if now != known {
                    (known, last) = (now, Some(Instant::now()));
                }
                if ends {
                    return Ok(last);
                }
                thread::sleep(PERIOD);
            }
        });
        begun.wait();
        let result = run();
        done.store(true, Ordering::Release);
        let seen: anyhow::Result<_> = watcher
            .join()
            .unwrap_or_else(|_| Err(anyhow!("nobody watched the rules")));
        Ok((result, seen?))
    })
}
