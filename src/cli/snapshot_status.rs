use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;
use std::time::SystemTime;

use indicatif::HumanBytes;
use serde_json::json;

use crate::engine::MissingNode;
use crate::snapshot::{Header, SnapshotReader};
use crate::wire::encode_time;

use super::failure::Done;
use super::print::print_data;
use super::progress::Progress;
use super::status::{camel, hex};
use super::target::DataArgs;

/// Check a snapshot, and show what is in it
///
/// All of it is read, and every object looked at: what is shown of can be restored. 'contents' is the
/// same of two snapshots that hold the same objects.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord snapshot status backup.selectord
  selectord snapshot status backup.selectord -o json")]
pub(super) struct Args {
    /// The file
    file: PathBuf,
    #[command(flatten)]
    output: DataArgs,
}

/// What is known of a snapshot that was read to its end.
struct Known {
    header: Header,
    bytes: u64,
    sum: [u8; 32],
    contents: [u8; 32],
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Done> {
    let mut progress = Progress::new();
    progress.phase("checking");
    let mut snapshot = SnapshotReader::open(&args.file, &mut |done, of| {
        progress.tell(done, of, "bytes", None);
    })?;
    progress.phase("reading");
    let header = snapshot.header().clone();
    let (bytes, sum) = (snapshot.bytes(), *snapshot.sum());
    let mut objects = snapshot.objects()?;
    for (object, done) in objects.by_ref().zip(1u64..) {
        object?;
        if done.is_multiple_of(4_096) {
            progress.tell(done, header.total(), "objects", None);
        }
    }
    let known = Known {
        header,
        bytes,
        sum,
        contents: objects.content(),
    };
    drop(progress);
    match args.output.output {
        Some(format) => print_data(out, format, &data(&known))?,
        None => out.write_all(facts(&known).as_bytes())?,
    }
    Ok(Done::Well)
}

/// Names as the protocol has them.
const NAMES: [&str; 5] = ["nodes", "pods", "services", "endpoints", "endpoint_slices"];

/// A time as RFC 3339 has it, or nothing.
fn time(time: Option<SystemTime>) -> Option<String> {
    time.map(|time| encode_time(time).to_string())
}

pub(super) fn rule(missing_node: MissingNode) -> &'static str {
    match missing_node {
        MissingNode::Admit => "admit",
        MissingNode::Withhold => "withhold",
    }
}

fn facts(known: &Known) -> String {
    let header = &known.header;
    let never = || "never".to_owned();
    let mut facts = vec![
        (
            "revision",
            format!(
                "{}, committed {}",
                header.revision,
                time(header.commit_time).unwrap_or_else(never)
            ),
        ),
        ("saved", time(header.time).unwrap_or_else(never)),
        ("epoch", hex(&header.epoch)),
        ("version", header.version.clone()),
        ("missing node", rule(header.missing_node).to_owned()),
    ];
    for (name, (_, count)) in NAMES.into_iter().zip(header.by_kind()) {
        facts.push((name, count.to_string()));
    }
    facts.push(("objects", header.total().to_string()));
    let size = format!("{} ({} bytes)", HumanBytes(known.bytes), known.bytes);
    facts.push(("size", size));
    facts.push(("sha256", hex(&known.sum)));
    facts.push(("contents", hex(&known.contents)));
    let mut text = String::new();
    for (name, value) in facts {
        let _ = writeln!(text, "{:20} {value}", name.replace('_', " "));
    }
    text
}

fn data(known: &Known) -> serde_json::Value {
    let header = &known.header;
    let mut objects = serde_json::Map::new();
    for (name, (_, count)) in NAMES.into_iter().zip(header.by_kind()) {
        objects.insert(camel(name), count.into());
    }
    objects.insert("total".to_owned(), header.total().into());
    json!({
        "revision": header.revision,
        "commitTime": time(header.commit_time),
        "saved": time(header.time),
        "epoch": hex(&header.epoch),
        "version": header.version,
        "missingNode": rule(header.missing_node),
        "objects": objects,
        "bytes": known.bytes,
        "sha256": hex(&known.sum),
        "contents": hex(&known.contents),
    })
}
