use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::task::block_in_place;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use crate::client::{WatchError, Watcher};
use crate::model::Revision;

use super::health::HealthPorts;
use super::{ProxyOptions, Report, SyncError, Syncer};

/// The first wait after a failure.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest.
const LAST_RETRY: Duration = Duration::from_secs(30);
/// How often services whose rules were refused are tried again.
const SECOND_CHANCE: Duration = Duration::from_secs(30);

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
    Ok(report)
}

/// Keeps the rules of this node what the stream says, until it is asked to end; they stay as they are
/// then. Each write is one consistent cut: what comes while one is under way, or within
/// [`ProxyOptions::min_sync_period`] of its beginning, is written together.
///
/// Before the first whole cut nothing is written. While the server is away, and while a write fails,
/// the rules stay as they are. It blocks a thread of tokio's while it waits for the kernel.
///
/// # Errors
/// When the server refuses the subscription for good.
pub async fn run(
    mut watcher: Watcher,
    mut syncer: Syncer,
    options: &ProxyOptions,
    shutdown: CancellationToken,
) -> Result<(), ProxyError> {
    let mut health = HealthPorts::default();
    let mut noted: Option<Revision> = None;
    // When to write next; none: there is nothing to write.
    let mut due: Option<Instant> = None;
    let mut last = None;
    let mut retry = FIRST_RETRY;
    let mut check_at = Instant::now() + options.check_period;
    let mut second_chance = Instant::now() + SECOND_CHANCE;
    loop {
        let sweep_at = syncer.backend().sweep_at();
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            () = until(due) => {
                let began = Instant::now();
                last = Some(began);
                match block_in_place(|| syncer.sync(watcher.view())) {
                    Ok(report) => {
                        retry = FIRST_RETRY;
                        due = None;
                        if let Some(revision) = noted {
                            told(&report, revision);
                            watcher.applied(revision);
                        }
                        health.set_healthy(true);
                        health.set(syncer.health_checks()).await;
                    }
                    Err(error) => {
                        let error: &dyn std::error::Error = &error;
                        tracing::error!(error, ?retry, "the rules stay as they are, and are tried again");
                        health.set_healthy(false);
                        due = Some(Instant::now() + retry);
                        retry = LAST_RETRY.min(retry.saturating_mul(2));
                    }
                }
            }
            cut = watcher.next() => {
                let cut = cut?;
                syncer.note(watcher.view(), &cut.events, &cut.dropped);
                noted = Some(cut.revision);
                let earliest = last.map_or_else(Instant::now, |last| last + options.min_sync_period);
                due = due.or(Some(earliest));
            }
            () = until(sweep_at), if due.is_none() => {
                if let Err(error) = block_in_place(|| syncer.backend().sweep()) {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "cannot take away what is not used any more");
                }
            }
            () = until(Some(check_at)), if noted.is_some() => {
                let now = Instant::now();
                check_at = now + options.check_period;
                let mut wanted = syncer.check();
                if now >= second_chance {
                    second_chance = now + SECOND_CHANCE;
                    wanted |= syncer.retry_refused();
                }
                if wanted {
                    due = due.or(Some(now));
                }
            }
        }
    }
}

async fn until(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when.into()).await,
        None => std::future::pending().await,
    }
}

/// Logs what a sync did.
fn told(report: &Report, revision: Revision) {
    for (service, why) in &report.refused {
        tracing::error!(%service, why, "the rules of this service were refused: it keeps those it had");
    }
    for conflict in &report.conflicts {
        tracing::warn!("{conflict}");
    }
    if report.lines > 0 {
        tracing::info!(
            revision,
            elements = report.elements,
            rules = report.rules,
            flows = report.flows,
            kernel = ?report.kernel_time,
            "rules written"
        );
    }
}
