//! Waiting for what has to come. Nothing here decides by how long something took; what does not come
//! at all fails the test.

use std::time::{Duration, Instant};

/// Long past what anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at something that does not tell by itself.
const PAUSE: Duration = Duration::from_millis(40);

/// The answer, unless it takes so long that it will not come.
pub async fn patiently<T>(what: &str, answer: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer,
        Err(_) => panic!("{what}: it did not come"),
    }
}

/// Looks again and again, until there is something or what keeps it from being there is final.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        match tokio::time::timeout(PATIENCE, look()).await {
            Ok(Ok(found)) => return found,
            Ok(Err(why)) => assert!(Instant::now() < end, "{what}: it did not come: {why}"),
            Err(_) => panic!("{what}: it did not come"),
        }
        rest().await;
    }
}

/// Before the next attempt, so that trying does not keep others from working.
pub async fn rest() {
    tokio::time::sleep(PAUSE).await;
}
