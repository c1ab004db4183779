//! Answers that may be old: said once, on standard error.

use std::sync::Once;
use std::time::Duration;

use crate::client::At;

/// From this age on it is worth a word. A server that shares a store hears of it about every second.
const OLD: Duration = Duration::from_secs(5);

/// Warns of an answer whose server has not heard of its source of truth for long.
pub(super) fn warn(age: Duration) {
    static SAID: Once = Once::new();
    if age > OLD {
        SAID.call_once(|| {
            eprintln!(
                "warning: the server last heard of its store {} ago: what it shows may be that old",
                short(age)
            );
        });
    }
}

/// The answer itself, after a warning if it is old.
pub(super) fn fresh<T>(at: At<T>) -> T {
    warn(at.source_age);
    at.answer
}

/// A length of time as kubectl shows ages: `950ms`, `42s`, `5m10s`, `3h2m`, `4d3h`.
pub(super) fn short(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{}ms", time.as_millis()),
        1..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m{}s", seconds / 60, seconds % 60),
        7_200..172_800 => format!("{}h{}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short() {
        for (seconds, text) in [
            (0, "0ms"),
            (42, "42s"),
            (310, "5m10s"),
            (10_920, "3h2m"),
            (356_400, "4d3h"),
        ] {
            assert_eq!(short(Duration::from_secs(seconds)), text);
        }
    }
}
