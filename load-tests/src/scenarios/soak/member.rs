use std::time::Duration;

use selectord::client::{Client, Resume, WatchOptions, Watcher};
use selectord::engine::{Scope, View};
use selectord::model::Revision;
use tokio::sync::watch;

/// How a subscriber behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temper {
    /// It reads on and on.
    Steady,
    /// Now and then it reads nothing for seconds.
    Stalling,
    /// Now and then its connection is cut off, and it goes on from its cursor.
    CutOff,
}

impl Temper {
    /// Of the `number`-th.
    pub fn of(number: usize) -> Temper {
        match number % 3 {
            0 => Temper::Steady,
            1 => Temper::Stalling,
            _ => Temper::CutOff,
        }
    }
}

/// What a subscriber ends with.
pub struct Ended {
    /// What it watched.
    pub scope: Scope,
    /// What it holds.
    pub view: View,
    /// Differences that it folded.
    pub events: u64,
    /// How often it stalled or was cut off.
    pub mishaps: u64,
}

/// Folds until it is at the revision that it is told in the end. `server` makes a connection of its
/// own.
pub async fn follow(
    server: String,
    scope: Scope,
    temper: Temper,
    seed: u64,
    mut until: watch::Receiver<Option<Revision>>,
) -> anyhow::Result<Ended> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut watcher = subscribe(&server, &scope, None).await?;
    let (mut events, mut mishaps) = (0, 0);
    let mut at = 0;
    loop {
        let asked = *until.borrow_and_update();
        if asked.is_some_and(|until| at >= until) {
            return Ok(Ended {
                view: watcher.view().clone(),
                scope,
                events,
                mishaps,
            });
        }
        // At the end nobody misbehaves any more.
        let spell = Duration::from_millis(random.u64(500..4_000));
        let calm = tokio::time::sleep(spell);
        tokio::pin!(calm);
        loop {
            tokio::select! {
                cut = watcher.next() => {
                    let cut = cut?;
                    events += cut.events.len() as u64;
                    at = cut.revision;
                    if asked.is_some_and(|until| at >= until) {
                        break;
                    }
                }
                changed = until.changed() => {
                    changed?;
                    break;
                }
                () = &mut calm, if asked.is_none() => {
                    match temper {
                        Temper::Steady => {}
                        Temper::Stalling => {
                            mishaps += 1;
                            tokio::time::sleep(spell).await;
                        }
                        Temper::CutOff => {
                            mishaps += 1;
                            let resume = watcher.cursor().cloned().zip(Some(watcher.view().clone()));
                            drop(watcher);
                            watcher = subscribe(&server, &scope, resume).await?;
                        }
                    }
                    break;
                }
            }
        }
    }
}

async fn subscribe(
    server: &str,
    scope: &Scope,
    resume: Option<(selectord::client::Cursor, View)>,
) -> anyhow::Result<Watcher> {
    let client = Client::connect(server).await?;
    let options = WatchOptions {
        name: "soak".to_owned(),
        resume: resume.map_or_else(Resume::default, Resume::from),
        ..WatchOptions::default()
    };
    Ok(client.watch(scope.clone(), options))
}
