use std::process::ExitCode;

use anyhow::bail;

use crate::args::Args;
use crate::context::Context;
use crate::report::Section;

use super::{churn, engine, fanout, ingest, peers, proxy, query, resume, soak, store};

/// Something to measure.
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it measures, in one line.
    pub about: &'static str,
    /// Measures it. What it found before an error is reported too.
    pub run: fn(&Context, &mut Section) -> anyhow::Result<()>,
}

/// Every scenario, in the order in which `all` runs them.
const ALL: &[Scenario] = &[
    Scenario {
        name: "engine",
        about: "the library in this process: load, memory, changes, and what their cost depends on",
        run: engine::run,
    },
    Scenario {
        name: "ingest",
        about: "the whole cluster into a server, over one gRPC stream",
        run: ingest::run,
    },
    Scenario {
        name: "query",
        about: "counts and pages: alone, beside a writer flat out, and over gRPC",
        run: query::run,
    },
    Scenario {
        name: "churn",
        about: "a cluster in motion over gRPC, and subscribers whose folded state is compared",
        run: churn::run,
    },
    Scenario {
        name: "fanout",
        about: "a thousand and ten thousand subscribers: latency, processor time, memory of each",
        run: fanout::run,
    },
    Scenario {
        name: "resume",
        about: "first snapshots, catching up from a cursor, and clients that are killed and come back",
        run: resume::run,
    },
    Scenario {
        name: "store",
        about: "what it costs to keep what is acknowledged, in a directory and in etcd, and to come back to it",
        run: store::run,
    },
    Scenario {
        name: "proxy",
        about: "a node's service rules in the kernel: the first sync and one change, by services (needs root)",
        run: proxy::run,
    },
    Scenario {
        name: "soak",
        about: "churn, queries and unruly subscribers for --seconds (60; hours are meant), then all compared",
        run: soak::run,
    },
    Scenario {
        name: "peers",
        about: "Kubernetes' lister and EndpointSlice reconciler and Calico's index on the same (needs Go)",
        run: peers::run,
    },
];

/// What runs all of them.
const EVERYTHING: &str = "all";

/// What can be asked for.
pub fn names() -> Vec<&'static str> {
    ALL.iter()
        .map(|scenario| scenario.name)
        .chain([EVERYTHING])
        .collect()
}

/// What was asked for.
pub fn chosen(name: &str) -> Vec<&'static Scenario> {
    ALL.iter()
        .filter(|scenario| name == EVERYTHING || scenario.name == name)
        .collect()
}

/// The scenarios, a line each.
pub fn help() -> String {
    let mut lines = vec!["Scenarios:".to_owned()];
    lines.extend(ALL.iter().map(|s| format!("  {:<8} {}", s.name, s.about)));
    lines.push(format!(
        "  {EVERYTHING:<8} each of them in turn, in one report"
    ));
    lines.join("\n")
}

/// A part that a scenario has done by another process of this program.
pub fn child(task: &str, args: &Args) -> anyhow::Result<ExitCode> {
    match task {
        engine::MEMORY | engine::MEMORY_YARDSTICK => engine::memory_child(task, args)?,
        _ => bail!("there is no part {task:?}"),
    }
    Ok(ExitCode::SUCCESS)
}
