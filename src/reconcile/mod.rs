//! Floor 4: from a change of facts to differences of endpoints, at a cost set by the change.
//!
//! ```text
//!  touched pod ──► its template ──► class ──► services that match ─┐
//!  touched service ──► its members, or the difference of two ──────┼─► pairs ──► before ≠ after? ──► Difference
//!  touched node ──► pods by its posting ──► their services ────────┘
//! ```
//!
//! - A service's selector stands in the reverse index of its namespace ([`standing`](self)): filed
//!   under the rarest thing it asks for, so that a label set is tested against few selectors. What was
//!   found for a label set is remembered.
//! - An endpoint is a function of present facts: service, pod, node, family. It is not stored; before
//!   and after a transaction it is computed, and compared. What is stored is that it exists, and
//!   where its record stands in the log.
//! - Hand-made endpoints show where no computed one of the same identity does.
//!
//! Deliberately absent: the order of events, who listens, and any scan of pods, services, a namespace
//! or a service's other endpoints.

mod affected;
mod by_hand;
mod class;
mod conditions;
mod diff;
mod endpoint_set;
mod identity_key;
mod manual;
mod memberships;
mod nodes;
mod packed_time;
mod pool;
mod ports;
mod project;
mod recent;
mod reconciler;
mod removals;
mod service_facts;
mod services;
mod standing;
mod standings;
mod stored_selector;
mod stored_service;
mod sums;
mod term;
mod touched;

pub use endpoint_set::ServicePositions;
pub use project::MissingNode;

pub(crate) use class::ClassCache;
pub(crate) use diff::{Difference, Differences, Holder, Side};
pub(crate) use identity_key::read_identity;
pub(crate) use memberships::Membership;
pub(crate) use reconciler::{Reconciler, standing_selector};
pub(crate) use service_facts::ServiceFacts;
pub(crate) use services::{ServiceId, ServiceRecord};
pub(crate) use standing::{Owner, Selectors, Standing};
pub(crate) use stored_selector::StandingSelector;
pub(crate) use stored_service::StoredService;
pub(crate) use sums::{Parts, Remembered};
pub(crate) use touched::Touched;
