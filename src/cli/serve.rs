use super::failure::Done;
use std::io::Write;

/// Run the service
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord serve --manifests examples/rng")]
pub(super) struct Args {
    /// dir
    #[arg(long)]
    manifests: Option<String>,
}
pub(super) fn run(_args: &Args, _out: &mut dyn Write) -> anyhow::Result<Done> {
    Ok(Done::Well)
}
