//! Where a server keeps what it knows.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing::info;

use crate::engine::{Engine, EngineOptions};
use crate::store::{EmbeddedOptions, EmbeddedStore, MemoryStore, RecoveryProgress, Store};

/// Longest time for which writes may be gathered.
const MAX_GATHER: Duration = Duration::from_secs(10);
/// So often a log says how far recovery is.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// What outlives the process.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Durability")]
pub(super) struct DurabilityArgs {
    /// Where to keep what is acknowledged: a directory that no other process serves. It is made if it
    /// does not exist. Without it nothing outlives the process
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// When transactions are made durable: 'always', each group of those that wait at once; or
    /// 'group:MILLIS', after gathering for so long, which is fewer syncs and later answers. Whichever:
    /// acknowledged means on the disk
    #[arg(
        long,
        value_name = "WHEN",
        default_value = "always",
        requires = "data_dir"
    )]
    fsync: Fsync,
    /// Bytes by which the journal grows before what changed is flushed into the state and the journal is
    /// shortened: more is less writing, more memory and a longer recovery
    #[arg(long, value_name = "BYTES", default_value_t = EmbeddedOptions::default().journal_bytes, requires = "data_dir")]
    journal_bytes: u64,
    /// Room that transactions leave on the disk: with less, they are refused with RESOURCE_EXHAUSTED
    /// until there is room again. The state needs it to be rewritten
    #[arg(long, value_name = "BYTES", default_value_t = EmbeddedOptions::default().reserve_bytes, requires = "data_dir")]
    disk_reserve: u64,
}

/// When transactions are made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fsync {
    Always,
    /// Those of so long together.
    Group(Duration),
}

impl FromStr for Fsync {
    type Err = String;

    fn from_str(text: &str) -> Result<Fsync, String> {
        if text == "always" {
            return Ok(Fsync::Always);
        }
        let millis = text.strip_prefix("group:");
        millis
            .and_then(|millis| millis.parse().ok())
            .map(Duration::from_millis)
            .filter(|gather| !gather.is_zero() && *gather <= MAX_GATHER)
            .map(Fsync::Group)
            .ok_or_else(|| {
                format!(
                    "write 'always', or 'group:MILLIS' with 1 to {} milliseconds, as in group:5",
                    MAX_GATHER.as_millis()
                )
            })
    }
}

impl DurabilityArgs {
    /// For how long writes are gathered.
    pub(super) fn gather(&self) -> Duration {
        match self.fsync {
            Fsync::Always => Duration::ZERO,
            Fsync::Group(gather) => gather,
        }
    }

    /// The store of the directory, and the engine that is read back from it; without a directory, empty
    /// ones in memory.
    pub(super) fn open(&self, rules: EngineOptions) -> anyhow::Result<(Box<dyn Store>, Engine)> {
        let Some(directory) = &self.data_dir else {
            let store = MemoryStore::new().context("no randomness to name this history by")?;
            return Ok((Box::new(store), Engine::new(rules)));
        };
        let options = EmbeddedOptions {
            journal_bytes: self.journal_bytes,
            reserve_bytes: self.disk_reserve,
        };
        let mut teller = Teller::new();
        let tell = &mut |progress| teller.tell(progress);
        let (store, engine) = EmbeddedStore::open(directory, rules, options, tell)
            .context("cannot serve the data directory")?;
        Ok((Box::new(store), engine))
    }
}

/// Tells a terminal, or else the log, how far recovery is.
struct Teller {
    bar: Option<ProgressBar>,
    began: Instant,
    told: Instant,
}

impl Teller {
    fn new() -> Teller {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            match ProgressStyle::with_template("{msg}: {bar:32} {human_pos}/{human_len}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        let now = Instant::now();
        Teller {
            bar,
            began: now,
            told: now,
        }
    }

    fn tell(&mut self, progress: RecoveryProgress) {
        let (what, done, of) = match progress {
            RecoveryProgress::Objects { done, of } => ("reading objects", done, Some(of)),
            RecoveryProgress::Records { done, of } => ("reading positions", done, Some(of)),
            RecoveryProgress::Journal { done } => ("applying the journal", done, None),
            RecoveryProgress::Done { revision } => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
                let seconds = format!("{:.2}", self.began.elapsed().as_secs_f64());
                info!(revision, seconds, "the data directory is read");
                return;
            }
        };
        if let Some(bar) = &self.bar {
            bar.set_message(what);
            bar.set_length(of.unwrap_or(done));
            bar.set_position(done);
        } else if self.told.elapsed() >= TELL_EVERY {
            self.told = Instant::now();
            info!(done, of, "{what}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fsync_is_always_or_a_time() {
        assert_eq!("always".parse(), Ok(Fsync::Always));
        let gather = Duration::from_millis(5);
        assert_eq!("group:5".parse(), Ok(Fsync::Group(gather)));
        for wrong in [
            "",
            "never",
            "group",
            "group:",
            "group:0",
            "group:10001",
            "group:5ms",
        ] {
            assert!(wrong.parse::<Fsync>().is_err(), "{wrong}");
        }
    }
}
