use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;

use crate::engine::{EngineOptions, MissingNode};
use crate::snapshot::{SnapshotReader, load};
use crate::store::EmbeddedStore;

use super::failure::Done;
use super::progress::Progress;
use super::serve::Missing;
use super::snapshot_status::rule;

/// Restore a snapshot into an empty store, which is then served as any other
///
/// Every object is there at the snapshot's revision, and revisions go on from it; but the history is a new
/// one, with an epoch of its own. So a subscriber that comes back with a cursor of the former is told
/// everything, and none takes what was written after the snapshot for what is there. Nothing is changed
/// unless the snapshot is whole, and the store then holds all of it or what it held before.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord snapshot restore backup.selectord --data-dir /var/lib/selectord
  selectord snapshot restore backup.selectord --data-dir /var/lib/selectord --force")]
pub(super) struct Args {
    /// The file
    file: PathBuf,
    /// The directory to restore into: empty, or not there yet
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Replace what the directory holds
    #[arg(long)]
    force: bool,
    /// What to do with a selected pod whose node is not known; it has to be served with the same
    /// [default: as it was saved]
    #[arg(long, value_enum, value_name = "MODE")]
    missing_node: Option<Missing>,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Done> {
    let began = Instant::now();
    let mut progress = Progress::new();
    progress.phase("checking");
    let mut snapshot = SnapshotReader::open(&args.file, &mut |done, of| {
        progress.tell(done, of, "bytes", None);
    })?;
    let header = snapshot.header().clone();
    let directory = EmbeddedStore::create(&args.data_dir, args.force)
        .context("cannot restore into the data directory")?;

    progress.phase("reading");
    let missing_node = args.missing_node.map_or(header.missing_node, Into::into);
    let rules = EngineOptions {
        missing_node,
        ..EngineOptions::default()
    };
    let engine = load(&mut snapshot, rules, &mut |done| {
        progress.tell(done, header.total(), "objects", None);
    })?;
    progress.phase("writing");
    directory
        .fill(&engine, header.commit_time, &mut |done, of| {
            progress.tell(done, of, "objects and records", None);
        })
        .context("cannot restore into the data directory")?;
    drop(progress);

    let path = args.data_dir.display();
    writeln!(
        out,
        "restored revision {}: {} objects, into {path} in {:.1} s",
        header.revision,
        header.total(),
        began.elapsed().as_secs_f64(),
    )?;
    let mode = match missing_node {
        MissingNode::Admit => String::new(),
        other => format!(" --missing-node {}", rule(other)),
    };
    writeln!(
        out,
        "serve it with: selectord serve --data-dir {path}{mode}"
    )?;
    Ok(Done::Well)
}
