use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context as _;
use selectord::engine::Namespaces;
use selectord::model::Transaction;
use selectord::runtime::{self, Runtime, RuntimeOptions};
use selectord::selector::Selector;
use selectord::store::MemoryStore;
use selectord_corpus::{ChangeKind, Churn};
use tokio::runtime::Builder;

use crate::cluster::{LOADED_AT_ONCE, changes, objects, unresolved};
use crate::context::Context;
use crate::measure::{Latencies, Samples};
use crate::owner::{ask, write};
use crate::report::{Axis, Curve, Row, Section, Unit};

use super::questions::counts;

/// Operations of a transaction: what a reader waits for at most.
const SMALL: usize = 64;
/// Changes that are made before the clock runs.
const PREPARED: usize = 400_000;

/// Questions through the owner thread: alone, and beside a writer flat out, whose rate is compared.
pub fn measure(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let store = MemoryStore::new().context("no randomness")?;
    let (runtime, thread) = runtime::start(Box::new(store), RuntimeOptions::default())?;
    let waiting = Builder::new_current_thread().enable_time().build()?;
    let questions = counts(&context.corpus);
    let progress = context.progress("readers beside a writer", context.runs(5) as u64 + 1);
    let mut all = objects(&context.corpus).peekable();
    while all.peek().is_some() {
        let part = unresolved(all.by_ref().take(LOADED_AT_ONCE));
        waiting.block_on(write(&runtime, [part]))?;
    }
    progress.inc(1);
    let mut churn = context
        .corpus
        .churn(context.args.seed)
        .only(ChangeKind::Readiness);
    let idle = alone(context, &runtime, &questions)?;
    let (mut free, mut kept) = (Samples::default(), Samples::default());
    let (mut beside, mut late) = (Latencies::new(), Latencies::new());
    let count = if context.args.quick {
        PREPARED / 8
    } else {
        PREPARED
    };
    for _ in 0..context.runs(5) {
        let rate = |transactions: Vec<Transaction>| -> anyhow::Result<f64> {
            let start = Instant::now();
            waiting.block_on(write(&runtime, transactions))?;
            Ok(count as f64 / start.elapsed().as_secs_f64())
        };
        free.push(rate(prepare(&mut churn, count))?);
        let transactions = prepare(&mut churn, count);
        let done = AtomicBool::new(false);
        let (rate, seen) = std::thread::scope(|scope| {
            let reader = scope.spawn(|| ask(&runtime, &questions, &done));
            let rate = rate(transactions);
            done.store(true, Ordering::Relaxed);
            (rate, reader.join())
        });
        kept.push(rate?);
        let seen = seen.map_err(|_| anyhow::anyhow!("the reader panicked"))??;
        beside.add(&seen.latencies);
        late.add(&seen.lateness);
        progress.inc(1);
    }
    progress.finish_and_clear();
    waiting.block_on(thread.shutdown())?;

    let title = "p99 of these counts, 2,000 a second, beside a writer flat out";
    section.row(
        Row::one(title, Unit::Time, beside.quantile(0.99))
            .at_most(200_000.0)
            .beside("the same without a writer", Unit::Time, &idle.at(0.99)),
    );
    section.row(Row::one(
        "… how late they were asked, p99: what is not the owner's",
        Unit::Time,
        late.quantile(0.99),
    ));
    section.row(
        Row::one("… median", Unit::Time, beside.quantile(0.5)).beside(
            "the same without a writer",
            Unit::Time,
            &idle.at(0.5),
        ),
    );
    section.row(
        Row::new(
            "share of its rate that the writer keeps beside these readers",
            Unit::Share,
            &kept.over(&free),
        )
        .at_least(0.75)
        .beside("the writer by itself", Unit::Rate("flips"), &free),
    );
    section.curve(
        Curve::new(
            "beside-writer",
            "Counts through the owner thread, 2,000 a second",
            Axis::log("one count in so many took longer", Unit::Number("")),
            Axis::log("time to the answer, from when it was due", Unit::Time),
        )
        .line("writer flat out", beside.tail())
        .line("no writer", idle.tail())
        .target(200_000.0),
    );
    section.note("the writer's transactions are 64 readiness flips, resolved and applied by the owner thread");
    Ok(())
}

fn prepare(churn: &mut Churn<'_>, count: usize) -> Vec<Transaction> {
    (0..count / SMALL)
        .map(|_| unresolved(churn.by_ref().take(SMALL).flat_map(changes)))
        .collect()
}

/// As many questions as a second or two has.
fn alone(
    context: &Context,
    runtime: &Runtime,
    questions: &[(Selector, Namespaces)],
) -> anyhow::Result<Latencies> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| ask(runtime, questions, &done));
        std::thread::sleep(context.duration() / 4);
        done.store(true, Ordering::Relaxed);
        let seen = reader
            .join()
            .map_err(|_| anyhow::anyhow!("the reader panicked"))??;
        Ok(seen.latencies)
    })
}
