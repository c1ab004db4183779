use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use selectord_corpus::{Corpus, Spec};
use serde::{Deserialize, Serialize};

use crate::args::Args;
use crate::cluster::{self, apply, changes, transaction};
use crate::context::Context;
use crate::measure::{Process, Samples};
use crate::report::{Row, Section, Unit};

use super::load::SMALL;
use super::ordinary;

/// The part that loads an engine, and says how much memory it takes.
pub const ENGINE: &str = "engine-memory";
/// The part that fills an ordinary map instead.
pub const ORDINARY: &str = "ordinary-memory";

/// Bytes that a process grew by.
#[derive(Debug, Serialize, Deserialize)]
struct Growth {
    /// Once everything was loaded.
    loaded: u64,
    /// After as many changes as there are pods.
    churned: u64,
}

/// Resident bytes a pod, beside those of an ordinary map.
pub fn measure(context: &Context, section: &mut Section) -> anyhow::Result<()> {
    let pods = f64::from(context.pods());
    let progress = context.progress("memory, in processes of their own", 2);
    let engine = ask(ENGINE, context)?;
    progress.inc(1);
    let map = ask(ORDINARY, context)?;
    progress.finish_and_clear();
    let map = Samples::one(map.loaded as f64 / pods);
    let beside = "the same pods in a HashMap by name, without any index";
    let rows = [
        ("resident memory a pod, loaded", engine.loaded),
        (
            "resident memory a pod, after as many changes as pods",
            engine.churned,
        ),
    ];
    for (what, bytes) in rows {
        section.row(
            Row::one(what, Unit::Bytes, bytes as f64 / pods)
                .at_most(200.0)
                .beside(beside, Unit::Bytes, &map),
        );
    }
    section.note(
        "memory is what VmRSS of a fresh process grew by: index, services, endpoint sets and log, with \
         the system's allocator",
    );
    Ok(())
}

/// Bytes that a process grows by when it loads the cluster.
pub fn loaded(context: &Context) -> anyhow::Result<u64> {
    Ok(ask(ENGINE, context)?.loaded)
}

fn ask(task: &str, context: &Context) -> anyhow::Result<Growth> {
    let program = std::env::current_exe()?;
    let output = Command::new(program)
        .args(["engine", "--child", task])
        .args(["--size", &context.pods().to_string()])
        .args(["--seed", &context.args.seed.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("the process for {task} ended with {}", output.status);
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("{task} answered nonsense"))
}

/// The process that measures itself. What makes the objects is laid out before the first look.
pub fn child(task: &str, args: &Args) -> anyhow::Result<()> {
    let corpus = Corpus::new(Spec::new(args.size.0).seed(args.seed));
    let mut churn = corpus.churn(args.seed);
    let resident = || {
        let usage = Process::own().usage();
        usage
            .map(|u| u.resident)
            .context("/proc/self/status is not there")
    };
    let before = resident()?;
    let growth = if task == ORDINARY {
        let map = ordinary::cache(&corpus);
        let loaded = resident()?.saturating_sub(before);
        drop(map);
        Growth {
            loaded,
            churned: loaded,
        }
    } else {
        let mut engine = cluster::loaded(&corpus);
        let loaded = resident()?.saturating_sub(before);
        for _ in 0..args.size.0 as usize / SMALL {
            apply(
                &mut engine,
                transaction(churn.by_ref().take(SMALL).flat_map(changes)),
            );
        }
        let churned = resident()?.saturating_sub(before);
        drop(engine);
        Growth { loaded, churned }
    };
    println!("{}", serde_json::to_string(&growth)?);
    Ok(())
}
