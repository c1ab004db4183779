//! A subscriber that uses the client library, as most will: it is told where to go, and the library does
//! the rest.

use selectord::client::{Cursor, WatchOptions, Watcher};
use selectord::engine::{Scope, View};
use tokio::sync::watch;

use crate::crowd::Order;
use crate::replica::connect;
use crate::support::random::Random;
use crate::workload::must_be_whole;

pub struct Follower {
    pub scope: Scope,
    random: Random,
    addresses: Vec<String>,
    at: usize,
    pub saved: Option<(Cursor, View)>,
}

impl Follower {
    pub fn new(number: usize, seed: u64, scope: Scope, addresses: Vec<String>) -> Follower {
        Follower {
            scope,
            random: Random::new(seed * 100_000 + 50_000 + number as u64),
            addresses,
            at: number,
            saved: None,
        }
    }

    /// Follows one replica after another. Ends where the orders say.
    pub async fn live(mut self, mut orders: watch::Receiver<Order>) -> Follower {
        let mut round = orders.borrow_and_update().round;
        loop {
            let mut watcher = self.start().await;
            loop {
                tokio::select! {
                    cut = watcher.next() => {
                        let cut = cut.expect("nothing is refused for good");
                        self.keep(&watcher, cut.cursor);
                    }
                    changed = orders.changed() => changed.expect("the test goes on"),
                }
                let order = orders.borrow_and_update().clone();
                if order.is_met_by(self.saved.as_ref().map(|(cursor, _)| cursor)) {
                    return self;
                }
                if order.round != round {
                    round = order.round;
                    if self.random.chance(order.moving) {
                        self.at += self.random.between(1, 2);
                        break;
                    }
                }
            }
        }
    }

    async fn start(&self) -> Watcher {
        let address = &self.addresses[self.at % self.addresses.len()];
        let options = WatchOptions {
            resume: self.saved.clone().map(Into::into).unwrap_or_default(),
            ..WatchOptions::default()
        };
        connect(address).await.watch(self.scope.clone(), options)
    }

    fn keep(&mut self, watcher: &Watcher, cursor: Cursor) {
        must_be_whole(watcher.view(), &format!("a client of {}", self.scope));
        if let Some((before, _)) = &self.saved
            && before.epoch == cursor.epoch
        {
            let (was, is) = (before.revision, cursor.revision);
            assert!(
                is >= was,
                "{} was taken back from {was} to {is}",
                self.scope
            );
        }
        self.saved = Some((cursor, watcher.view().clone()));
    }
}
