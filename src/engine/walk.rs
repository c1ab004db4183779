use crate::model::{EndpointIdentity, IpFamily, ObjectName, Revision, Sequence};

use super::scope::Scope;

/// Where a subscriber is: all that is kept of it, however slow it is.
///
/// Every record of its scope at or before the position has been told; what changes again moves behind
/// it. Two things may be half done: the first listing, in order of name, and the service that is just
/// being told anew.
#[derive(Debug, Clone)]
pub struct Walk {
    pub(super) scope: Scope,
    /// Everything up to here has been told, once the listing is through.
    pub(super) position: Sequence,
    /// Everything up to the end of this revision has been told: the position is to be looked up.
    pub(super) cursor: Option<Revision>,
    pub(super) listing: Option<Listing>,
    pub(super) replacing: Option<Replacing>,
    /// A reset must be told first.
    pub(super) reset: bool,
    /// The last checkpoint it was told.
    pub(super) checkpoint: Option<Revision>,
    /// Whether the last piece came to that checkpoint. A cursor alone is not enough: its bearer may
    /// have to be told of a reset first.
    pub(super) resting: bool,
}

/// A first listing: services whose anchors are at or before the walk's position, by name. Those
/// behind it are told when the log is read from there.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    pub(super) after: Option<ObjectName>,
    pub(super) node_told: bool,
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
    /// scope.
    pub fn new(scope: Scope, cursor: Option<Revision>) -> Walk {
        Walk {
            scope,
            position: Sequence::START,
            cursor,
            listing: None,
            replacing: None,
            reset: cursor.is_none(),
            checkpoint: cursor,
            resting: false,
        }
    }

    /// What is walked for.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The checkpoint that it has come to, if nothing was read since.
    pub fn resting_at(&self) -> Option<Revision> {
        self.checkpoint.filter(|_| self.resting)
    }

    /// Goes to a later revision without reading what is between: the caller knows that it brings
    /// nothing that could be in scope ([`super::TouchedNames::concern`], of every revision behind
    /// [`Walk::resting_at`] up to that one). Anywhere but at a checkpoint it does nothing.
    pub fn skip_to(&mut self, revision: Revision) {
        let rests = self.resting_at().is_some_and(|at| at <= revision);
        debug_assert!(rests, "what is half told, or later, cannot be skipped");
        if rests {
            self.cursor = Some(revision);
            self.checkpoint = Some(revision);
        }
    }

    /// The last checkpoint that was told, or the cursor it began with.
    pub fn checkpoint(&self) -> Option<Revision> {
        self.checkpoint
    }
}
