use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::engine::Scope;
use crate::model::Revision;
use crate::wire::MessageWriter;

use super::head::Head;
use super::stretch::Stretch;
use super::telling::{Behind, Place};

/// The newest stretches of history, for all who watch: read off the engine's thread.
#[derive(Debug)]
pub struct Ring {
    held: RwLock<Held>,
    max_bytes: usize,
    /// Who is farther behind than this is told the same by the log, merged.
    merged: usize,
}

#[derive(Debug, Default)]
struct Held {
    oldest_first: VecDeque<Arc<Stretch>>,
    bytes: usize,
    head: Head,
}

/// Since when there may be something for one subscriber.
#[derive(Debug)]
pub struct Concern(AtomicU64);

/// Nothing.
const NONE: u64 = u64::MAX;

impl Default for Concern {
    /// Of a subscriber of whom nothing is known: always.
    fn default() -> Self {
        Concern(AtomicU64::new(0))
    }
}

impl Concern {
    /// Whether there may be something.
    pub fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) != NONE
    }

    /// Notes that all there was is looked at now.
    pub fn clear(&self) {
        self.0.store(NONE, Ordering::Relaxed);
    }

    fn since(&self, revision: Revision) {
        self.0.fetch_min(revision, Ordering::Relaxed);
    }
}

/// Where a subscriber is in the ring.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RingPosition {
    /// Everything up to here was told.
    pub revision: Revision,
    /// Of the stretch that ends there, so much was told as well.
    within: Option<(Revision, Place)>,
}

impl RingPosition {
    /// Everything up to a revision was told.
    pub fn at(revision: Revision) -> RingPosition {
        RingPosition {
            revision,
            within: None,
        }
    }
}

/// How far telling from the ring came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// A message is full: take it, and go on.
    Full,
    /// Everything up to the ring's head, which is given, was told.
    Head(Head),
    /// The log has to be read from the position's revision on.
    Behind,
}

impl Ring {
    /// Empty, at a head. Lets the oldest go beyond `max_bytes`; who is more than `merged` bytes
    /// behind is sent to the log, unless its scope is a list of services.
    pub fn new(head: Head, max_bytes: usize, merged: usize) -> Ring {
        let held = Held {
            head,
            ..Held::default()
        };
        Ring {
            held: RwLock::new(held),
            max_bytes,
            merged,
        }
    }

    /// The newest state that subscribers are told of.
    pub fn head(&self) -> Head {
        self.read().head
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.read().bytes
    }

    /// Whether a stretch begins where the last one ended. If not, something between was let go, and
    /// everybody is concerned.
    pub fn is_followed_by(&self, stretch: &Stretch) -> bool {
        self.read().head.revision == stretch.from
    }

    /// Adds the newest stretch, and notes whom it concerns. The ring of one server has one who adds.
    pub fn push<'c>(
        &self,
        stretch: Arc<Stretch>,
        concerned: impl IntoIterator<Item = &'c Concern>,
    ) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let since = held.head.revision;
        if since != stretch.from {
            held.oldest_first.clear();
            held.bytes = 0;
        }
        for concern in concerned {
            concern.since(since);
        }
        held.head = Head {
            revision: stretch.to,
            commit_time: stretch.commit_time,
        };
        if stretch.from == stretch.to {
            return;
        }
        held.bytes = held.bytes.saturating_add(stretch.size());
        held.oldest_first.push_back(stretch);
        while held.bytes > self.max_bytes {
            let Some(oldest) = held.oldest_first.pop_front() else {
                break;
            };
            held.bytes = held.bytes.saturating_sub(oldest.size());
        }
    }

    /// Writes what a scope is told behind a position, until a message is full or the ring's head is
    /// reached, and moves the position there. Only the subscriber whose `concern` this is may call it.
    pub fn tell(
        &self,
        scope: &Scope,
        position: &mut RingPosition,
        concern: &Concern,
        out: &mut MessageWriter,
    ) -> Told {
        loop {
            let (stretch, mut place) = match self.next(scope, position, concern) {
                Next::Stretch(stretch, place) => (stretch, place),
                Next::Level(head) => return Told::Head(head),
                Next::Behind => {
                    position.within = None;
                    return Told::Behind;
                }
            };
            match stretch.tell(scope, &mut place, out) {
                Ok(true) => *position = RingPosition::at(stretch.to),
                Ok(false) => {
                    position.within = Some((stretch.to, place));
                    return Told::Full;
                }
                Err(Behind) => {
                    position.within = None;
                    return Told::Behind;
                }
            }
        }
    }

    fn next(&self, scope: &Scope, position: &mut RingPosition, concern: &Concern) -> Next {
        // Concerns are noted under the same lock as stretches are added: what is seen of both belongs
        // together.
        let held = self.read();
        let head = held.head;
        if position.within.is_none() {
            let since = concern.0.load(Ordering::Relaxed);
            // What lies before is of no concern.
            position.revision = position.revision.max(since.min(head.revision));
            if position.revision >= head.revision {
                concern.clear();
                return Next::Level(head);
            }
        }
        let at = held
            .oldest_first
            .partition_point(|stretch| stretch.to <= position.revision);
        let Some(stretch) = held.oldest_first.get(at) else {
            return Next::Behind;
        };
        let place = match position.within {
            Some((to, place)) if to == stretch.to => Some(place),
            Some(_) => None,
            None => stretch.place(position.revision),
        };
        let Some(place) = place else {
            return Next::Behind;
        };
        let named = matches!(scope, Scope::Services(services) if !services.names.is_empty());
        let last = at.saturating_add(1) == held.oldest_first.len();
        if !named && !last && position.within.is_none() {
            let ahead = held.oldest_first.iter().skip(at);
            if ahead.map(|stretch| stretch.size()).sum::<usize>() > self.merged {
                return Next::Behind;
            }
        }
        Next::Stretch(Arc::clone(stretch), place)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Next {
    Stretch(Arc<Stretch>, Place),
    Level(Head),
    Behind,
}
