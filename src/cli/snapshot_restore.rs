use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;

use crate::engine::{EngineOptions, MissingNode};
use crate::snapshot::{Header, SnapshotReader, load};
use crate::store::EmbeddedStore;
use crate::store::etcd::{EtcdAddress, EtcdRestore};

use super::data_dir::check_is_no_file;
use super::failure::{Done, Misused};
use super::progress::Progress;
use super::run::wait;
use super::serve::Missing;
use super::snapshot_status::rule;
use super::store::EtcdArgs;

/// Restore a snapshot into an empty store, which is then served as any other
///
/// The history is a new one, with an epoch of its own: a subscriber that comes back with a cursor of the
/// former is told everything, and none takes what was written after the snapshot for what is there. In a
/// directory, every object is of the snapshot's revision, and revisions go on from it; in etcd, revisions
/// are etcd's own. Nothing is changed unless the snapshot is whole. A directory then holds all of it or
/// what it held before; an etcd is not served before it holds all of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord snapshot restore backup.selectord --data-dir /var/lib/selectord
  selectord snapshot restore backup.selectord --data-dir /var/lib/selectord --force
  selectord snapshot restore backup.selectord --store etcd://a:2379,b:2379,c:2379/selectord")]
pub(super) struct Args {
    /// The file
    file: PathBuf,
    /// The directory to restore into: empty, or not there yet
    #[arg(long, value_name = "DIR", conflicts_with = "store")]
    data_dir: Option<PathBuf>,
    /// The etcd to restore into, as 'serve --store' names it
    #[arg(long, value_name = "STORE")]
    store: Option<EtcdAddress>,
    /// Replace what is there
    #[arg(long)]
    force: bool,
    /// In a directory: what to do with a selected pod whose node is not known; it has to be served with
    /// the same [default: as it was saved]
    #[arg(long, value_enum, value_name = "MODE", conflicts_with = "store")]
    missing_node: Option<Missing>,
    #[command(flatten)]
    etcd: EtcdArgs,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Done> {
    let began = Instant::now();
    let mut progress = Progress::new();
    progress.phase("checking");
    let mut snapshot = SnapshotReader::open(&args.file, &mut |done, of| {
        progress.tell(done, of, "bytes", None);
    })?;
    let header = snapshot.header().clone();
    let served = match (&args.data_dir, &args.store) {
        (_, Some(address)) => wait(etcd(args, address, &mut snapshot, &mut progress))?,
        (Some(path), None) => directory(args, path, &mut snapshot, &mut progress)?,
        (None, None) => {
            let message = "say where to: --data-dir DIR or --store etcd://…";
            return Err(Misused::of("snapshot restore", message));
        }
    };
    drop(progress);
    writeln!(
        out,
        "restored revision {}: {} objects in {:.1} s\nserve it with: selectord serve {served}",
        header.revision,
        header.total(),
        began.elapsed().as_secs_f64(),
    )?;
    Ok(Done::Well)
}

/// Fills a directory; answers how it is served.
fn directory(
    args: &Args,
    path: &Path,
    snapshot: &mut SnapshotReader,
    progress: &mut Progress,
) -> anyhow::Result<String> {
    const CANNOT: &str = "cannot restore into the data directory";
    check_is_no_file(path)?;
    let directory = EmbeddedStore::create(path, args.force).context(CANNOT)?;
    progress.phase("reading");
    let Header {
        missing_node,
        commit_time,
        ..
    } = *snapshot.header();
    let total = snapshot.header().total();
    let missing_node = args.missing_node.map_or(missing_node, Into::into);
    let rules = EngineOptions {
        missing_node,
        ..EngineOptions::default()
    };
    let engine = load(snapshot, rules, &mut |done| {
        progress.tell(done, total, "objects", None);
    })?;
    progress.phase("writing");
    let filled = directory.fill(&engine, commit_time, &mut |done, of| {
        progress.tell(done, of, "objects and records", None);
    });
    filled.context(CANNOT)?;
    let mode = match missing_node {
        MissingNode::Admit => String::new(),
        other => format!(" --missing-node {}", rule(other)),
    };
    Ok(format!("--data-dir {}{mode}", path.display()))
}

/// Fills an etcd; answers how it is served.
async fn etcd(
    args: &Args,
    address: &EtcdAddress,
    snapshot: &mut SnapshotReader,
    progress: &mut Progress,
) -> anyhow::Result<String> {
    let cannot = || format!("cannot restore into {address}");
    let options = args.etcd.options(address)?;
    let total = snapshot.header().total();
    // Whether it is whole is known; whether all of it fits has to be, before anything is deleted.
    progress.phase("measuring");
    for (object, done) in snapshot.objects()?.zip(1u64..) {
        let (object, source) = object?;
        EtcdRestore::check(&options, &object, &source).with_context(cannot)?;
        if done.is_multiple_of(1_024) {
            progress.tell(done, total, "objects", None);
        }
    }
    eprintln!("waiting for etcd at {address}");
    progress.phase("deleting");
    let mut restore = EtcdRestore::begin(options, args.force, &mut |done| {
        progress.tell(done, done, "objects", None);
    })
    .await
    .with_context(cannot)?;
    progress.phase("writing");
    for (object, done) in snapshot.objects()?.zip(1u64..) {
        let (object, source) = object?;
        let put = restore.put(&object, &source).await;
        put.with_context(cannot)?;
        if done.is_multiple_of(1_024) {
            progress.tell(done, total, "objects", None);
        }
    }
    restore.finish().await.with_context(cannot)?;
    Ok(format!("--store {address}{}", args.etcd.words()))
}
