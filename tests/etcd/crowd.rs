//! All subscribers of a test.

use std::sync::Arc;

use bytes::Bytes;
use selectord::client::Cursor;
use selectord::engine::{Scope, View};
use selectord::model::Revision;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::library::Follower;
use crate::patience::patiently;
use crate::subscriber::{Doors, Return, Subscriber};
use crate::workload::scope;

/// Of so many subscribers one uses the client library.
const LIBRARY: usize = 20;

/// What subscribers are to do.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Each new one makes some of them move.
    pub round: u64,
    /// So many of 100.
    pub moving: usize,
    /// Where to end: a history, and a revision in it.
    pub goal: Option<(Bytes, Revision)>,
}

impl Order {
    pub fn is_met_by(&self, cursor: Option<&Cursor>) -> bool {
        match (&self.goal, cursor) {
            (Some((epoch, revision)), Some(at)) => at.epoch == *epoch && at.revision >= *revision,
            _ => false,
        }
    }
}

/// The subscribers, while they live.
pub struct Crowd {
    orders: watch::Sender<Order>,
    bare: JoinSet<Subscriber>,
    library: JoinSet<Follower>,
}

/// What a subscriber held in the end.
pub struct Held {
    pub scope: Scope,
    pub view: View,
}

/// The subscribers, when they are through.
pub struct Through {
    pub held: Vec<Held>,
    /// The first snapshot of each, on the bare protocol, and what it was sent each time it came back.
    pub returns: Vec<(Return, Vec<Return>)>,
}

impl Crowd {
    /// So many subscribers, each at a replica of its own choice.
    pub fn start(count: usize, seed: u64, writers: usize, addresses: &[String]) -> Crowd {
        let orders = watch::Sender::new(Order::default());
        let doors = Arc::new(Doors::to(addresses));
        let (mut bare, mut library) = (JoinSet::new(), JoinSet::new());
        for number in 0..count {
            let scope = scope(number, writers);
            if number % LIBRARY == 1 || number % (2 * LIBRARY) == 0 {
                let follower = Follower::new(number, seed, scope, addresses.to_vec());
                library.spawn(follower.live(orders.subscribe()));
            } else {
                let subscriber = Subscriber::new(number, seed, scope);
                let (doors, orders) = (Arc::clone(&doors), orders.subscribe());
                bare.spawn(async move { subscriber.live(&doors, orders).await });
            }
        }
        Crowd {
            orders,
            bare,
            library,
        }
    }

    /// Makes so many of 100 move.
    pub fn stir(&self, moving: usize) {
        self.orders.send_modify(|order| {
            order.round += 1;
            order.moving = moving;
        });
    }

    /// Fails at once if one of them has failed.
    pub fn must_live(&mut self) {
        let bare = self.bare.try_join_next().map(|ended| ended.map(drop));
        let library = self.library.try_join_next().map(|ended| ended.map(drop));
        match bare.or(library) {
            None => {}
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            Some(Ok(())) => panic!("a subscriber ended without being told to"),
        }
    }

    /// Waits until each is at a revision of a history, and ends them.
    pub async fn end_at(mut self, epoch: Bytes, revision: Revision) -> Through {
        self.orders.send_modify(|order| {
            order.round += 1;
            order.moving = 0;
            order.goal = Some((epoch, revision));
        });
        let mut through = Through {
            held: Vec::new(),
            returns: Vec::new(),
        };
        let what = format!("every subscriber at {revision}");
        while let Some(done) = patiently(&what, self.bare.join_next()).await {
            let done = done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            through.held.push(Held {
                scope: done.scope,
                view: done.view,
            });
            through
                .returns
                .push((done.first.unwrap_or_default(), done.returns));
        }
        while let Some(done) = patiently(&what, self.library.join_next()).await {
            let done = done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            through.held.push(Held {
                scope: done.scope,
                view: done.saved.map(|(_, view)| view).unwrap_or_default(),
            });
        }
        through
    }
}
