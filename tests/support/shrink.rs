//! From a failing history to a small one.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `check` on `history`; if it fails, by answering or by a panic, leaves out whatever can be
/// left out so that it still fails, and panics with what is left.
pub fn check_or_shrink<T: Clone + std::fmt::Debug>(
    seed: u64,
    history: Vec<T>,
    check: impl Fn(&[T]) -> Result<(), String>,
) {
    let Err(first) = outcome(&check, &history) else {
        return;
    };
    eprintln!("seed {seed} fails after {} steps: {first}", history.len());
    let mut small = history;
    let mut size = small.len();
    while size > 0 {
        let before = small.len();
        let mut start = 0;
        while start < small.len() {
            let mut shorter = small.clone();
            shorter.drain(start..(start + size).min(small.len()));
            if outcome(&check, &shorter).is_err() {
                small = shorter;
            } else {
                start += size;
            }
        }
        if small.len() == before || size > 1 {
            size /= 2;
        }
    }
    let why = outcome(&check, &small).expect_err("what is left still fails");
    let steps: String = small
        .iter()
        .enumerate()
        .map(|(i, step)| format!("  {i}: {step:?}\n"))
        .collect();
    panic!(
        "seed {seed} (SELECTORD_TEST_SEED={seed}) fails; {} steps are enough:\n{steps}{why}",
        small.len()
    );
}

fn outcome<T>(check: &impl Fn(&[T]) -> Result<(), String>, history: &[T]) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| check(history))).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
            .unwrap_or_default();
        Err(format!("panicked: {text}"))
    })
}
