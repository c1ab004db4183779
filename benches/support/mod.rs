//! The shared corpus, as the engine takes it.
//!
//! Its size is `SELECTORD_BENCH_PODS` (100,000), its seed 1.
#![allow(
    dead_code,
    unused_imports,
    reason = "each bench uses its own part of this"
)]

mod convert;

use std::env;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use selectord_corpus::{Corpus, Spec};

pub use convert::*;

pub fn corpus() -> Corpus {
    let pods = match env::var("SELECTORD_BENCH_PODS") {
        Ok(text) => text.parse().expect("SELECTORD_BENCH_PODS is a number"),
        Err(_) => 100_000,
    };
    Corpus::new(Spec::new(pods))
}

/// A group whose benchmarks take a few seconds each: the machine is shared, and medians count.
pub fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    group
}
