use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use selectord_corpus::{Corpus, Spec};

use crate::args::Args;

/// What every scenario is given: the cluster, and how thoroughly to measure.
pub struct Context {
    /// The command line.
    pub args: Args,
    /// The seeded cluster.
    pub corpus: Corpus,
    /// Where the report goes; it exists.
    pub out: PathBuf,
}

impl Context {
    /// Lays out the cluster and makes the report's directory.
    pub fn new(args: Args) -> anyhow::Result<Context> {
        let out = args.out.clone().unwrap_or_else(|| {
            PathBuf::from(format!("target/load-tests/{}-{}", args.scenario, args.size))
        });
        std::fs::create_dir_all(&out)?;
        let corpus = Corpus::new(Spec::new(args.size.0).seed(args.seed));
        Ok(Context { args, corpus, out })
    }

    /// How many pods there are.
    pub fn pods(&self) -> u32 {
        self.corpus.spec().pods
    }

    /// `full` runs, or a few with `--quick`.
    pub fn runs(&self, full: usize) -> usize {
        if self.args.quick { full.min(3) } else { full }
    }

    /// How long a timed part over gRPC lasts.
    pub fn duration(&self) -> Duration {
        let default = if self.args.quick { 2.0 } else { 10.0 };
        Duration::from_secs_f64(self.args.seconds.unwrap_or(default).max(0.1))
    }

    /// A bar on standard error; nothing where that is no terminal.
    pub fn progress(&self, what: &'static str, length: u64) -> ProgressBar {
        let style =
            ProgressStyle::with_template("  {msg:<32} {bar:30} {human_pos}/{human_len} {eta}");
        let bar = ProgressBar::new(length).with_message(what);
        match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }
}
