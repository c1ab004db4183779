//! Where a server keeps what it knows.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use tracing::info;

use crate::engine::{Engine, EngineOptions};
use crate::runtime::Readiness;
use crate::store::{EmbeddedOptions, EmbeddedStore, MemoryStore, RecoveryProgress, Store};

use super::teller::Teller;

/// Longest time for which writes may be gathered.
const MAX_GATHER: Duration = Duration::from_secs(10);

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

    /// What kind of store it is, in one word.
    pub(super) fn kind(&self) -> &'static str {
        match &self.data_dir {
            Some(_) => "embedded",
            None => "memory",
        }
    }

    /// The store of the directory, and the engine that is read back from it; without a directory, empty
    /// ones in memory, at once.
    pub(super) async fn open(
        &self,
        rules: EngineOptions,
        readiness: &Readiness,
    ) -> anyhow::Result<(Box<dyn Store>, Engine)> {
        let Some(directory) = self.data_dir.clone() else {
            info!("state is in memory, and ends with this process (--data-dir keeps it)");
            let store = MemoryStore::new().context("no randomness to name this history by")?;
            return Ok((Box::new(store), Engine::new(rules)));
        };
        check_is_no_file(&directory)?;
        let options = EmbeddedOptions {
            journal_bytes: self.journal_bytes,
            reserve_bytes: self.disk_reserve,
        };
        let _reading = readiness.guard("reading the data directory");
        let read = move || {
            let mut teller = Teller::new();
            let tell = &mut |progress| tell(&mut teller, progress);
            EmbeddedStore::open(&directory, rules, options, tell)
        };
        let (store, engine) = tokio::task::spawn_blocking(read)
            .await
            .context("reading the data directory panicked")?
            .context("cannot serve the data directory")?;
        Ok((Box::new(store), engine))
    }
}

/// Refuses the name of a file.
pub(super) fn check_is_no_file(directory: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(
        !directory.is_file(),
        "{} is a file, not a directory: name a directory (--data-dir)",
        directory.display()
    );
    Ok(())
}

fn tell(teller: &mut Teller, progress: RecoveryProgress) {
    match progress {
        RecoveryProgress::Objects { done, of } => teller.tell("reading objects", done, Some(of)),
        RecoveryProgress::Records { done, of } => teller.tell("reading positions", done, Some(of)),
        RecoveryProgress::Journal { done } => teller.tell("applying the journal", done, None),
        RecoveryProgress::Done { revision } => {
            let seconds = teller.finish();
            info!(revision, seconds, "the data directory is read");
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
