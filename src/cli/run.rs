use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use super::args::{Cli, Verb};
use super::failure::{Done, report};
use super::{
    apply, completion, count, delete, explain, get, label, log, proxy, selector, serve, snapshot,
    status, watch,
};

/// Runs the command line of this process and answers its exit code: 0 done, 1 failed, 2 used wrongly.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for, and go to standard output.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    report(dispatch(cli))
}

fn dispatch(cli: Cli) -> anyhow::Result<Done> {
    let early = &cli.early;
    let mut out = BufWriter::new(io::stdout().lock());
    let out = &mut out;
    let done = match &cli.verb {
        Verb::Selector(args) => early
            .refuse("selector")
            .and_then(|()| selector::run(args, out)),
        Verb::Completion(args) => early
            .refuse("completion")
            .and_then(|()| completion::run(args, out)),
        Verb::Snapshot(args) => snapshot::run(args, early, out),
        Verb::Serve(args) => early.refuse("serve").and_then(|()| serve::run(args, out)),
        Verb::Proxy(args) => proxy::run(args, early, out),
        Verb::Apply(args) => wait(apply::run(args, early, out)),
        Verb::Delete(args) => wait(delete::run(args, early, out)),
        Verb::Get(args) => wait(get::run(args, early, out)),
        Verb::Label(args) => wait(label::run(args, early, out)),
        Verb::Count(args) => wait(count::run(args, early, out)),
        Verb::Explain(args) => wait(explain::run(args, early, out)),
        Verb::Watch(args) => wait(watch::run(args, early, out)),
        Verb::Status(args) => wait(status::run(args, early, out)),
    };
    // What was printed before a failure is shown all the same.
    let flushed = out.flush();
    let done = done?;
    flushed.context("cannot write the output")?;
    Ok(done)
}

/// Runs a client on this thread.
pub(super) fn wait<T>(verb: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    log::for_command()?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(verb)
}
