//! What the thread owns whatever store it writes to, and how a change of it is shown.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::watch;

use crate::engine::{Engine, LiveQueryId, Work};
use crate::model::ObjectRef;

use super::head::{Head, Totals};
use super::live_query::LastChange;
use super::save::Saves;
use super::sync::Syncs;
use super::tail::Tail;

/// Changed by one writer, and read by everybody between its groups.
pub(super) struct State {
    pub(super) engine: Engine,
    pub(super) syncs: Syncs,
    /// Where it is noted when the members of each live query changed last.
    pub(super) changed: HashMap<LiveQueryId, LastChange>,
    published: Published,
    pub(super) saves: Saves,
}

/// What everybody may see without a question to the engine's thread.
pub(super) struct Published {
    pub(super) tail: Arc<Tail>,
    pub(super) head: watch::Sender<Head>,
    pub(super) totals: watch::Sender<Totals>,
}

impl State {
    pub(super) fn new(engine: Engine, published: Published, saves: Saves) -> State {
        State {
            engine,
            syncs: Syncs::default(),
            changed: HashMap::new(),
            published,
            saves,
        }
    }

    /// These objects are about to be changed: those who save and have not come to them keep them.
    pub(super) fn changes(&self, objects: impl IntoIterator<Item = ObjectRef>) {
        self.saves.keep(&self.engine, objects);
    }

    /// So many transactions were applied, with so much work: moves the head to where the engine is.
    pub(super) fn publish(&mut self, transactions: u64, work: Work) {
        let mut totals = *self.published.totals.borrow();
        totals.transactions = totals.transactions.saturating_add(transactions);
        totals.work += work;
        self.published.totals.send_replace(totals);
        // Before the head moves: who sees it move looks here.
        for id in self.engine.take_changed_live_queries() {
            if let Some(changed) = self.changed.get(&id) {
                changed.set(self.engine.head());
            }
        }
        let head = Head {
            revision: self.engine.head(),
            commit_time: Some(SystemTime::now()),
        };
        self.published.tail.append(&self.engine, head.commit_time);
        self.published.head.send_replace(head);
    }
}
