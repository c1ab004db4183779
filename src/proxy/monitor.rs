use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use metrics_exporter_prometheus::BuildError;
use tokio::sync::watch;

use crate::client::{Contact, Cut};
use crate::engine::Event;
use crate::model::Revision;

use super::metrics::Metrics;
use super::{ProxyOptions, Report, Syncer};

/// Commit times that are kept while their changes wait to be written; of more, nobody will know how long
/// they took.
const MOST_COMMITS: usize = 1_000;
/// Most service ports without what they want that a page names: how many there are is a number.
const MOST_CONFLICTS: usize = 20;

/// What a proxy says of itself, on its pages and to load balancers. Clones are of one proxy.
#[derive(Debug, Clone)]
pub struct Monitor(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    metrics: Metrics,
    contact: watch::Receiver<Contact>,
    /// For how long an update may wait.
    patience: Duration,
    state: watch::Sender<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Since when the oldest update waits that is not written.
    waiting_since: Option<Instant>,
    /// Since when the kernel is asked for something beside updates.
    busy_since: Option<Instant>,
    /// When the rules were last made what they are to be.
    updated: Option<SystemTime>,
    applied: Option<Revision>,
    /// Who goes without which place, or some of them.
    conflicts: Vec<String>,
    /// When changes were committed that wait to be written.
    commits: Vec<SystemTime>,
}

/// How a proxy is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Health {
    /// Whether no update has waited for longer than it may.
    pub healthy: bool,
    /// Whether everything has been written once.
    pub ready: bool,
    /// For how long the oldest update has waited that is not written; none: none waits.
    pub waiting: Option<Duration>,
    /// When the rules were last made what they are to be.
    pub updated: Option<SystemTime>,
    /// The revision that the rules are true of.
    pub applied: Option<Revision>,
    /// How old what is known may be; none: nothing is known yet.
    pub source_age: Option<Duration>,
}

impl Monitor {
    /// Of a proxy that has done nothing yet, and hears of its server through `contact`.
    ///
    /// # Errors
    /// When the numbers cannot be described, which is a defect.
    pub fn new(
        options: &ProxyOptions,
        syncer: &mut Syncer,
        contact: watch::Receiver<Contact>,
    ) -> Result<Monitor, BuildError> {
        Ok(Monitor(Arc::new(Inner {
            metrics: Metrics::new(syncer.backend().mode())?,
            contact,
            patience: options.patience(),
            state: watch::Sender::default(),
        })))
    }

    /// How the proxy is now.
    pub fn health(&self) -> Health {
        let state = self.0.state.borrow();
        let long = |since: Option<Instant>| since.map(|since| since.elapsed());
        let stuck = long(state.busy_since).filter(|busy| *busy > self.0.patience);
        let waiting = long(state.waiting_since).max(stuck);
        Health {
            healthy: waiting.is_none_or(|waiting| waiting <= self.0.patience),
            ready: state.updated.is_some(),
            waiting,
            updated: state.updated,
            applied: state.applied,
            source_age: self.0.contact.borrow().age(),
        }
    }

    /// Which service ports lack an address and port, or a node port, that another has, since the last
    /// sync: twenty of them at most.
    pub fn conflicts(&self) -> Vec<String> {
        self.0.state.borrow().conflicts.clone()
    }

    /// The page for Prometheus.
    pub fn render(&self) -> String {
        self.0.metrics.render(&self.0.contact.borrow())
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// A cut has come, and waits to be written.
    pub(super) fn noted(&self, cut: &Cut) {
        let (mut services, mut endpoints, mut began_anew) = (cut.dropped.len(), 0usize, false);
        for event in &cut.events {
            match event {
                Event::Replace(_) | Event::Entry(_) | Event::Remove(_) => {
                    services = services.saturating_add(1);
                }
                Event::Endpoint { .. } | Event::Removed { .. } => {
                    endpoints = endpoints.saturating_add(1);
                }
                Event::Reset => began_anew = true,
                Event::Rewritten { .. } | Event::Node(_) | Event::NodeRemoved(_) => {}
            }
        }
        let number = |count| u64::try_from(count).unwrap_or(u64::MAX);
        let metrics = &self.0.metrics;
        metrics.noted(number(services), number(endpoints), cut.revision);
        self.0.state.send_modify(|state| {
            state.waiting_since.get_or_insert_with(Instant::now);
            // What is told of a whole state is not how long its newest change took.
            let counts = !began_anew && endpoints > 0 && state.updated.is_some();
            if counts && state.commits.len() < MOST_COMMITS {
                state.commits.extend(cut.commit_time);
            }
        });
    }

    /// Something is to be written that nobody sent: a repair, or a service that was refused.
    pub(super) fn waits(&self) {
        self.0.metrics.queued();
        self.0.state.send_modify(|state| {
            state.waiting_since.get_or_insert_with(Instant::now);
        });
    }

    /// Asks the kernel for something that is no update. If it takes too long, that is no health either.
    pub(super) fn busy<T>(&self, ask: impl FnOnce() -> T) -> T {
        let since = |when| self.0.state.send_modify(|state| state.busy_since = when);
        since(Some(Instant::now()));
        let answer = ask();
        since(None);
        answer
    }

    /// A sync succeeded.
    pub(super) fn synced(
        &self,
        report: &Report,
        took: Duration,
        syncer: &mut Syncer,
        revision: Option<Revision>,
    ) {
        let metrics = &self.0.metrics;
        metrics.synced(report, took);
        metrics.standing(syncer);
        let conflicts = syncer.claims().conflicts().take(MOST_CONFLICTS);
        let conflicts: Vec<String> = conflicts.map(|conflict| conflict.to_string()).collect();
        self.0.state.send_modify(|state| {
            state.waiting_since = None;
            state.updated = Some(SystemTime::now());
            state.applied = revision.or(state.applied);
            state.conflicts = conflicts;
            for committed in state.commits.drain(..) {
                metrics.programmed(committed);
            }
        });
        // Last: a page that is read after one that has it finds every other number as new.
        if let Some(revision) = revision {
            metrics.applied(revision);
        }
    }

    /// A sync failed: what is to be written waits.
    pub(super) fn failed(&self, took: Duration) {
        self.0.metrics.failed(took);
        self.0.state.send_modify(|state| {
            state.waiting_since.get_or_insert_with(Instant::now);
        });
    }
}
