use std::io::Write;

use clap::{CommandFactory as _, ValueEnum};
use clap_complete::{Shell, generate};

use super::args::Cli;
use super::failure::Done;

/// Print a script that completes selectord's commands in a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord completion bash > /etc/bash_completion.d/selectord
  selectord completion zsh > ~/.zfunc/_selectord
  selectord completion fish > ~/.config/fish/completions/selectord.fish")]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Known,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Done> {
    let shell = match args.shell {
        Known::Bash => Shell::Bash,
        Known::Zsh => Shell::Zsh,
        Known::Fish => Shell::Fish,
    };
    // The generator panics when it cannot write, so it writes where nothing can fail.
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "selectord", &mut script);
    out.write_all(&script)?;
    Ok(Done::Well)
}
