//! The writer's order where others write to the same store: resolve against what is applied here, submit
//! on condition that nothing of it has changed, and acknowledge once it has come back and is applied.
//!
//! What comes back, ours and others', is applied in the store's order, which is the same everywhere.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::pending;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::{error, info, warn};

use crate::engine::{Applied, ApplyError, ListingError, Replicated, ResolveLimits, Work};
use crate::model::{ObjectRef, Revision};
use crate::store::etcd::{Contact, Follow, Followed, Listing, Placed, SubmitError, Submitted};

use super::command::{Commit, Committed};
use super::error::{CommitError, SourceEnd};
use super::line::{Line, Resolved, Stage};
use super::recent::Recent;
use super::shared::Shared;
use super::state::State;
use super::sync::{SyncId, SyncScope};
use super::writer::{GROUP, answer};

/// How often deadlines are looked at while writes are on their way.
const TICK: Duration = Duration::from_millis(100);

/// What a replica begins with beside the engine.
#[derive(Debug, Clone)]
pub struct Listed {
    /// How far the store was.
    pub contact: Contact,
    /// What was written under request ids lastly.
    pub requests: Vec<Placed>,
}

impl Listed {
    /// What a listing has of it, which is taken from it.
    pub fn of(listing: &mut Listing) -> Listed {
        Listed {
            contact: listing.contact(),
            requests: listing.take_requests(),
        }
    }
}

/// A number in the line, and what became of it.
pub(super) type Outcome = (u64, Result<Submitted, SubmitError>);

/// Writes to a store that others write to as well, and applies what all of them write.
pub(super) struct Replica {
    pub(super) shared: Shared,
    follow: Follow,
    /// What [`Replica::news`] took from the follower.
    told: Option<Followed>,
    /// Where calls to the store run: not on the engine's thread.
    pub(super) tasks: Handle,
    outcomes: UnboundedReceiver<Outcome>,
    /// For those calls; there are no more answers under way than writes in the line.
    pub(super) outcome: UnboundedSender<Outcome>,
    first: Option<Outcome>,
    pub(super) line: Line,
    /// A sync begins or ends, and waits until nothing is on its way.
    held: bool,
    pub(super) recent: Recent,
    /// The revisions that wrote the places of request ids last.
    pub(super) places: HashMap<u16, Revision>,
    pub(super) limits: ResolveLimits,
    /// How long a write may take.
    pub(super) patience: Duration,
    /// A word of the store on how far it is, until everything up to there is applied.
    contact: Option<Contact>,
    /// It does not go on at present.
    lost: bool,
}

impl Replica {
    /// Follows what is written behind a listing.
    pub(super) fn new(
        shared: Shared,
        listed: Listed,
        limits: ResolveLimits,
        tasks: Handle,
    ) -> Replica {
        let (outcome, outcomes) = unbounded_channel();
        let mut replica = Replica {
            follow: shared.store.follow(listed.contact.revision),
            patience: shared.store.options().timeout,
            shared,
            told: None,
            tasks,
            outcomes,
            outcome,
            first: None,
            line: Line::default(),
            held: false,
            recent: Recent::default(),
            places: HashMap::new(),
            limits,
            contact: None,
            lost: false,
        };
        replica.learn_all(listed.requests);
        replica
    }

    /// Remembers what was written under a request id, here or elsewhere.
    fn learn(&mut self, (place, request): Placed) {
        let Some(request) = request else {
            self.places.remove(&place);
            return;
        };
        self.places.insert(place, request.revision);
        let answer = Committed {
            revision: request.revision,
            resolved_at: request.resolved_at,
            results: [].into(),
        };
        self.recent
            .learn(request.request_id, request.digest, answer);
    }

    /// The same of everything there is.
    fn learn_all(&mut self, mut requests: Vec<Placed>) {
        self.places.clear();
        requests.sort_by_key(|(_, request)| request.as_ref().map(|it| it.revision));
        requests.into_iter().for_each(|it| self.learn(it));
    }

    /// Whether a write is on its way.
    pub(super) fn is_busy(&self) -> bool {
        !self.line.is_empty()
    }

    /// Whether something that was written waits to be applied, and will be.
    pub(super) fn is_behind(&self) -> bool {
        let waits = self.told.is_some() || !self.follow.is_empty();
        waits && self.shared.source.ended().is_none()
    }

    /// Whether another write may be taken in.
    pub(super) fn takes_writes(&self) -> bool {
        self.line.has_room() && !self.held
    }

    /// Takes in no more until nothing is on its way.
    pub(super) fn hold(&mut self) {
        self.held = true;
    }

    /// Whether the store is another one now: then nothing that is held here is true of it.
    pub(super) fn is_over(&self) -> bool {
        (self.shared.source.ended()).is_some_and(SourceEnd::is_other_history)
    }

    /// Waits until there is something to do. Dropped before it ends, it loses nothing.
    pub(super) async fn news(&mut self) {
        if self.told.is_some() || self.first.is_some() {
            return;
        }
        let followed = async {
            if self.shared.source.ended().is_some() {
                pending::<()>().await;
            }
            match self.follow.next().await {
                Some(told) => told,
                // It ends with a reason, which was told before.
                None => pending().await,
            }
        };
        let tick = async {
            match self.line.is_empty() {
                true => pending().await,
                false => tokio::time::sleep(TICK).await,
            }
        };
        tokio::select! {
            told = followed => self.told = Some(told),
            Some(outcome) = self.outcomes.recv() => self.first = Some(outcome),
            () = tick => {}
        }
    }

    /// Takes a write in, unless it can be answered at once.
    pub(super) fn enqueue(&mut self, commit: Commit) {
        if !commit.request_id.is_empty() {
            if let Some(same) = self.line.repeated(&commit.request_id) {
                if same.digest == commit.digest {
                    same.replies.push(commit.reply);
                } else {
                    let request_id = commit.request_id;
                    answer(
                        commit.reply,
                        Err(CommitError::RequestIdReused { request_id }),
                    );
                }
                return;
            }
            match self.recent.get(&commit.request_id, commit.digest) {
                Ok(None) => {}
                Ok(Some(before)) if before.revision <= self.shared.source.current() => {
                    return answer(commit.reply, Ok(before.clone()));
                }
                // It was written, and has not come back yet.
                Ok(Some(before)) => {
                    let stage = Stage::Written(before.revision, Resolved::of(before));
                    return self.line.push(commit, self.deadline(), stage);
                }
                Err(reused) => return answer(commit.reply, Err(reused)),
            }
        }
        self.line.push(commit, self.deadline(), Stage::Waiting);
    }

    /// By when a write that comes now is answered.
    fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.patience).unwrap_or(now)
    }

    /// Applies what has come, up to a group, and moves on what is on its way; whether there was anything.
    pub(super) fn turn(&mut self, state: &mut State) -> bool {
        let applied = self.apply(state);
        let mut heard = false;
        while let Some((number, outcome)) =
            (self.first.take()).or_else(|| self.outcomes.try_recv().ok())
        {
            heard = true;
            self.hear(state, number, outcome);
        }
        let expired = self.expire();
        let started = self.start_ready(state);
        self.held &= !self.line.is_empty();
        applied || heard || expired || started
    }

    /// Applies some of what was written, here or elsewhere, and moves the head.
    fn apply(&mut self, state: &mut State) -> bool {
        let (mut transactions, mut work, mut objects, mut heard) =
            (0u64, Work::default(), 0, false);
        while objects < GROUP
            && self.shared.source.ended().is_none()
            && let Some(told) = (self.told.take()).or_else(|| self.follow.try_next())
        {
            heard = true;
            let applied = match told {
                Followed::Transaction {
                    revision,
                    changes,
                    requests,
                } => {
                    requests.into_iter().for_each(|it| self.learn(it));
                    objects = objects.saturating_add(changes.len().max(1));
                    state.changes(changes.iter().map(Replicated::object_ref));
                    let applied = state.engine.apply_replicated(revision, changes);
                    applied.map_err(|failed| failed.to_string())
                }
                Followed::Listed(mut listing) => {
                    self.learn_all(listing.take_requests());
                    info!(
                        revision = listing.revision(),
                        "what there was to follow in etcd is compacted: everything was listed anew"
                    );
                    objects = GROUP;
                    state.saves.break_off();
                    match listing.apply_to(&mut state.engine) {
                        // What was applied cannot be newer than all there is, unless that went back.
                        Err(
                            other @ (ListingError::OtherHistory { .. }
                            | ListingError::Apply(ApplyError::Stale { .. })),
                        ) => {
                            self.renounce(other.to_string());
                            continue;
                        }
                        applied => applied.map_err(|failed| failed.to_string()),
                    }
                }
                Followed::Contact(contact) => {
                    if std::mem::take(&mut self.lost) {
                        info!("etcd is followed again");
                    }
                    // One that is waited for is not given up for a later one: where there is always
                    // something new, none would ever be reached.
                    if contact.ours <= state.engine.head() {
                        self.contact = Some(contact);
                    } else {
                        self.contact.get_or_insert(contact);
                    }
                    continue;
                }
                Followed::Lost(why) => {
                    self.lost = true;
                    warn!(%why, "etcd is not followed at present: what was applied from it is served, and its age is told");
                    continue;
                }
                Followed::Ended(why) => {
                    self.end(SourceEnd::Store(why));
                    continue;
                }
            };
            match applied {
                Ok(Applied { work: done }) => {
                    transactions = transactions.saturating_add(1);
                    work += done;
                }
                Err(what) => self.end(SourceEnd::Unappliable { what }),
            }
        }
        if transactions > 0 {
            state.publish(transactions, work);
        }
        let head = state.engine.head();
        self.shared.source.applied(head);
        if let Some(contact) = self.contact.take_if(|contact| contact.ours <= head) {
            self.shared.source.applied(contact.revision);
            self.shared.source.heard(contact.at);
        }
        if transactions > 0 {
            self.acknowledge(head);
        }
        heard
    }

    /// What is served stays as it is, and takes no writes.
    fn end(&mut self, why: SourceEnd) {
        error!(%why, "etcd cannot be followed any more");
        self.shared.source.end(why);
    }

    /// The store holds another history under the same id: it gets an id of its own, so that no cursor of
    /// the one that is gone is believed. Until it has, what was applied is served.
    fn renounce(&mut self, how: String) {
        let _tasks = self.tasks.enter();
        self.follow = self.shared.store.renounce(how);
    }

    /// What a sync did not mention, with the revisions that wrote it. Linear in all objects.
    pub(super) fn unmentioned(
        &self,
        state: &State,
        sync: &SyncId,
        scope: &SyncScope,
        mentioned: &HashSet<ObjectRef>,
    ) -> Result<Vec<(ObjectRef, Revision)>, CommitError> {
        state.syncs.check(sync)?;
        let engine = &state.engine;
        let kinds: &BTreeSet<_> = &scope.kinds;
        let is_mentioned = |object: &ObjectRef| mentioned.contains(object);
        let gone = engine.unmentioned(
            sync.source(),
            kinds,
            &scope.namespaces,
            scope.began,
            &is_mentioned,
        );
        let with_revision = |object: ObjectRef| {
            let revision = engine.revision_of(&object)?;
            Some((object, revision))
        };
        Ok(gone.into_iter().filter_map(with_revision).collect())
    }
}
