use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, anyhow};
use selectord::runtime::{self, RuntimeOptions};
use selectord::store::MemoryStore;
use tokio::runtime::Builder;

use crate::cluster::{objects, unresolved};
use crate::context::Context;
use crate::owner::{QUESTIONS, ask, write};
use crate::report::{Row, Section, Unit};
use crate::scenarios::query::counts;

use super::load::SMALL;

/// How long counts take, through the owner thread, while the whole cluster is put through its writer.
pub fn measure(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let store = MemoryStore::new().context("no randomness")?;
    let (runtime, thread) = runtime::start(Box::new(store), RuntimeOptions::default())?;
    let waiting = Builder::new_current_thread().enable_time().build()?;
    let corpus = &context.corpus;
    let (counts, done) = (counts(corpus), AtomicBool::new(false));
    // All of them are made before the clock runs: made beside it, they would take a core from those two.
    let mut objects = objects(corpus).peekable();
    let mut parts = Vec::new();
    while objects.peek().is_some() {
        parts.push(unresolved(objects.by_ref().take(SMALL)));
    }
    let progress = context.progress("counts while pods load", parts.len() as u64);
    let parts = progress.wrap_iter(parts.into_iter());
    let (written, seen) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| ask(&runtime, &counts, &done));
        let written = waiting.block_on(write(&runtime, parts));
        done.store(true, Ordering::Relaxed);
        (written, reader.join())
    });
    progress.finish_and_clear();
    written?;
    let seen = seen.map_err(|_| anyhow!("the reader panicked"))??;
    let latencies = seen.latencies;
    waiting.block_on(thread.shutdown())?;
    section.row(
        Row::one(
            format!(
                "longest wait of {} counts, {QUESTIONS} a second, while pods load, ≤ 64 to a transaction",
                latencies.count()
            ),
            Unit::Time,
            latencies.max(),
        )
        .at_most(10e6)
        .beside("p99 of them", Unit::Time, &latencies.at(0.99)),
    );
    section.row(Row::one(
        "… how late they were asked, at most: of the longest wait, what is not the owner's",
        Unit::Time,
        seen.lateness.max(),
    ));
    section.note(
        "counts while pods load go through the owner thread of a server, and take from when each was due",
    );
    Ok(())
}
