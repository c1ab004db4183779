//! The distributed store: objects under a prefix of an etcd, which any number of processes share.
//!
//! ```text
//! PREFIX/format                          what stands under the prefix: a number
//! PREFIX/history                         the history's random id, in hexadecimal digits
//! PREFIX/objects/KIND/NAMESPACE/NAME     one object: the message `StoredObject`; nodes have no NAMESPACE
//! ```
//!
//! Every replica lists the prefix at one revision and watches it from there on, and so applies what all
//! of them write in the one order that etcd gives it. A revision of etcd's is a revision of ours.
//!
//! ```text
//! EtcdStore::connect(EtcdOptions)              -> Result<EtcdStore, EtcdError>
//! EtcdStore::history()                         -> HistoryId
//! EtcdStore::list(&mut dyn FnMut(ListProgress)) -> Result<Listing, EtcdError>
//! EtcdStore::follow(after: Revision)           -> Follow; Follow::next() -> Option<Followed>
//! EtcdStore::submit(&Proposal)                 -> Result<Submitted, SubmitError>
//! EtcdStore::confirm()                         -> Result<Revision, EtcdError>
//! EtcdStore::renew_history()                   -> Result<HistoryId, EtcdError>
//! Engine::apply_replicated(Revision, Vec<Replicated>)            -> Result<Applied, ApplyError>
//! Engine::apply_listing(Revision, Vec<Listed<V>>, read)          -> Result<Applied, ListingError<E>>
//! ```

mod address;
mod error;
mod followed;
mod listing;
mod options;
mod proposal;

pub use address::{EtcdAddress, ParseEtcdAddressError};
pub use error::{EtcdError, SubmitError};
pub use followed::Followed;
pub use listing::{ListProgress, Listing};
pub use options::{EtcdLogin, EtcdOptions, EtcdTls};
pub use proposal::{Proposal, Proposed, Submitted};
