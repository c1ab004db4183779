//! Waiting for what has to come. Nothing here decides by how long something took; what does not come
//! at all fails the test.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// Long past what anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks at something that does not tell by itself.
const PAUSE: Duration = Duration::from_millis(40);

/// The answer, unless it takes so long that it will not come.
pub async fn patiently<T>(what: &str, answer: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer,
        Err(_) => panic!("{what}: it did not come"),
    }
}

/// For as long as something is looked for again and again.
pub struct Patience(Instant);

impl Patience {
    pub fn begin() -> Patience {
        Patience(Instant::now() + PATIENCE)
    }

    /// Rests before the next attempt; fails when there were enough.
    pub async fn bear(&self, what: &str, why: impl Display) {
        let left = Instant::now() < self.0;
        assert!(left, "{what}: it did not come: {why}");
        rest().await;
    }
}

/// Looks again and again, until there is something or what keeps it from being there is final.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let patience = Patience::begin();
    loop {
        match patiently(what, look()).await {
            Ok(found) => return found,
            Err(why) => patience.bear(what, why).await,
        }
    }
}

/// Before the next attempt, so that trying does not keep others from working.
pub async fn rest() {
    tokio::time::sleep(PAUSE).await;
}
