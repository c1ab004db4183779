//! Floor 8: the one writer.
//!
//! One thread owns the engine and the store. It takes waiting writes as a group, resolves each
//! against the engine and what the group did before it, appends the rest to the store, syncs, and
//! only then applies them, moves the head and acknowledges. Between groups it answers queries and
//! tells subscribers pieces of what they have not read; so every answer is at one revision, and
//! no reader holds a lock.
//!
//! What the newest revisions changed is encoded once, as they are committed, and left for all to see:
//! in the [`Tail`], from which whoever distributes it takes a [`Stretch`] at a time and adds it to a
//! [`Ring`]. A subscriber that the ring reaches asks the thread nothing.
//!
//! A [`SaveSession`] is told every object as it was when it began, while writes go on.
//!
//! [`Runtime`] is the handle that everything else holds: cheap to clone, usable from any task. Each
//! queue to the thread is bounded, so who asks more than it can do waits.
//!
//! Where other processes write to the same store, a [replica](start_shared) resolves against what is
//! applied here and submits; what comes back, theirs and ours, is applied in the store's order, in
//! groups with queries between. A write is acknowledged once it is applied here.
//!
//! Should the thread end, by a defect in it too, every call that waits on it answers [`Stopped`].

mod command;
mod committer;
mod error;
mod handle;
mod head;
mod line;
#[cfg(test)]
mod line_tests;
mod live_query;
mod owner;
mod propose;
mod readiness;
mod recent;
mod replica;
mod ring;
mod room;
mod save;
mod share;
mod shared;
mod size;
mod source;
mod state;
mod stretch;
mod sync;
mod sync_parts;
mod tail;
mod telling;
#[cfg(test)]
mod tests;
mod thread;
#[cfg(test)]
mod turn_tests;
mod write_queue;
mod writer;

pub use command::Committed;
pub use error::{
    CommitError, LiveQueryError, SaveError, SourceEnd, StartError, Stopped, SyncError,
};
pub use handle::{EncodedPiece, PendingCommit, PodPiece, Runtime};
pub use head::{Head, Totals};
pub use live_query::{LastChange, LiveQuery};
pub use readiness::{Readiness, ReadinessGuard};
pub use replica::Listed;
pub use ring::{Concern, Ring, RingPosition, Told};
pub use save::{SaveContents, SaveOptions, SaveSession, SavedObject};
pub use shared::TransactionBounds;
pub use stretch::Stretch;
pub use sync::{SyncEnd, SyncId, SyncSession};
pub use tail::{Tail, Watching};
pub use thread::{RuntimeOptions, RuntimeThread, start, start_shared, start_with};
