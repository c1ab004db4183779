//! How far something long is, on a terminal or else in the log.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing::info;

/// So often a log says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// Tells a terminal, or else the log.
pub(super) struct Teller {
    bar: Option<ProgressBar>,
    began: Instant,
    told: Instant,
}

impl Teller {
    pub(super) fn new() -> Teller {
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

    /// So much is done of something, perhaps of so much.
    pub(super) fn tell(&mut self, what: &'static str, done: u64, of: Option<u64>) {
        if let Some(bar) = &self.bar {
            bar.set_message(what);
            bar.set_length(of.unwrap_or(done));
            bar.set_position(done);
        } else if self.told.elapsed() >= TELL_EVERY {
            self.told = Instant::now();
            info!(done, of, "{what}");
        }
    }

    /// All of it is done; answers how many seconds it took.
    pub(super) fn finish(&mut self) -> String {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        format!("{:.2}", self.began.elapsed().as_secs_f64())
    }
}
