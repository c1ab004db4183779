//! How far something is, on a terminal.

use std::io::IsTerminal as _;
use std::time::Instant;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on a terminal, nothing elsewhere. It is gone when it is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    began: Instant,
}

impl Progress {
    pub(super) fn new() -> Progress {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("{prefix} {bar:32} {msg}");
        Progress {
            bar: match style {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            },
            began: Instant::now(),
        }
    }

    /// What is done now.
    pub(super) fn phase(&mut self, what: &'static str) {
        self.bar.reset();
        self.bar.set_prefix(what);
        self.began = Instant::now();
    }

    /// How many things of it are done, of how many; and how many bytes, where that is known.
    pub(super) fn tell(&self, done: u64, of: u64, things: &str, bytes: Option<u64>) {
        self.bar.set_length(of);
        self.bar.set_position(done);
        let seconds = self.began.elapsed().as_secs_f64().max(0.001);
        let rate = |number: u64| (number as f64 / seconds) as u64;
        let mut text = format!("{done}/{of} {things}, {}/s", rate(done));
        if let Some(bytes) = bytes {
            let (bytes, rate) = (HumanBytes(bytes), HumanBytes(rate(bytes)));
            text.push_str(&format!(", {bytes}, {rate}/s"));
        }
        self.bar.set_message(text);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
