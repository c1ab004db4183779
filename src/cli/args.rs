//! The whole command line, as clap reads it.

use clap::{Parser, Subcommand};

use super::target::EarlyArgs;
use super::{
    apply, completion, count, delete, explain, get, label, proxy, selector, serve, snapshot,
    status, watch,
};

/// Kubernetes label selectors over millions of pods, and endpoints as they change.
///
/// 'selectord serve' runs the service; every other command asks it, or tells it something. Whoever
/// knows kubectl knows most of them.
#[derive(Debug, Parser)]
#[command(
    name = "selectord",
    version,
    propagate_version = false,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "\
Examples:
  selectord serve --manifests examples/rng
  selectord get pods -l 'app=rng,active!=yes'
  selectord watch endpoints rng

Exit codes: 0 done, 1 failed, 2 used wrongly."
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) early: EarlyArgs,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    Serve(Box<serve::Args>),
    Apply(apply::Args),
    Delete(delete::Args),
    Get(get::Args),
    Label(label::Args),
    Count(count::Args),
    Explain(explain::Args),
    Selector(selector::Args),
    Watch(watch::Args),
    Status(status::Args),
    Snapshot(snapshot::Args),
    Proxy(Box<proxy::Args>),
    Completion(completion::Args),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_has_a_summary_and_examples() {
        for verb in Cli::command().get_subcommands() {
            let name = verb.get_name();
            assert!(verb.get_about().is_some(), "{name} has no summary");
            let after = verb
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(after.starts_with("Examples:\n  "), "{name} has no examples");
            let example = format!("selectord {name}");
            assert!(after.contains(&example), "{name}'s examples do not show it");
        }
    }

    #[test]
    fn every_example_parses() {
        let verbs = Cli::command();
        let helps = verbs
            .get_subcommands()
            .filter_map(|verb| verb.get_after_help().map(ToString::to_string));
        let top = verbs.get_after_help().map(ToString::to_string);
        for line in helps
            .chain(top)
            .flat_map(|help| help.lines().map(str::to_owned).collect::<Vec<_>>())
        {
            let Some(command) = line.trim().strip_prefix("selectord ") else {
                continue;
            };
            let command = command.split(['|', '<', '>']).next().unwrap_or_default();
            let words = unquoted(&format!("selectord {command}"));
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("{line}\n{error}");
            }
        }
    }

    /// Words as a shell would split them: blanks outside of single quotes.
    fn unquoted(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (i, part) in line.split('\'').enumerate() {
            if i % 2 == 1 {
                words.push(part.to_owned());
            } else {
                words.extend(part.split_whitespace().map(str::to_owned));
            }
        }
        words
    }
}
