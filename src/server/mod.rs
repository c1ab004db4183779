//! Floor 9: the gRPC service. Handlers are thin: decode, ask the runtime, encode.
//!
//! | file | what |
//! |---|---|
//! | `serve` `connections` | binds everything together: listeners, HTTP/2, health, reflection, drain |
//! | `waiting` | what is answered before there is a state |
//! | `listen` | where to listen, and what is refused there |
//! | `gather` `calls` | the writes of a connection, put together while it has several calls |
//! | `limits` | every number that bounds a client |
//! | `cluster` `ingest` | writes |
//! | `query` `endpoints` `explain` | reads |
//! | `list` `listings` `page` | listings in pages |
//! | `watch` `follow` `feed` | streams: a position a subscriber, no queue |
//! | `offers` | what a subscriber says that it holds, one message at a time |
//! | `watch_routes` `encoded` | their way onto HTTP/2, already encoded |
//! | `distribute` `audience` `listeners` | who is woken by what, and when |
//! | `subscribers` `admin` | who listens, and how the server does |
//! | `save` | snapshots |
//! | `apart` | a future that its neighbours do not wake |
//! | `arriving` | what messages that are not whole yet may hold |
//! | `outflow` `drawn` | a stream of answers that ends with a status: made beforehand, or when asked for |
//! | `probes` | health for those who speak HTTP |

mod admin;
mod apart;
mod arriving;
mod audience;
mod calls;
mod cluster;
mod connections;
mod context;
mod distribute;
mod drawn;
mod encoded;
mod endpoints;
mod explain;
mod feed;
mod follow;
mod gather;
mod ingest;
mod limits;
mod list;
mod listen;
mod listeners;
mod listings;
mod offers;
mod outflow;
mod page;
mod patience;
mod probes;
mod query;
mod save;
mod serve;
mod subscribers;
mod waiting;
mod watch;
mod watch_routes;

pub use limits::Limits;
pub use listen::{ListenAddress, ListenError, Listener, ParseListenAddressError, share_tcp};
pub use serve::{ServeError, ServerOptions, serve};
pub use waiting::{WaitingOptions, serve_waiting};
