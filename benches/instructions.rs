//! Instructions that one change executes, in a small cluster and in a large one.
//!
//! What is measured: nothing by itself. This program makes changes under callgrind, which counts
//! them; `.ci/instructions` runs it, and compares. Corpus: one namespace, ten labels a pod, no two
//! pods with the same ones (see `tests/proportional/cluster.rs`, whose test counts work and bytes of
//! the same changes). No seed: nothing is random.
//!
//! Run: `.ci/instructions`, or by itself
//! `cargo bench --no-default-features --bench instructions -- (small|services|pods|endpoints) [KIND]`,
//! where KIND is one of the kinds that the script prints; under
//! `valgrind --tool=callgrind --collect-atstart=no --toggle-collect=instructions::counted` it says
//! where one kind of change spends its instructions.

#[path = "../tests/proportional/cluster.rs"]
mod cluster;

use std::env;
use std::hint::black_box;
use std::process::ExitCode;

use cluster::{
    CHANGES, ChangeKind, Cluster, MANY_ENDPOINTS, MANY_PODS, MANY_SERVICES, Prepared, SMALL,
};

/// Records read at once by a subscriber.
const PIECE: usize = 64;
/// Changes of each kind that are counted. The script takes the median: one of them may be the one at
/// which a piece of a table grows.
const COUNTED: u32 = 3;

enum Step {
    /// Resolve and apply.
    Change(Prepared),
    /// Tell a subscriber that is one change behind.
    CatchUp,
}

/// What callgrind counts: it starts at each call of this function, stops at its return, and writes
/// down what it counted in between.
#[inline(never)]
fn counted(cluster: &mut Cluster, step: Step) {
    match step {
        Step::Change(change) => {
            black_box(cluster.apply(change));
        }
        Step::CatchUp => {
            black_box(cluster.catch_up(PIECE));
        }
    }
}

fn main() -> ExitCode {
    // `cargo bench` passes `--bench`; `cargo test --benches` passes nothing.
    let mut words = env::args().skip(1).filter(|word| !word.starts_with('-'));
    let (size, only) = (words.next(), words.next());
    let size = match size.as_deref() {
        None => {
            println!("instructions are counted by .ci/instructions");
            return ExitCode::SUCCESS;
        }
        Some("small") => SMALL,
        Some("services") => MANY_SERVICES,
        Some("pods") => MANY_PODS,
        Some("endpoints") => MANY_ENDPOINTS,
        Some(other) => {
            eprintln!("error: {other:?} is not one of small, services, pods, endpoints");
            return ExitCode::from(2);
        }
    };
    let mut cluster = Cluster::new(size);
    let wanted = |kind: &ChangeKind| {
        only.as_ref()
            .is_none_or(|only| format!("{kind:?}") == *only)
    };
    for kind in ChangeKind::ALL.into_iter().filter(wanted) {
        cluster.begin(kind);
        let (first, anew) = (CHANGES - 2 * COUNTED, CHANGES - COUNTED);
        for number in 0..first {
            let change = cluster.prepare(kind, number);
            let work = cluster.apply(change);
            assert_eq!(work.records_written, kind.records(), "{kind:?} {number}");
            cluster.catch_up(PIECE);
        }
        for number in first..anew {
            let change = cluster.prepare(kind, number);
            println!("{kind:?}");
            counted(&mut cluster, Step::Change(change));
            println!("{kind:?}, told to a subscriber");
            counted(&mut cluster, Step::CatchUp);
        }
        for number in anew..CHANGES {
            cluster.forget_matches(number - anew);
            let change = cluster.prepare(kind, number);
            println!("{kind:?}, matched anew");
            counted(&mut cluster, Step::Change(change));
            cluster.catch_up(PIECE);
        }
    }
    ExitCode::SUCCESS
}
