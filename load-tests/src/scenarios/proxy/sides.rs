use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use selectord::engine::Event;
use selectord::model::ObjectName;
use selectord::proxy::Report;

use crate::measure::Samples;

use super::cluster::{Changed, Cluster, Service, endpoint_ip};
use super::in_force::watched;
use super::namespace::Namespace;
use super::netlink::Netlink;
use super::way::{Started, Way};

/// Endpoints replaced over netlink, and the first of numbers that no endpoint has.
const REPLACED: usize = 100;
const NOBODY: u32 = 4_000_000;

/// What something takes: all of it; until it is in force, where that can be seen; of selectord the part that
/// is ours and not the kernel's and its tool's; and of kube-proxy itself the write alone, without what it
/// asks its tool before.
#[derive(Debug, Clone, Default)]
pub struct Cost {
    pub whole: Samples,
    pub in_force: Samples,
    pub own: Samples,
    pub write: Samples,
}

/// selectord, with rules in a namespace of its own.
pub struct Ours {
    pub namespace: Namespace,
    way: Way,
    started: Started,
}

/// kube-proxy's layout, in another one.
pub struct Theirs {
    pub namespace: Namespace,
    way: Way,
}

impl Ours {
    /// Makes the rules of an empty machine what they are to be.
    pub fn first(way: Way, cluster: &Cluster, cost: &mut Cost) -> anyhow::Result<Ours> {
        let mut ours = Ours {
            namespace: Namespace::new()?,
            way,
            started: way.start()?,
        };
        let report = ours.sync(cluster, &[], &cluster.names(), cost)?;
        if report.lines == 0 {
            bail!("the first sync of {} wrote nothing", way.name());
        }
        Ok(ours)
    }

    /// What a process that starts now does: everything is to be looked at, nothing is known.
    pub fn restart(&mut self, cluster: &Cluster, cost: &mut Cost) -> anyhow::Result<()> {
        self.started = self.way.start()?;
        let report = self.sync(cluster, &[], &cluster.names(), cost)?;
        nothing_but_read(&report).context("after a restart")
    }

    /// One change, from what the stream says to what the kernel has.
    pub fn change(
        &mut self,
        cluster: &Cluster,
        changed: &Changed,
        cost: &mut Cost,
    ) -> anyhow::Result<Report> {
        let report = self.sync(cluster, &changed.events, &[], cost)?;
        if report.read || report.lines == 0 {
            bail!("one change was to be written, and only that: {report:?}");
        }
        let syncer = &mut self.started.syncer;
        // What a change leaves empty is taken away a second later, which is no part of it.
        self.namespace.within(|| Ok(syncer.backend().sweep()?))?;
        Ok(report)
    }

    /// Asks whether somebody else wrote. Answers nanoseconds.
    pub fn check(&mut self, found: bool) -> anyhow::Result<f64> {
        let syncer = &mut self.started.syncer;
        self.namespace.within(|| {
            let began = Instant::now();
            let answer = syncer.check();
            let took = began.elapsed().as_nanos() as f64;
            if answer != found {
                bail!("somebody else's write: found is {answer}, and is to be {found}");
            }
            Ok(took)
        })
    }

    /// Reads, compares, and makes good what somebody else took away.
    pub fn repair(&mut self, cluster: &Cluster, cost: &mut Cost) -> anyhow::Result<()> {
        let way = self.way;
        self.namespace.within(|| way.damage())?;
        self.check(true)?;
        let report = self.sync(cluster, &[], &[], cost)?;
        if !report.read || report.lines == 0 {
            bail!("rules that somebody took away were to be repaired: {report:?}");
        }
        Ok(())
    }

    /// Reads, compares and finds nothing to repair.
    pub fn reread(&mut self, cluster: &Cluster, cost: &mut Cost) -> anyhow::Result<()> {
        let report = self.sync(cluster, &[], &[], cost)?;
        nothing_but_read(&report).context("after somebody else's write")
    }

    /// Replaces an endpoint of each of some services behind its back, over netlink, and has it find and
    /// repair every one of them. Answers what each replacement took.
    pub fn replaced_over_netlink(&mut self, cluster: &Cluster) -> anyhow::Result<Samples> {
        let services: Vec<_> = cluster.services.values().take(REPLACED).collect();
        let replaced = self.namespace.within(|| {
            let netlink = Netlink::open()?;
            let one = |(number, service): (u32, &&Service)| {
                netlink.replace(service.ip(), endpoint_ip(NOBODY + number))
            };
            let all = (0..).zip(&services).map(one);
            all.collect::<anyhow::Result<Samples>>()
        })?;
        self.check(true)?;
        let report = self.sync(cluster, &[], &[], &mut Cost::default())?;
        if !report.read || report.elements != 2 * services.len() {
            bail!(
                "{} endpoints were to be repaired: {report:?}",
                services.len()
            );
        }
        Ok(replaced)
    }

    fn sync(
        &mut self,
        cluster: &Cluster,
        events: &[Event],
        names: &[ObjectName],
        cost: &mut Cost,
    ) -> anyhow::Result<Report> {
        let syncer = &mut self.started.syncer;
        let (report, took) = self.namespace.within(|| {
            timed(cost, || {
                syncer.note(&cluster.view, events, names);
                Ok(syncer.sync(&cluster.view)?)
            })
        })?;
        if !report.refused.is_empty() || !report.conflicts.is_empty() {
            bail!("rules were refused: {report:?}");
        }
        let own = took.saturating_sub(report.kernel_time);
        cost.own.push(own.as_nanos() as f64);
        Ok(report)
    }

    /// What the kernel has.
    pub fn list(&self) -> anyhow::Result<String> {
        let way = self.way;
        self.namespace.within(|| way.list())
    }
}

/// Times what writes rules.
fn timed<T>(
    cost: &mut Cost,
    write: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<(T, Duration)> {
    let ((done, began, took), in_force) = watched(|| {
        let began = Instant::now();
        let done = write();
        (done, began, began.elapsed())
    })?;
    let done = done?;
    cost.whole.push(took.as_nanos() as f64);
    if let Some(in_force) = in_force {
        let until = in_force.saturating_duration_since(began);
        cost.in_force.push(until.as_nanos() as f64);
    }
    Ok((done, took))
}

fn nothing_but_read(report: &Report) -> anyhow::Result<()> {
    if !report.read || report.lines > 0 {
        bail!("rules were to be read, found good, and not written: {report:?}");
    }
    Ok(())
}

impl Theirs {
    /// Everything, on an empty machine.
    pub fn first(way: Way, cluster: &Cluster, cost: &mut Cost) -> anyhow::Result<Theirs> {
        let theirs = Theirs {
            namespace: Namespace::new()?,
            way,
        };
        if let Some(before) = way.kube_before() {
            theirs.write(before, &mut Cost::default())?;
        }
        theirs.write(&way.kube_whole(cluster), cost)?;
        Ok(theirs)
    }

    /// What a partial sync writes for one change.
    pub fn change(
        &self,
        cluster: &Cluster,
        changed: &Changed,
        cost: &mut Cost,
    ) -> anyhow::Result<()> {
        self.write(&self.way.kube_changed(cluster, changed), cost)?;
        match self.way.kube_after(changed) {
            Some(after) => self.write(&after, &mut Cost::default()),
            None => Ok(()),
        }
    }

    fn write(&self, text: &str, cost: &mut Cost) -> anyhow::Result<()> {
        let way = self.way;
        let written = self.namespace.within(|| timed(cost, || way.write(text)));
        written.context("of kube-proxy's layout")?;
        Ok(())
    }

    /// What the kernel has.
    pub fn list(&self) -> anyhow::Result<String> {
        let way = self.way;
        self.namespace.within(|| way.list())
    }
}
