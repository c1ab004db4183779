//! Floor 9: a client for selectord's API that speaks the words of [`crate::model`].
//!
//! [`Client`] makes the calls; [`Watcher`] and [`PodWatcher`] follow a stream of differences across
//! any number of connections and hand over whole consistent cuts.
//!
//! ```no_run
//! use selectord::client::{Client, WatchOptions};
//! use selectord::engine::Scope;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect("127.0.0.1:7400").await?;
//! let mut watcher = client.watch(Scope::all(), WatchOptions::default());
//! loop {
//!     let cut = watcher.next().await?;
//!     for (name, service) in watcher.view().services() {
//!         println!("{name}: {} endpoints", service.endpoints.len());
//!     }
//!     watcher.applied(cut.revision);
//! }
//! # }
//! ```

mod address;
mod admin;
mod answer;
mod backoff;
mod connection;
mod convert;
mod error;
mod explain;
mod follow;
mod offer;
mod options;
mod pages;
mod pending;
mod query;
mod save;
#[cfg(test)]
mod tests;
mod watch;
mod watch_pods;
mod write;

pub use address::{Address, ParseAddressError};
pub use answer::{
    At, Committed, Grouped, NodeItem, Plan, PlanStep, PodItem, ServerStatus, ServiceEndpoints,
    ServiceItem, Subscriber, Verified,
};
pub use connection::Client;
pub use error::{CallError, ConnectError, Malformed, WatchError};
pub use follow::Contact;
pub use options::ClientOptions;
pub use pages::{Page, Pages};
pub use query::Listing;
pub use save::{SnapshotPart, SnapshotParts};
pub use watch::{Cut, Resume, WatchOptions, Watcher};
pub use watch_pods::{PodWatcher, PodsCut, PodsView, WatchPodsOptions};
pub use write::{Ack, Ingest};

pub use crate::wire::Cursor;
