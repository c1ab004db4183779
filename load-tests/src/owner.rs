//! The owner thread in this process, as a server has it: a writer, and somebody who asks beside it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::bail;
use selectord::engine::{Engine, Namespaces};
use selectord::model::Transaction;
use selectord::runtime::{PendingCommit, Runtime};
use selectord::selector::Selector;
use tokio::runtime::Builder;

use crate::measure::{OpenLoop, open_loop};

/// Transactions on their way without an answer.
const WINDOW: usize = 64;
/// Questions a second.
pub const QUESTIONS: f64 = 2_000.0;
/// How long late answers are waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Hands over all of them, with a bounded number on their way.
pub async fn write(
    runtime: &Runtime,
    transactions: impl IntoIterator<Item = Transaction>,
) -> anyhow::Result<()> {
    let mut waiting = VecDeque::<PendingCommit>::new();
    for transaction in transactions {
        if waiting.len() >= WINDOW
            && let Some(first) = waiting.pop_front()
        {
            first.committed().await?;
        }
        waiting.push_back(runtime.submit(transaction, "".into(), None).await?);
    }
    for pending in waiting {
        pending.committed().await?;
    }
    Ok(())
}

/// Asks for these counts in turn, at a rate, until told to end, whether or not answers come.
pub fn ask(
    runtime: &Runtime,
    counts: &[(Selector, Namespaces)],
    done: &AtomicBool,
) -> anyhow::Result<OpenLoop> {
    let threads = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()?;
    let seen = open_loop(threads.handle(), QUESTIONS, PATIENCE, |number| {
        let runtime = runtime.clone();
        let count = counts.get(number as usize % counts.len().max(1)).cloned();
        let going_on = count.filter(|_| !done.load(Ordering::Relaxed));
        going_on.map(|(selector, namespaces)| async move {
            let count = move |engine: &Engine| engine.count(&selector, &namespaces);
            runtime.query(count).await.is_ok()
        })
    });
    if seen.failed > 0 {
        bail!("{} questions were not answered", seen.failed);
    }
    Ok(seen)
}
