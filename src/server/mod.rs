//! Floor 9: the gRPC service. Handlers are thin: decode, ask the runtime, encode.
//!
//! | file | what |
//! |---|---|
//! | `serve` | binds everything together: listeners, health, reflection, drain |
//! | `listen` | where to listen, and what is refused there |
//! | `limits` | every number that bounds a client |
//! | `cluster` `ingest` | writes |
//! | `query` `endpoints` `explain` | reads |
//! | `list` `listings` `page` | listings in pages |
//! | `watch` `follow` `feed` | streams: one walk a subscriber, no queue |
//! | `subscribers` `admin` | who listens, and how the server does |
//! | `outflow` | a stream of answers that ends with a status |
//! | `probes` | health for those who speak HTTP |

mod admin;
mod cluster;
mod context;
mod endpoints;
mod explain;
mod feed;
mod follow;
mod ingest;
mod limits;
mod list;
mod listen;
mod listings;
mod outflow;
mod page;
mod probes;
mod query;
mod serve;
mod subscribers;
mod watch;

pub use limits::Limits;
pub use listen::{ListenAddress, ListenError, Listener, ParseListenAddressError};
pub use serve::{ServeError, ServerOptions, serve};
