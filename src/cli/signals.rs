use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// One token for the first signal to end, one for the second.
pub(super) fn signals() -> anyhow::Result<(CancellationToken, CancellationToken)> {
    let (first, second) = (CancellationToken::new(), CancellationToken::new());
    let (end, end_now) = (first.clone(), second.clone());
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen to signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen to signals")?;
    tokio::spawn(async move {
        for token in [end, end_now] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("asked to end; a second signal ends at once");
            token.cancel();
        }
    });
    Ok((first, second))
}
