//! Logs on standard error.

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

/// The environment variable that says what is logged.
const VARIABLE: &str = "RUST_LOG";

/// Logs of a server: time, level, where from.
pub(super) fn for_server(filter: Option<&str>) -> anyhow::Result<()> {
    // What the state's tree does to its files is its own affair. That it cannot merge them the store says, once.
    let filter = chosen(filter, "info,lsm_tree=warn,lsm_tree::compaction=off")?;
    // A second subscriber in one process would be a test's; the first stays.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .try_init();
    Ok(())
}

/// Logs of a command: warnings, for a person.
pub(super) fn for_command() -> anyhow::Result<()> {
    let filter = chosen(None, "warn")?;
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .try_init();
    Ok(())
}

fn chosen(filter: Option<&str>, default: &str) -> anyhow::Result<EnvFilter> {
    let variable = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty());
    let text = filter.or(variable.as_deref()).unwrap_or(default);
    EnvFilter::try_new(text).with_context(|| {
        format!("{text:?} is not a log filter; write a level, as in info, or selectord=debug,warn")
    })
}
