use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use dashmap::DashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

use crate::model::Revision;
use crate::wire::{self, proto, status};
use proto::list_subscribers_response::Subscriber as Listed;

use super::audience::{Audience, Member};
use super::context::Context;

/// Most subscribers that one answer lists.
const MAX_LISTED: usize = 1_000;
/// Most bytes of a scope's words that are kept to be listed.
const MAX_SCOPE: usize = 1_024;

/// Who is subscribed now, and how far each has come. Touched by every stream's own task.
#[derive(Debug)]
pub(super) struct Subscribers {
    entries: DashMap<u64, Entry>,
    next_id: AtomicU64,
    places: Arc<Semaphore>,
    limit: usize,
}

#[derive(Debug)]
struct Entry {
    name: String,
    peer: String,
    scope: String,
    applied: Revision,
    since: SystemTime,
    /// Its place in the audience; none until it has said what it watches.
    member: Option<Arc<Member>>,
}

impl Subscribers {
    /// None yet, and at most `limit` at one time.
    pub(super) fn new(limit: usize) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Subscribers {
            entries: DashMap::new(),
            next_id: AtomicU64::new(1),
            places: Arc::new(Semaphore::new(limit)),
            limit,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The first behind an id, by id, and the id behind which the next are; 0 if there are none. Who has
    /// applied the revision `newest` is not behind.
    pub(super) fn list(
        &self,
        audience: &Audience,
        newest: Revision,
        after_id: u64,
    ) -> (Vec<Listed>, u64) {
        let mut ids: Vec<u64> = self
            .entries
            .iter()
            .map(|entry| *entry.key())
            .filter(|id| *id > after_id)
            .collect();
        ids.sort_unstable();
        let more = ids.len() > MAX_LISTED;
        ids.truncate(MAX_LISTED);
        let next = ids.last().copied().filter(|_| more).unwrap_or_default();
        // Who has left meanwhile is not listed.
        let listed = ids
            .into_iter()
            .filter_map(|id| Some(self.entries.get(&id)?.listed(id, audience, newest)))
            .collect();
        (listed, next)
    }
}

/// The beginning of a scope's words.
fn shortened(mut scope: String) -> String {
    if scope.len() > MAX_SCOPE {
        let end = (0..=MAX_SCOPE)
            .rev()
            .find(|end| scope.is_char_boundary(*end))
            .unwrap_or_default();
        scope.truncate(end);
        scope.push('…');
    }
    scope
}

impl Entry {
    fn listed(&self, id: u64, audience: &Audience, newest: Revision) -> Listed {
        let member = self.member.as_ref();
        // Who has applied the newest waits at most for a word that nothing changed.
        let behind = member
            .filter(|_| self.applied < newest)
            .map(|member| audience.waited(member));
        Listed {
            id,
            name: self.name.clone(),
            peer: self.peer.clone(),
            scope: self.scope.clone(),
            sent_revision: member.map_or(0, |member| member.sent()),
            applied_revision: self.applied,
            since: Some(wire::encode_time(self.since)),
            behind: Some(wire::encode_duration(behind.unwrap_or_default())),
            wakes: member.map_or(0, |member| member.wakes()),
        }
    }
}

/// A place among the subscribers; dropping it gives it up.
#[derive(Debug)]
pub(super) struct Subscription {
    context: Arc<Context>,
    id: u64,
    _place: OwnedSemaphorePermit,
}

impl Subscription {
    /// Takes a place, if there is one.
    pub(super) fn new(
        context: &Arc<Context>,
        name: String,
        peer: String,
        scope: String,
    ) -> Result<Self, Status> {
        let subscribers = &context.subscribers;
        let place = Arc::clone(&subscribers.places)
            .try_acquire_owned()
            .map_err(|_| {
                let detail = format!(
                    "at most {} streams may be open: try another replica",
                    subscribers.limit
                );
                status::limit_exceeded("max_subscribers", detail)
            })?;
        let id = subscribers.next_id.fetch_add(1, Ordering::Relaxed);
        let entry = Entry {
            name,
            peer,
            scope: shortened(scope),
            applied: 0,
            since: SystemTime::now(),
            member: None,
        };
        subscribers.entries.insert(id, entry);
        Ok(Subscription {
            context: Arc::clone(context),
            id,
            _place: place,
        })
    }

    /// It watches something else now.
    pub(super) fn rescoped(&self, name: String, scope: String) {
        self.change(|entry| {
            entry.name = name;
            entry.scope = shortened(scope);
        });
    }

    /// Its place in the audience from now on.
    pub(super) fn seated(&self, member: &Arc<Member>) {
        self.change(|entry| entry.member = Some(Arc::clone(member)));
    }

    /// It says what it has applied.
    pub(super) fn applied(&self, revision: Revision) {
        self.change(|entry| entry.applied = entry.applied.max(revision));
    }

    fn change(&self, change: impl FnOnce(&mut Entry)) {
        if let Some(mut entry) = self.context.subscribers.entries.get_mut(&self.id) {
            change(&mut entry);
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.context.subscribers.entries.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::Scope;
    use crate::server::listeners::Interest;

    #[test]
    fn who_has_applied_the_newest_is_not_behind() {
        let audience = Arc::new(Audience::new(Duration::from_secs(5)));
        // Whoever joins has yet to be told something.
        let seat = audience.join(Interest::Endpoints(Arc::new(Scope::all())));
        let entry = Entry {
            name: String::new(),
            peer: String::new(),
            scope: String::new(),
            applied: 7,
            since: SystemTime::now(),
            member: Some(Arc::clone(seat.member())),
        };
        let behind = |newest| entry.listed(1, &audience, newest).behind.unwrap();
        let nothing = wire::encode_duration(Duration::ZERO);
        while behind(8) == nothing {
            std::thread::yield_now();
        }
        assert_eq!(behind(7), nothing);
    }
}
