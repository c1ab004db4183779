use std::io::Write;

use super::failure::Done;
use super::run::wait;
use super::target::EarlyArgs;
use super::{snapshot_restore, snapshot_save, snapshot_status};

/// Save, check and restore snapshots: files with every object as it was at one revision
///
/// 'save' asks a server, whatever its store, and writes go on meanwhile. 'status' and 'restore' read the
/// file and ask nobody.
#[derive(Debug, clap::Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  selectord snapshot save backup.selectord
  selectord snapshot status backup.selectord
  selectord snapshot restore backup.selectord --data-dir /var/lib/selectord"
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Save(snapshot_save::Args),
    Status(snapshot_status::Args),
    Restore(snapshot_restore::Args),
}

pub(super) fn run(args: &Args, early: &EarlyArgs, out: &mut dyn Write) -> anyhow::Result<Done> {
    match &args.action {
        Action::Save(args) => wait(snapshot_save::run(args, early, out)),
        Action::Status(args) => early
            .refuse("snapshot status")
            .and_then(|()| snapshot_status::run(args, out)),
        Action::Restore(args) => early
            .refuse("snapshot restore")
            .and_then(|()| snapshot_restore::run(args, out)),
    }
}
