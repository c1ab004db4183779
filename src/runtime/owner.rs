//! The loop of the thread that owns the engine: a group of writes, some queries, some pieces of
//! catch-up, and again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;

use crate::engine::{LiveQueryId, Namespaces};
use crate::selector::Selector;

use super::command::{Ending, Read, Release, Write};
use super::committer::Committer;
use super::error::LiveQueryError;
use super::live_query::LiveQuery;
use super::share::Share;
use super::state::State;
use super::write_queue::WriteQueue;
use super::writer::GROUP;

/// Most pieces of catch-up told between two groups of writes.
const PIECES_A_TURN: usize = 64;

pub(super) struct Owner {
    pub(super) state: State,
    pub(super) committer: Committer,
    pub(super) writes: WriteQueue,
    pub(super) queries: Receiver<Read>,
    pub(super) catch_ups: Receiver<Read>,
    pub(super) releases: UnboundedReceiver<Release>,
    /// For the guards that are handed out.
    pub(super) release: UnboundedSender<Release>,
    pub(super) drain: CancellationToken,
    pub(super) max_live_queries: usize,
    pub(super) max_live_query_members: u64,
    pub(super) live_queries: HashMap<LiveQueryId, OpenQuery>,
    /// What [`Owner::wait`] took from a queue of reads to see that it is not empty.
    pub(super) first: First,
    pub(super) share: Share,
    /// For so long writes are gathered.
    pub(super) gather: Duration,
}

/// A live query that is open.
pub(super) struct OpenQuery {
    selector: Selector,
    namespaces: Namespaces,
    /// How often.
    users: usize,
}

#[derive(Default)]
pub(super) struct First {
    query: Option<Read>,
    catch_up: Option<Read>,
}

impl Owner {
    /// Works until every handle is dropped, or until the drain is asked for and what waited then is
    /// done; or until what is held here is true of nothing any more.
    pub(super) async fn run(mut self) {
        while self.wait().await {
            self.turn();
            if self.committer.is_over() {
                return self.committer.abandon();
            }
        }
        self.writes.close();
        self.queries.close();
        self.catch_ups.close();
        while self.turn() {}
        while self.committer.is_busy() && !self.committer.is_over() {
            self.committer.news().await;
            while self.turn() {}
        }
        self.committer.abandon();
    }

    /// Waits for something to do; false once there will be no more.
    async fn wait(&mut self) -> bool {
        if self.first.catch_up.is_some() {
            return true;
        }
        tokio::select! {
            biased;
            () = self.drain.cancelled() => return false,
            release = self.releases.recv() => {
                if let Some(release) = release {
                    self.release(release);
                }
            }
            more = self.writes.ready(), if self.committer.takes_writes() => {
                if more {
                    self.gather().await;
                }
                return more;
            }
            () = self.committer.news() => {}
            Some(query) = self.queries.recv() => self.first.query = Some(query),
            Some(catch_up) = self.catch_ups.recv() => self.first.catch_up = Some(catch_up),
        }
        true
    }

    /// Waits for more writes, which are then made durable together, and answers whoever asks meanwhile.
    async fn gather(&mut self) {
        if self.gather.is_zero() {
            return;
        }
        let end = tokio::time::sleep(self.gather);
        tokio::pin!(end);
        while self.writes.taken() < GROUP {
            tokio::select! {
                biased;
                () = self.drain.cancelled() => return,
                () = &mut end => return,
                another = self.writes.take_another() => if !another {
                    return;
                },
                Some(read) = self.queries.recv() => read(&self.state.engine),
                Some(piece) = self.catch_ups.recv() => piece(&self.state.engine),
            }
        }
    }

    /// Does a bounded part of what waits; whether there was anything.
    fn turn(&mut self) -> bool {
        while let Ok(release) = self.releases.try_recv() {
            self.release(release);
        }
        let started = Instant::now();
        let wrote = self.write();
        self.share.wrote(started.elapsed());
        let answered = self.answer();
        let told = self.catch_up();
        wrote || answered || told
    }

    /// Writes a group, or does what else comes next; whether there was anything.
    fn write(&mut self) -> bool {
        if let Committer::Alone(_) = self.committer {
            let next = self.writes.next();
            return next.map(|write| self.take(write)).is_some();
        }
        let mut took = 0;
        while took < GROUP && self.take_in() {
            took += 1;
        }
        match &mut self.committer {
            Committer::Shared(replica) => replica.turn(&mut self.state) || took > 0,
            Committer::Alone(_) => false,
        }
    }

    /// Hands the next write to a store that is shared; false if there is none that it takes now.
    fn take_in(&mut self) -> bool {
        if !self.committer.takes_writes() {
            return false;
        }
        let Some(write) = self.writes.next() else {
            return false;
        };
        // It speaks of the state that those before it left.
        let is_last = matches!(write, Write::BeginSync { .. } | Write::EndSync { .. });
        match &mut self.committer {
            Committer::Shared(replica) if is_last && replica.is_busy() => {
                replica.hold();
                self.writes.put_back(write);
                false
            }
            _ => {
                self.take(write);
                true
            }
        }
    }

    /// Does one of what was asked, or begins to. Callers may have gone away meanwhile: then the guard in
    /// the unsent answer undoes what was done.
    fn take(&mut self, write: Write) {
        match write {
            Write::Commit(commit) => match &mut self.committer {
                Committer::Alone(writer) => {
                    writer.commit(&mut self.state, commit, &mut self.writes);
                }
                Committer::Shared(replica) => replica.enqueue(commit),
            },
            Write::BeginSync { source, reply } => {
                let sync = self.state.syncs.begin(source);
                let _ = reply.send((sync, self.state.engine.head()));
            }
            Write::EndSync {
                sync,
                scope,
                mentioned,
                reply,
            } => {
                let ending = match &mut self.committer {
                    Committer::Alone(writer) => writer
                        .end_sync(&mut self.state, &sync, &scope, &mentioned)
                        .map(Ending::Done),
                    Committer::Shared(replica) => replica
                        .unmentioned(&self.state, &sync, &scope, &mentioned)
                        .map(Ending::Left),
                };
                let _ = reply.send(ending);
            }
            Write::OpenLiveQuery {
                selector,
                namespaces,
                reply,
            } => {
                let _ = reply.send(self.open(selector, namespaces));
            }
        }
    }

    /// Opens a live query. Whether there is room for another is looked at before it is evaluated.
    fn open(
        &mut self,
        selector: Selector,
        namespaces: Namespaces,
    ) -> Result<LiveQuery, LiveQueryError> {
        let is_open = || {
            let mut open = self.live_queries.values();
            open.any(|open| open.selector == selector && open.namespaces == namespaces)
        };
        if !is_open() {
            self.check_room(&selector, &namespaces)?;
        }
        let id = self.state.engine.open_live_query(&selector, &namespaces);
        let open = self.live_queries.entry(id).or_insert(OpenQuery {
            selector,
            namespaces,
            users: 0,
        });
        open.users = open.users.saturating_add(1);
        let changed = self.state.changed.entry(id).or_default().clone();
        Ok(LiveQuery::new(id, changed, self.release.clone()))
    }

    /// Whether a live query that is not open yet may be.
    fn check_room(
        &self,
        selector: &Selector,
        namespaces: &Namespaces,
    ) -> Result<(), LiveQueryError> {
        let limit = self.max_live_queries;
        if self.live_queries.len() >= limit {
            return Err(LiveQueryError::TooMany { limit });
        }
        let engine = &self.state.engine;
        let limit = self.max_live_query_members;
        let open = engine.live_query_members();
        let wanted = engine.count(selector, namespaces);
        if open.saturating_add(wanted) > limit {
            return Err(LiveQueryError::TooManyMembers {
                limit,
                open,
                wanted,
            });
        }
        Ok(())
    }

    fn release(&mut self, release: Release) {
        match release {
            Release::Sync(sync) => self.state.syncs.end(&sync),
            Release::LiveQuery(id) => {
                self.state.engine.close_live_query(id);
                match self.live_queries.get_mut(&id) {
                    Some(open) if open.users > 1 => open.users -= 1,
                    _ => {
                        self.live_queries.remove(&id);
                        self.state.changed.remove(&id);
                    }
                }
            }
        }
    }

    /// Answers all that wait, and none that come meanwhile: there are at most as many as the queue holds.
    fn answer(&mut self) -> bool {
        let first = self.first.query.take();
        let waiting = self.queries.len();
        let answers = first.is_some() || waiting > 0;
        let queue = std::iter::from_fn(|| self.queries.try_recv().ok());
        for query in first.into_iter().chain(queue.take(waiting)) {
            query(&self.state.engine);
        }
        answers
    }

    /// Tells pieces in the order in which they were asked for. Who has one asks for the next
    /// afterwards, so everybody is told in turn. A query waits for no more than one piece.
    fn catch_up(&mut self) -> bool {
        for told in 0..PIECES_A_TURN {
            if self.writes.is_empty() && !self.committer.is_behind() {
                self.share.forgive();
            } else if !self.share.allows() {
                return told > 0;
            }
            if told > 0 && !self.queries.is_empty() {
                self.answer();
            }
            let Some(piece) = self
                .first
                .catch_up
                .take()
                .or_else(|| self.catch_ups.try_recv().ok())
            else {
                return told > 0;
            };
            let started = Instant::now();
            piece(&self.state.engine);
            self.share.told(started.elapsed());
        }
        true
    }
}
