use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use selectord::engine::{Engine, EngineOptions};
use selectord_corpus::Corpus;

use crate::cluster::{LOADED_AT_ONCE, Way, objects};
use crate::context::Context;
use crate::measure::{Latencies, Samples};
use crate::report::{Axis, Curve, Row, Section, Unit};

use super::ordinary;

/// Operations of a transaction while a reader may wait.
pub const SMALL: usize = 64;

/// Loads a cluster in transactions of so many, and tells how long each took.
pub fn loaded(
    corpus: &Corpus,
    at_once: usize,
    way: Way,
    mut took: impl FnMut(Duration, Duration),
) -> Engine {
    let mut engine = Engine::new(EngineOptions::default());
    let mut objects = objects(corpus).peekable();
    while objects.peek().is_some() {
        let part = way.prepare(objects.by_ref().take(at_once));
        let (start, busy) = (Instant::now(), thread_time());
        part.write(&mut engine);
        let elapsed = start.elapsed();
        took(elapsed, thread_time().saturating_sub(busy));
    }
    engine
}

/// Processor time of this thread: what others of the machine take does not count.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        time.tv_nsec.unsigned_abs() as u32,
    )
}

fn runs(context: &Context) -> usize {
    match context.pods() {
        n if n > 2_000_000 => 1,
        n if n > 200_000 => context.runs(3),
        _ => context.runs(5),
    }
}

/// The rate of a bulk load, beside filling an ordinary map.
pub fn bulk(context: &Context, section: &mut Section) {
    const WAYS: [Way; 2] = [Way::Whole, Way::Applied];
    let pods = f64::from(context.pods());
    let (mut rates, mut ordinary) = (WAYS.map(|_| Samples::default()), Samples::default());
    let progress = context.progress("bulk load", runs(context) as u64);
    for _ in 0..runs(context) {
        for (way, rates) in WAYS.into_iter().zip(&mut rates) {
            let mut spent = Duration::ZERO;
            drop(loaded(&context.corpus, LOADED_AT_ONCE, way, |took, _| {
                spent += took
            }));
            rates.push(pods / spent.as_secs_f64());
        }
        ordinary.push(ordinary::fill_rate(&context.corpus));
        progress.inc(1);
    }
    progress.finish_and_clear();
    for (way, rates) in WAYS.into_iter().zip(&rates) {
        let what = format!("bulk load, 1,000 to a transaction, {}", way.says());
        section.row(
            Row::new(what, Unit::Rate("pods"), rates)
                .at_least(500_000.0)
                .beside(
                    "putting the same pods into a HashMap by name, without any index",
                    Unit::Rate("pods"),
                    &ordinary,
                ),
        );
    }
}

/// Loads in transactions of at most 64, and keeps how long applying each took.
pub fn in_small_transactions(context: &Context, section: &mut Section) -> Engine {
    let (mut wall, mut busy) = (Latencies::new(), Latencies::new());
    let objects = context.pods() + context.corpus.service_count();
    let progress = context.progress("load, 64 to a transaction", u64::from(objects));
    let engine = loaded(&context.corpus, SMALL, Way::Applied, |took, of_thread| {
        wall.record(took);
        busy.record(of_thread);
        progress.inc(SMALL as u64);
    });
    progress.finish_and_clear();
    section.row(
        Row::one(
            "longest of the transactions while pods load, ≤ 64 in each, applying alone",
            Unit::Time,
            wall.max(),
        )
        .at_most(10e6)
        .beside(
            "the same in the thread's own processor time",
            Unit::Time,
            &Samples::one(busy.max()),
        ),
    );
    section.row(Row::one(
        "… 99.9% of them took at most",
        Unit::Time,
        wall.quantile(0.999),
    ));
    section.note(
        "the longest transaction is stated for 5m pods; where it is far above the thread's own processor time, \
         something else had the core",
    );
    section.curve(
        Curve::new(
            "stall",
            "How long applying each transaction of the load took",
            Axis::log("one transaction in so many took longer", Unit::Number("")),
            Axis::log("time of Engine::apply", Unit::Time),
        )
        .line("elapsed", wall.tail())
        .line("processor time", busy.tail())
        .target(10e6),
    );
    engine
}
