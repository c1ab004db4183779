//! One way of keeping rules, at one size: selectord, kube-proxy's layout and kube-proxy itself in turn.

use anyhow::Context as _;
use indicatif::ProgressBar;

use crate::measure::Samples;

use super::cluster::{Change, Cluster, Size};
use super::connect::{self, Connects};
use super::kube_proxy::{KubeProxy, Program};
use super::listing::check_endpoints;
use super::sides::{Cost, Ours, Theirs};
use super::way::Way;

/// At most so many services, and it is kube-proxy's layout that is compared, too.
const SMALL: u32 = 100;
/// How often it is asked whether somebody else wrote.
const CHECKS: usize = 101;
/// The same, where each time everything is read.
const FEW: usize = 3;

/// How thoroughly.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub way: Way,
    pub size: Size,
    /// First syncs.
    pub first: usize,
    /// First syncs of kube-proxy's layout, and of kube-proxy itself.
    pub their_first: usize,
    pub itself_first: usize,
    /// Changes of each kind.
    pub changes: usize,
    /// As many of them as kube-proxy itself is told of.
    pub itself_changes: usize,
    /// Whether connections are timed, too.
    pub connects: bool,
}

/// What one thing took: selectord, kube-proxy's layout, and kube-proxy itself.
#[derive(Default)]
pub struct Beside {
    pub ours: Cost,
    pub layout: Cost,
    pub itself: Cost,
}

/// What it took.
#[derive(Default)]
pub struct Costs {
    pub first: Beside,
    /// In the order of [`Change::ALL`].
    pub changes: [Beside; 5],
    pub restart: Cost,
    pub quiet_check: Samples,
    pub reread: Cost,
    pub repair: Cost,
    /// One endpoint replaced over netlink.
    pub netlink: Samples,
    /// selectord's, and those of kube-proxy itself, or else of its layout.
    pub connects: Option<[Connects; 2]>,
}

impl Plan {
    /// Steps of its progress.
    pub fn steps(&self) -> usize {
        let first = self.first + self.their_first + self.itself_first;
        first + self.changes * Change::ALL.len() + self.first
    }
}

/// Measures; kube-proxy itself where it could be built. What the kernel has is compared on the way:
/// endpoints with the cluster's, and all of it with what a fresh sync writes.
pub fn measure(
    plan: Plan,
    program: Option<&Program>,
    seed: u64,
    progress: &ProgressBar,
) -> anyhow::Result<Costs> {
    let context = || format!("{}, {}", plan.way.name(), plan.size);
    measured(plan, program, seed, progress).with_context(context)
}

fn measured(
    plan: Plan,
    program: Option<&Program>,
    seed: u64,
    progress: &ProgressBar,
) -> anyhow::Result<Costs> {
    let way = plan.way;
    let mut costs = Costs::default();
    let mut cluster = Cluster::new(plan.size);
    let (mut ours, mut theirs, mut itself) = (None, None, None);
    for run in 0..plan.first.max(plan.their_first).max(plan.itself_first) {
        let first = &mut costs.first;
        if run < plan.first {
            // Its namespace is removed before another is made.
            drop(ours.take());
            ours = Some(Ours::first(way, &cluster, &mut first.ours)?);
            progress.inc(1);
        }
        if run < plan.their_first {
            drop(theirs.take());
            theirs = Some(Theirs::first(way, &cluster, &mut first.layout)?);
            progress.inc(1);
        }
        if let Some(program) = program.filter(|_| run < plan.itself_first) {
            drop(itself.take());
            let made = KubeProxy::first(program, way, &cluster, &mut first.itself)?;
            itself = Some(made);
            progress.inc(1);
        }
    }
    let mut ours = ours.context("no first sync was asked for")?;
    check_endpoints(&ours.list()?, &cluster, "after the first sync")?;
    if let Some(itself) = &itself {
        check_endpoints(&itself.list()?, &cluster, "kube-proxy's first sync")?;
    }

    let beside = itself.as_ref().map(|itself| &itself.namespace);
    let beside = beside.or_else(|| theirs.as_ref().map(|theirs: &Theirs| &theirs.namespace));
    if let Some(beside) = beside.filter(|_| plan.connects) {
        // Before any change: what comes later may stand before all others.
        costs.connects = Some(connect::measure([&ours.namespace, beside], &cluster)?);
    }

    let mut random = fastrand::Rng::with_seed(seed);
    for run in 0..plan.changes {
        for (at, change) in Change::ALL.into_iter().enumerate() {
            let number = match change {
                Change::ServiceAdded => plan.size.services + run as u32,
                // One that has not been removed.
                _ => loop {
                    let number = random.u32(..plan.size.services);
                    if cluster.services.contains_key(&number) {
                        break number;
                    }
                },
            };
            let changed = cluster.change(change, number);
            let cost = &mut costs.changes[at];
            ours.change(&cluster, &changed, &mut cost.ours)?;
            if let Some(theirs) = &theirs {
                theirs.change(&cluster, &changed, &mut cost.layout)?;
            }
            if let Some(itself) = &mut itself {
                itself.change(&changed, &mut cost.itself)?;
            }
            progress.inc(1);
        }
        if let Some(itself) = itself.take_if(|_| run + 1 >= plan.itself_changes) {
            check_endpoints(&itself.list()?, &cluster, "kube-proxy after the changes")?;
        }
    }

    let listed = ours.list()?;
    check_endpoints(&listed, &cluster, "after the changes")?;
    let fresh = Ours::first(way, &cluster, &mut Cost::default())?;
    let wanted = way.listing(&fresh.list()?);
    way.listing(&listed).same_as(&wanted, "after the changes")?;
    drop(fresh);
    if let Some(theirs) = theirs.as_ref().filter(|_| plan.size.services <= SMALL) {
        let fresh = Theirs::first(way, &cluster, &mut Cost::default())?;
        let wanted = way.listing(&fresh.list()?);
        way.listing(&theirs.list()?)
            .same_as(&wanted, "kube-proxy's layout after the changes")?;
    }

    for _ in 0..if way.notices_others() { CHECKS } else { FEW } {
        costs.quiet_check.push(ours.check(false)?);
    }
    for _ in 0..plan.first {
        ours.restart(&cluster, &mut costs.restart)?;
        if way.notices_others() {
            ours.namespace.within(|| way.foreign_write())?;
            ours.check(true)?;
            ours.reread(&cluster, &mut costs.reread)?;
        }
        ours.repair(&cluster, &mut costs.repair)?;
        progress.inc(1);
    }
    if way == Way::Nftables {
        costs.netlink = ours.replaced_over_netlink(&cluster)?;
    }
    way.listing(&ours.list()?)
        .same_as(&wanted, "after repairs")?;
    Ok(costs)
}
