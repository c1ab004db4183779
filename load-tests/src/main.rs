//! Load tests of selectord. See `README.md` beside this crate, or `--help`.

mod args;
mod cluster;
mod context;
mod machine;
mod measure;
mod owner;
mod report;
mod rpc;
mod scenarios;
mod server;
mod subscribers;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::Parser as _;

use args::Args;
use context::Context;
use report::{Report, Section};

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(task) = &args.child {
        return finish(scenarios::child(task, &args));
    }
    finish(run(args))
}

fn finish(done: anyhow::Result<ExitCode>) -> ExitCode {
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// Runs what was asked for, and writes the report after each scenario, so that what breaks off leaves
/// what it had.
fn run(args: Args) -> anyhow::Result<ExitCode> {
    let chosen = scenarios::chosen(&args.scenario);
    let context = Context::new(args)?;
    let mut report = Report::new(&context);
    eprintln!("{}", report.heading());
    let began = Instant::now();
    let mut failed = false;
    for scenario in chosen {
        eprintln!("\n{}: {}", scenario.name, scenario.about);
        let mut section = Section::new(scenario.name, scenario.about);
        let start = Instant::now();
        if let Err(error) = (scenario.run)(&context, &mut section) {
            failed = true;
            section.note(format!("FAILED: {error:#}"));
        }
        section.seconds = start.elapsed().as_secs_f64();
        report::terminal::print(&section);
        report.sections.push(section);
        report.seconds = began.elapsed().as_secs_f64();
        report
            .write(&context.out)
            .with_context(|| format!("cannot write the report to {}", context.out.display()))?;
    }
    println!("\nreport: {}", context.out.join("report.md").display());
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
