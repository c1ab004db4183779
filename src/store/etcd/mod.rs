//! The distributed store: objects under a prefix of an etcd, which any number of processes share.
//!
//! ```text
//! PREFIX/format                          what stands under the prefix: a number
//! PREFIX/history                         the history's random id, in hexadecimal digits
//! PREFIX/head                            the newest transaction's random id
//! PREFIX/objects/KIND/NAMESPACE/NAME     one object: the message `StoredObject`; nodes have no NAMESPACE
//! PREFIX/requests/PLACE                   the last that was written under an id of this place: `StoredRequest`
//! ```
//!
//! Every replica lists the prefix at one revision and watches it from there on, and so applies what all
//! of them write in the one order that etcd gives it. A revision of etcd's is a revision of ours.
//!
//! - [`EtcdStore::list`] reads everything at one revision; [`EtcdStore::follow`] tells what comes behind it,
//!   revision by revision, over broken watches and lost leaders, and lists anew where etcd has compacted
//!   what should come next.
//! - [`EtcdStore::submit`] writes: one transaction of etcd, which compares the revision of every object
//!   that the outcome depends on, and the history. It comes back to everybody, the writer included, by
//!   following.
//! - [`EtcdStore::confirm`] asks a quorum how far the store is. Every transaction puts `head`, so that one
//!   key says which revision of a shared etcd is the newest of ours.
//!
//! An etcd that is restored from a backup keeps everything, its ids included, and goes back. So whatever
//! a quorum says is compared with what it said before: revision, term, and which transaction was the newest
//! at the last revision seen. Who finds another story than before gives the history a new id, whereupon
//! every replica begins anew, and no cursor is believed that was given out for what is gone.
//!
//! | file | what it does |
//! |---|---|
//! | `address` `options` `error` | what the user says, and is told |
//! | `proposal` `listing` `followed` | what goes in and comes out |
//! | `proto` `request` | etcd's messages |
//! | `keys` `value` `requests` | what stands under which key |
//! | `members` `calls` `failure` | a call to whichever member answers, with a token; what refusals mean |
//! | `cluster` | a member that came back as a cluster of its own is not taken for the one that is followed |
//! | `history` `seen` | the history's id; noticing that the store went back |
//! | `etcd_store` `list` `submit` | the store itself |
//! | `restore` | filling it from elsewhere |
//! | `watch` `gather` `heart` `follow` | one watch; whole revisions out of it; contact with a quorum; following without end |

mod address;
mod calls;
mod cluster;
mod error;
mod etcd_store;
mod failure;
mod follow;
mod followed;
mod gather;
mod heart;
mod history;
mod keys;
mod list;
mod listing;
mod members;
mod options;
mod proposal;
mod proto;
mod request;
mod requests;
mod restore;
mod seen;
mod submit;
mod value;
mod watch;

pub use address::{EtcdAddress, ParseEtcdAddressError};
pub use cluster::FollowedCluster;
pub use error::{EtcdError, SubmitError};
pub use etcd_store::EtcdStore;
pub use follow::Follow;
pub use followed::{Contact, Followed};
pub use listing::{ListProgress, Listing};
pub use options::{EtcdLogin, EtcdOptions, EtcdTls};
pub use proposal::{Proposal, Proposed, Submitted};
pub use requests::{Placed, ProposedRequest, request_place};
pub use restore::EtcdRestore;
