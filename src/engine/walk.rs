use std::sync::Arc;
use std::vec;

use crate::model::{EndpointIdentity, IpFamily, ObjectName, Revision, Sequence};

use super::held::Held;
use super::scope::Scope;

/// Where a subscriber is: all that is kept of it, however slow it is.
///
/// Every record of its scope at or before the position has been told; what changes again moves behind
/// it. Two things may be half done: the first listing, in order of name, and the service that is just
/// being told anew. While a listing is merged with what the subscriber holds, a part of what it offered
/// is kept as well.
#[derive(Debug, Clone)]
pub struct Walk {
    pub(super) scope: Arc<Scope>,
    /// Everything up to here has been told, once the listing is through.
    pub(super) position: Sequence,
    /// Everything up to the end of this revision has been told: the position is to be looked up.
    pub(super) cursor: Option<Revision>,
    pub(super) listing: Option<Listing>,
    pub(super) replacing: Option<Replacing>,
    /// A reset must be told first.
    pub(super) reset: bool,
    /// The subscriber can say what it holds, instead of a reset.
    pub(super) offers: bool,
    /// The last checkpoint it was told.
    pub(super) checkpoint: Option<Revision>,
}

/// A first listing: services whose anchors are at or before the walk's position, by name. Those
/// behind it are told when the log is read from there.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    pub(super) after: Option<ObjectName>,
    pub(super) node_told: bool,
    /// What the subscriber holds, if it was asked.
    pub(super) offered: Option<Offered>,
}

/// A part of what a subscriber holds, in order of name.
#[derive(Debug, Clone, Default)]
pub(super) struct Offered {
    held: vec::IntoIter<Held>,
    /// It was said that something is to be offered.
    asked: bool,
    /// No part follows.
    is_last: bool,
    /// It holds the node that it wants to know of.
    pub(super) own_node: bool,
    /// Parts of the first one's digest that were hashed for it.
    pub(super) parts: usize,
}

impl Offered {
    /// Whether it has yet to be asked for; not any more, then.
    pub(super) fn ask(&mut self) -> bool {
        !std::mem::replace(&mut self.asked, true)
    }

    /// Whether nothing can be merged before more is offered.
    pub(super) fn is_used_up(&self) -> bool {
        !self.is_last && self.first().is_none()
    }

    pub(super) fn first(&self) -> Option<&Held> {
        self.held.as_slice().first()
    }

    pub(super) fn next(&mut self) -> Option<Held> {
        self.parts = 0;
        self.held.next()
    }

    pub(super) fn next_if(&mut self, wanted: impl FnOnce(&Held) -> bool) -> Option<Held> {
        self.first().filter(|held| wanted(held))?;
        self.next()
    }
}

/// A service that is being told anew, with its endpoints up to a position.
#[derive(Debug, Clone)]
pub(super) struct Replacing {
    pub(super) service: ObjectName,
    /// Endpoints at or behind it follow as updates.
    pub(super) bound: Sequence,
    pub(super) next: NextEndpoint,
}

#[derive(Debug, Clone)]
pub(super) enum NextEndpoint {
    /// Of pods with an id from here on; of the first, from this family on.
    Computed(u32, IpFamily),
    /// Hand-made ones behind this identity.
    ManualAfter(Option<EndpointIdentity>),
}

impl Walk {
    /// A walk from the beginning, or from a cursor: the revision of a checkpoint of the same epoch and
    /// scope. A scope that is shared already is not copied.
    pub fn new(scope: impl Into<Arc<Scope>>, cursor: Option<Revision>) -> Walk {
        Walk {
            scope: scope.into(),
            position: Sequence::START,
            cursor,
            listing: None,
            replacing: None,
            reset: cursor.is_none(),
            offers: false,
            checkpoint: cursor,
        }
    }

    /// The same of a subscriber that keeps what it holds: where the cursor is of no use, it is asked for
    /// digests ([`super::Progress::Offer`]), and told what differs.
    pub fn offering(self, offers: bool) -> Walk {
        Walk { offers, ..self }
    }

    /// Whether the subscriber may yet be asked for digests, or for more of them.
    pub fn may_ask(&self) -> bool {
        self.offers
    }

    /// Takes a part of what the subscriber holds, in order of name, behind the parts before it. Only
    /// after [`super::Progress::Offer`], which comes when the part before is used up; else it is dropped.
    pub fn offer(&mut self, held: Vec<Held>, is_last: bool) {
        let offered = (self.listing.as_mut()).and_then(|listing| listing.offered.as_mut());
        if let Some(offered) = offered.filter(|offered| offered.is_used_up()) {
            offered.held = held.into_iter();
            offered.is_last = is_last;
        }
    }

    /// What is walked for.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The last checkpoint that was told, or the cursor it began with.
    pub fn checkpoint(&self) -> Option<Revision> {
        self.checkpoint
    }
}
