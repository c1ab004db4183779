use std::sync::Arc;

use smol_str::SmolStr;

use crate::model::{Endpoint, EndpointIdentity, Node, ObjectName, Pod, Revision, Service};

/// A service as subscribers know it: its fields, and the revision that wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEntry {
    /// The service.
    pub service: Arc<Service>,
    /// The revision that wrote it last.
    pub revision: Revision,
}

/// One step of a catch-up, in the order in which a subscriber folds them (see [`super::View`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Whatever is not sent before the next checkpoint is gone.
    Reset,
    /// The service is this, and has no endpoints but those that follow.
    Replace(ServiceEntry),
    /// Fields of the service changed; its endpoints did not.
    Entry(ServiceEntry),
    /// The service is the same, and another revision wrote it: told to whoever offered what it holds of
    /// another history.
    Rewritten {
        /// Which service.
        service: ObjectName,
        /// The revision that wrote it last.
        revision: Revision,
    },
    /// An endpoint is new or changed.
    Endpoint {
        /// Its service.
        service: ObjectName,
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// An endpoint is gone.
    Removed {
        /// Its service.
        service: ObjectName,
        /// Which endpoint.
        identity: EndpointIdentity,
    },
    /// The service is gone or out of scope. It need not have been known.
    Remove(ObjectName),
    /// The node of a node scope is new or changed.
    Node(Arc<Node>),
    /// The node of a node scope is gone.
    NodeRemoved(SmolStr),
}

/// One step of a live query's catch-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodEvent {
    /// Whatever is not sent before the next checkpoint is gone.
    Reset,
    /// A pod that matches is new or changed.
    Pod {
        /// The pod.
        pod: Pod,
        /// The revision that wrote it last.
        revision: Revision,
    },
    /// A pod is gone, or matches no more. It need not have been known.
    Removed(ObjectName),
}

/// How far a piece of a catch-up came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is more to read before the head.
    More,
    /// Everything up to this revision has been told: a checkpoint.
    Head(Revision),
    /// The walk goes on when the subscriber has said what it holds ([`super::Walk::offer`]).
    Offer {
        /// It has not been asked yet. What it was told since its last checkpoint is void, unless it folds
        /// at once and offers what it holds now; and nothing that it holds is in doubt any more.
        first: bool,
    },
}
