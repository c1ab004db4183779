use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::BuildError;
use thiserror::Error;
use tokio::task::{JoinError, JoinHandle, block_in_place, spawn_blocking};
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use crate::client::{Cut, WatchError, Watcher};
use crate::engine::View;
use crate::model::Revision;

use super::belief::Belief;
use super::other_modes::remove_others;
use super::{
    HealthPorts, Mode, Monitor, ProxyOptions, Report, StaleFlows, SyncError, Syncer,
    health_addresses,
};

/// The first wait after a failure; each is twice as long as the one before.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// Why a node's proxy ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The server refuses the subscription for good, or cannot be understood.
    #[error("cannot follow the server")]
    Watch(#[from] WatchError),
    /// The one sync that was asked for failed.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The numbers that it tells of itself cannot be described.
    #[error("cannot describe the metrics")]
    Metrics(#[from] BuildError),
}

/// Takes the first cut, makes the rules what it says, and answers what was done.
///
/// # Errors
/// When the server refuses, or the rules cannot be written.
pub async fn once(watcher: &mut Watcher, syncer: &mut Syncer) -> Result<Report, ProxyError> {
    let cut = watcher.next().await?;
    syncer.note(watcher.view(), &cut.events, &cut.dropped);
    let report = block_in_place(|| syncer.sync(watcher.view()))?;
    told(&report, cut.revision);
    watcher.applied(cut.revision);
    let mode = syncer.backend().mode();
    block_in_place(|| leave_no_other(mode));
    if let Some(flows) = syncer.stale_flows() {
        looked_through(&block_in_place(|| flows.forget()));
    }
    Ok(report)
}

/// Keeps the rules of this node what the stream says, until it is asked to end; they stay as they are
/// then. Each write is one consistent cut: what comes while one is under way, or within
/// [`ProxyOptions::min_sync_period`] of its beginning, is written together.
///
/// Before the first whole cut nothing is written. While the server is away, while a write fails, and while
/// a server that has begun anew has no service at all, the rules stay as they are. It blocks a thread of tokio's while it waits for the kernel. `monitor` is
/// told how it goes.
///
/// # Errors
/// When the server refuses the subscription for good.
pub async fn run(
    mut watcher: Watcher,
    syncer: Syncer,
    options: &ProxyOptions,
    monitor: Monitor,
    shutdown: CancellationToken,
) -> Result<(), ProxyError> {
    let mut keeper = Keeper::new(syncer, options, monitor);
    loop {
        let sweep_at = keeper.syncer.backend().sweep_at();
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            // What comes seldom goes first: cuts may come without end.
            () = until(Some(keeper.check_at)) => {
                keeper.check(watcher.view());
                keeper.answer_health_checks().await;
            }
            () = until(sweep_at) => keeper.sweep(),
            looked = ended(&mut keeper.looking) => keeper.looked_through(looked),
            () = until(keeper.due) => {
                keeper.sync(&watcher);
                keeper.answer_health_checks().await;
            }
            cut = watcher.next() => keeper.note(&cut?, watcher.view()),
        }
    }
}

/// What is to be done, and when.
struct Keeper<'a> {
    syncer: Syncer,
    options: &'a ProxyOptions,
    monitor: Monitor,
    health: HealthPorts,
    noted: Option<Revision>,
    belief: Belief,
    /// The last cut that was not gone by, before any was.
    held: Option<Cut>,
    /// Whether other modes' rules have been removed, which is once this mode's are written.
    is_alone: Arc<AtomicBool>,
    leaving: Option<JoinHandle<()>>,
    /// When to write next; none: there is nothing to write.
    due: Option<Instant>,
    /// When the last sync began.
    last: Option<Instant>,
    /// Whether somebody else wrote rules since then.
    meddled: bool,
    retry: Duration,
    check_at: Instant,
    second_chance: Instant,
    /// UDP flows being looked through: however many there are, the rules do not wait for them.
    looking: Option<JoinHandle<Looked>>,
}

/// What came of looking through UDP flows.
struct Looked {
    flows: StaleFlows,
    took: Duration,
    forgotten: io::Result<usize>,
}

impl<'a> Keeper<'a> {
    fn new(syncer: Syncer, options: &'a ProxyOptions, monitor: Monitor) -> Keeper<'a> {
        let now = Instant::now();
        Keeper {
            syncer,
            options,
            health: HealthPorts::new(monitor.clone()),
            monitor,
            noted: None,
            belief: Belief::default(),
            held: None,
            is_alone: Arc::default(),
            leaving: None,
            due: None,
            last: None,
            meddled: false,
            retry: FIRST_RETRY.min(options.sync_period),
            check_at: now + options.check_period,
            second_chance: now + options.sync_period,
            looking: None,
        }
    }

    fn note(&mut self, cut: &Cut, view: &View) {
        self.syncer.note(view, &cut.events, &cut.dropped);
        let finds_services = || block_in_place(|| self.syncer.finds_services());
        let is_empty = view.services().is_empty();
        if self.belief.see(&cut.cursor.epoch, is_empty, finds_services) {
            match self.noted {
                Some(_) => tracing::warn!(
                    "the server has begun anew and has no service: the rules are kept as they are until it has \
                     one (to remove them, end this process and run 'selectord proxy cleanup')"
                ),
                None => tracing::warn!(
                    "the server has no service, and there are rules of some: they stay until it has one, or \
                     until 'selectord proxy cleanup' has removed them"
                ),
            }
        }
        self.monitor.metrics().held(self.belief.is_bare());
        self.held = None;
        if self.belief.is_bare() {
            self.due = None;
            self.held = self.noted.is_none().then(|| cut.clone());
            return;
        }
        if self.noted.is_none() && !view.nodes().contains_key(&self.options.node) {
            tracing::warn!(
                node = %self.options.node,
                "the server knows no node of this name: policies Local find only endpoints that name it"
            );
        }
        self.monitor.noted(cut);
        self.noted = Some(cut.revision);
        let earliest = self.last.map(|last| last + self.options.min_sync_period);
        self.due = self.due.or(earliest).or_else(|| Some(Instant::now()));
    }

    fn sync(&mut self, watcher: &Watcher) {
        let began = Instant::now();
        self.last = Some(began);
        let is_held = self.belief.is_bare();
        let sync = || match is_held {
            true => self.syncer.mend(),
            false => self.syncer.sync(watcher.view()),
        };
        match block_in_place(sync) {
            Ok(report) => {
                self.retry = FIRST_RETRY.min(self.options.sync_period);
                self.due = None;
                if std::mem::take(&mut self.meddled) && report.lines > 0 {
                    self.monitor.metrics().repaired();
                }
                if let Some(revision) = self.noted {
                    told(&report, revision);
                    if !is_held {
                        watcher.applied(revision);
                    }
                }
                let took = began.elapsed();
                self.monitor
                    .synced(&report, took, &mut self.syncer, self.noted);
                self.look_through_flows();
                self.leave_no_other();
            }
            Err(error) => {
                let (error, retry): (&dyn std::error::Error, _) = (&error, self.retry);
                tracing::error!(
                    error,
                    ?retry,
                    "the rules stay as they are, and are tried again"
                );
                self.monitor.failed(began.elapsed());
                self.due = Some(Instant::now() + retry);
                self.retry = self.options.sync_period.min(retry.saturating_mul(2));
            }
        }
    }

    /// Has other modes' rules removed, until that went well once. Nothing waits for it.
    fn leave_no_other(&mut self) {
        let is_leaving = |task: &JoinHandle<()>| !task.is_finished();
        if self.is_alone.load(Ordering::Relaxed) || self.leaving.as_ref().is_some_and(is_leaving) {
            return;
        }
        let (mode, is_alone) = (self.syncer.backend().mode(), self.is_alone.clone());
        self.leaving = Some(spawn_blocking(move || {
            is_alone.store(leave_no_other(mode), Ordering::Relaxed);
        }));
    }

    /// Has UDP flows looked through, unless some are just being.
    fn look_through_flows(&mut self) {
        if self.looking.is_some() {
            return;
        }
        self.looking = self.syncer.stale_flows().map(|flows| {
            spawn_blocking(move || {
                let began = Instant::now();
                let forgotten = flows.forget();
                Looked {
                    flows,
                    took: began.elapsed(),
                    forgotten,
                }
            })
        });
    }

    fn looked_through(&mut self, looked: Result<Looked, JoinError>) {
        self.looking = None;
        let Ok(looked) = looked else {
            return tracing::error!("a defect: looking through UDP flows panicked");
        };
        let forgotten = looked_through(&looked.forgotten);
        let metrics = self.monitor.metrics();
        metrics.forgotten(forgotten.unwrap_or(0), looked.took);
        match forgotten {
            Some(_) => self.look_through_flows(),
            // The next check tries again.
            None => self.syncer.give_back(&looked.flows),
        }
    }

    /// Load balancers are told what the rules say.
    async fn answer_health_checks(&mut self) {
        if self.due.is_none() {
            let ranges = &self.options.node_port_addresses;
            let addresses = health_addresses(ranges, self.syncer.addresses());
            self.health
                .set(self.syncer.health_checks(), &addresses)
                .await;
        }
    }

    fn sweep(&mut self) {
        let backend = self.syncer.backend();
        if let Err(error) = block_in_place(|| self.monitor.busy(|| backend.sweep())) {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "cannot take away what is not used any more");
            self.monitor.metrics().sweep_failed();
        }
    }

    /// Looks whether somebody else changed what the rules stand on.
    fn check(&mut self, view: &View) {
        self.monitor.metrics().gather();
        if let Some(cut) = self.held.take() {
            // Somebody may have removed what was found.
            if !block_in_place(|| self.syncer.finds_services()) {
                self.belief.believe();
            }
            self.note(&cut, view);
        }
        self.see();
        // However long it took, others come first then.
        self.check_at = Instant::now() + self.options.check_period;
    }

    fn see(&mut self) {
        let now = Instant::now();
        // Before the first whole cut there is nothing to be kept.
        if self.noted.is_none() {
            return;
        }
        let syncer = &mut self.syncer;
        let see = || (syncer.see_addresses(), syncer.check());
        let (mut wanted, meddled) = block_in_place(|| self.monitor.busy(see));
        if meddled {
            self.monitor.metrics().meddled();
            self.meddled = true;
            wanted = true;
        }
        if now >= self.second_chance {
            self.second_chance = now + self.options.sync_period;
            wanted |= self.syncer.retry_refused();
        }
        if wanted {
            self.monitor.waits();
            // What somebody else broke is not left so until the next write may be made.
            let waits = self.due.filter(|due| !meddled || *due < now);
            self.due = waits.or(Some(now));
        }
        if self.leaving.is_some() {
            self.leave_no_other();
        }
        self.look_through_flows();
    }
}

async fn ended<T>(task: &mut Option<JoinHandle<T>>) -> Result<T, JoinError> {
    match task {
        Some(task) => task.await,
        None => std::future::pending().await,
    }
}

async fn until(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when.into()).await,
        None => std::future::pending().await,
    }
}

/// Takes away rules of other modes, and logs which there were. Answers whether none are left.
fn leave_no_other(mode: Mode) -> bool {
    match remove_others(mode) {
        Ok(modes) => {
            for mode in modes {
                tracing::info!(
                    ?mode,
                    "rules of another mode were still there, and are removed"
                );
            }
            true
        }
        Err(error) => {
            let error: &dyn std::error::Error = error.as_ref();
            tracing::warn!(
                error,
                "cannot remove rules of other modes, which decide too: it is tried again"
            );
            false
        }
    }
}

/// Logs what a sync did.
fn told(report: &Report, revision: Revision) {
    if report.lines > 0 {
        tracing::info!(
            revision,
            elements = report.elements,
            rules = report.rules,
            kernel = ?report.kernel_time,
            "rules written"
        );
    }
}

/// Logs what came of looking through UDP flows. Answers how many were forgotten, if it went well.
fn looked_through(forgotten: &io::Result<usize>) -> Option<usize> {
    match forgotten {
        Ok(0) => Some(0),
        Ok(flows) => {
            tracing::info!(flows, "UDP flows to endpoints that are gone are forgotten");
            Some(*flows)
        }
        Err(error) => {
            tracing::warn!(%error, "cannot look through UDP flows for endpoints that are gone");
            None
        }
    }
}
