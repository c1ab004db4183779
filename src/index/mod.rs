//! Floor 3: the inverted index, from label keys and pairs to sets of pod ids.
//!
//! ```text
//! Pod ──► id (dense, in extents per namespace)        Selector ──► Plan (terms by cardinality)
//!   │                                                                │
//!   └──► Template (its label set, shared) ──► Dictionary ──► Posting ◄┘
//!                                             key, pair      ids: inline, array, roaring
//! ```
//!
//! - [`Index`] owns all of it. A put or a removal touches the postings of the pairs and keys that the
//!   pod gains or loses and that of its node, nothing else.
//! - A query is a [`Selector`](crate::selector::Selector), bound to the dictionary as a plan (smallest
//!   positive term first, negatives last), evaluated by looking at a few pods one by one or by
//!   combining bitmaps, and counted without building the answer.
//! - Ids never leave the process: they are reused.
//!
//! Deliberately absent: services, endpoints, revisions as an order of events, and any knowledge of
//! who asks.

mod dictionary;
mod eval;
mod explain;
mod extents;
mod flat;
mod group;
mod intern;
mod large;
mod look_ahead;
mod memory;
mod name_walk;
mod names;
mod namespaces;
mod nodes;
mod ordered;
mod page;
mod page_walk;
mod paged;
mod pending;
mod plan;
mod pod_equal;
mod pod_ref;
mod pods;
mod popcount;
mod posting;
mod record;
mod runs;
mod table;
mod templates;
mod uid;
mod verify;
mod window;

pub use explain::{Action, Explanation, Step};
pub use group::{GroupBy, Groups};
pub use namespaces::Namespaces;
pub use pods::Index;
pub use posting::Posting;

pub(crate) use look_ahead::Names;
pub(crate) use names::Sought;
pub(crate) use ordered::Ordered;
pub(crate) use paged::{Paged, Slots};
pub(crate) use pod_ref::PodRef;
pub(crate) use pods::Labels;
pub(crate) use record::PodRecord;
pub(crate) use table::{IdTable, hash};
pub(crate) use templates::{Stamp, TemplateId};
pub(crate) use uid::Uid;
