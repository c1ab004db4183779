use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use indicatif::HumanBytes;

use crate::client::{Client, SnapshotPart};
use crate::snapshot::{Checked, NewFile};

use super::failure::{Done, Misused};
use super::progress::Progress;
use super::status::hex;
use super::target::{EarlyArgs, ServerArgs};

/// Save every object as it is now into a file, while writes go on
///
/// What is saved is the state at one revision, to the last object, whatever is written meanwhile. The file
/// is there whole or not at all, and takes the place of one that is there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  selectord snapshot save backup.selectord
  selectord snapshot save - --server unix:/run/selectord.sock | ssh vault 'cat > backup.selectord'")]
pub(super) struct Args {
    /// Where to save it; '-': standard output
    file: OsString,
    #[command(flatten)]
    server: ServerArgs,
}

/// What was saved.
struct Saved {
    part: SnapshotPart,
    bytes: u64,
    sum: [u8; 32],
}

pub(super) async fn run(
    args: &Args,
    early: &EarlyArgs,
    out: &mut dyn Write,
) -> anyhow::Result<Done> {
    let began = Instant::now();
    let shown = args.file.to_string_lossy();
    let saved = if args.file == "-" {
        if io::stdout().is_terminal() {
            let message = "a snapshot is no text for a terminal: name a file, or redirect '-'";
            return Err(Misused::of("snapshot save", message));
        }
        let client = args.server.connect(early).await?;
        let saved = receive(&client, out).await?;
        out.flush().context("cannot write the output")?;
        saved
    } else {
        let cannot = || format!("cannot write {shown}");
        let mut file = NewFile::create(Path::new(&args.file)).with_context(cannot)?;
        let client = args.server.connect(early).await?;
        let saved = tokio::select! {
            saved = receive(&client, &mut file) => saved?,
            _ = tokio::signal::ctrl_c() => bail!("interrupted: nothing was saved"),
        };
        file.commit().with_context(cannot)?;
        saved
    };
    let said = format!(
        "saved revision {}: {} objects, {} in {:.1} s\nsha256 {}\n",
        saved.part.revision,
        saved.part.objects,
        HumanBytes(saved.bytes),
        began.elapsed().as_secs_f64(),
        hex(&saved.sum),
    );
    if args.file == "-" {
        eprint!("{said}");
    } else {
        out.write_all(said.as_bytes())?;
    }
    Ok(Done::Well)
}

/// Writes what the server sends, and sees that it is whole.
async fn receive(client: &Client, to: &mut dyn Write) -> anyhow::Result<Saved> {
    let mut parts = client.save_snapshot().await?;
    let mut progress = Progress::new();
    progress.phase("saving");
    let mut checked = Checked::default();
    let mut last = None;
    while let Some(part) = parts.next().await.context("nothing was saved")? {
        to.write_all(&part.data).context("cannot write")?;
        checked.update(&part.data);
        let (done, of) = (part.objects, part.total_objects);
        progress.tell(done, of, "objects", Some(checked.bytes()));
        last = Some(part);
    }
    let bytes = checked.bytes();
    let whole = last.zip(checked.finish());
    let (part, sum) =
        whole.ok_or_else(|| anyhow!("what the server sent is not whole: nothing was saved"))?;
    Ok(Saved { part, bytes, sum })
}
