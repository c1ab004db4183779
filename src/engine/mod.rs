//! Floor 5: the engine, and the face that an embedder sees.
//!
//! ```text
//! Transaction ──Resolver──► ResolvedTransaction ──Engine::apply──► facts, endpoint sets, log
//!                                                                      │
//!                      Engine::{count, pods, group, endpoints, …} ◄────┤
//!                      Engine::catch_up(Walk) ──► Event … checkpoint ◄─┘
//! ```
//!
//! # One record each, at the position of its last change
//!
//! The log holds every *record* once: a service's fields, one endpoint, one remembered removal. A
//! change moves the record to the end. A subscriber's whole state is a position ([`Walk`]): what
//! stands at or before it has been told, what changes again moves behind it. The first listing, the
//! live tail, a slow reader (everything in between is merged by construction) and a resume are the
//! same walk.
//!
//! A service also has *anchors*: the positions at which it was created, its labels changed, or it got
//! or lost a cluster IP. At the last anchor that a scope looks at, a subscriber is told the service
//! anew, with those endpoints that stand before the anchor; those behind it follow as updates, and
//! records before it are passed over. Nothing has to be known of what the subscriber held. Forgetting
//! an old removal moves an anchor too: whoever has not read the removal is told the service anew.
//!
//! A subscriber whose cursor is of no use can say what it holds, a digest for each service: the first
//! listing is then merged with that, and what is the same is not told. Digests are found when somebody
//! asks, and remembered until the service changes.
//!
//! Deliberately absent: clocks, threads, I/O, randomness, logging, and any list of subscribers.

mod apply;
mod catch_up;
mod dump;
mod event;
mod fold;
mod gaps;
mod held;
mod kept;
mod live_query;
mod load;
mod log;
#[cfg(test)]
mod log_tests;
mod membership;
mod memory;
mod merge;
mod objects;
mod options;
mod pod_ids;
mod position;
mod present;
mod query;
mod recent;
mod relabel;
mod replicated;
mod resolve;
mod resolve_error;
mod resolve_transaction;
mod restore;
mod scope;
mod segment;
mod service_digest;
mod slot;
mod state;
mod stats;
mod teller;
#[cfg(test)]
mod tests;
mod verify;
mod walk;
mod work;
mod write;

pub use crate::index::{Action, Explanation, GroupBy, Groups, Namespaces, Step};
pub use crate::reconcile::ServicePositions;
pub use apply::{Applied, ApplyError};
pub use event::{Event, PodEvent, Progress, ServiceEntry};
pub use fold::{ServiceView, View};
pub use held::Held;
pub use kept::{KeptEnd, KeptRecord, RecordChange, RecordOf};
pub use live_query::{LiveQueryId, PodWalk};
pub use membership::{Membership, Reason};
pub use objects::ObjectPlace;
pub use options::{EngineOptions, MissingNode, Retention};
pub use query::EndpointCounts;
pub use recent::{Crossed, Recent};
pub use replicated::{Listed, ListingError, Replicated};
pub use resolve::{ObjectResult, Outcome, Resolution, ResolveLimits, Resolver};
pub use resolve_error::ResolveError;
pub use restore::{Restore, RestoreError};
pub use scope::{Scope, ServiceOutline, ServiceScope};
pub use state::{Engine, Stored};
pub use stats::Stats;
pub use verify::Discrepancy;
pub use walk::Walk;
pub use work::Work;
