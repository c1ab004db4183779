use std::sync::Arc;

use crate::model::{EndpointIdentity, IpFamily, ObjectName, Revision, Sequence};

use super::scope::Scope;

/// Where a subscriber is: all that is kept of it, however slow it is.
///
/// Every record of its scope at or before the position has been told; what changes again moves behind
/// it. Two things may be half done: the first listing, in order of name, and the service that is just
/// being told anew.
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
    /// The last checkpoint it was told.
    pub(super) checkpoint: Option<Revision>,
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
    /// scope. A scope that is shared already is not copied.
    pub fn new(scope: impl Into<Arc<Scope>>, cursor: Option<Revision>) -> Walk {
        Walk {
            scope: scope.into(),
            position: Sequence::START,
            cursor,
            listing: None,
            replacing: None,
            reset: cursor.is_none(),
            checkpoint: cursor,
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
