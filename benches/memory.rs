//! Resident memory of an engine that knows everything, per pod.
//!
//! What is measured: the growth of the process (VmRSS) over an empty engine, with index, endpoint
//! sets and log, after a bulk load, and after as many changes as there are pods; with the system's
//! allocator. The corpus itself holds some 20 bytes a pod while it churns; they are not counted.
//!
//! Corpus: `load-tests/corpus`, plain, seed 1, and its churn; SELECTORD_BENCH_PODS pods (100,000).
//! Run: `cargo bench --no-default-features --bench memory`

mod support;

use std::fs;

use support::{apply, changes, loaded, transaction};

/// Bytes of this process that are in memory; none where there is no `/proc`.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1_024)
}

fn main() {
    let corpus = support::corpus();
    let pods = u64::from(corpus.spec().pods);
    let mut churn = corpus.churn(1);
    let Some(empty) = resident() else {
        println!("memory: not measured, because /proc/self/status is not there");
        return;
    };
    let report = |when: &str| {
        let bytes = resident().unwrap_or_default().saturating_sub(empty);
        println!(
            "{when:<24} {:>6} MiB {:>6} bytes a pod",
            bytes >> 20,
            bytes / pods
        );
    };
    let mut engine = loaded(&corpus);
    report("after the load");
    for change in churn.by_ref().take(pods as usize) {
        apply(&mut engine, transaction(changes(change)));
    }
    report("after as many changes");
    for (part, bytes) in engine.memory() {
        println!(
            "  {part:<22} {:>6} MiB {:>6} bytes a pod",
            bytes >> 20,
            bytes / pods
        );
    }
    println!("{:#?}", engine.stats());
}
