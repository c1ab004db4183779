//! Ten thousand subscribers out of one thread.
//!
//! A load generator shares the cores with the server that it measures, so it must do little itself: a
//! gRPC client that decodes nothing costs as much for each message as the server that sent it. These
//! subscribers read HTTP/2 frames straight off the socket, count, and look for nothing but the revision of
//! each checkpoint. Those that are to be compared keep their messages, and are folded when the clock has
//! stopped.
//!
//! | file | what |
//! |---|---|
//! | `frames` | the part of HTTP/2 that a subscriber needs |
//! | `connection` | one connection with any number of streams |
//! | `scan` | a checkpoint's revision out of a stream's bytes, without decoding them |
//! | `subscribe` | what a stream asks for |
//! | `crowd` | many connections on a thread, and what each stream has come to |
//! | `fold` | messages that were kept, folded on top of a state and compared with another |

mod connection;
mod crowd;
mod fold;
mod frames;
mod scan;
mod subscribe;

pub use connection::{Connection, Scratch, WIDE};
pub use crowd::{Arrival, Crowd, CrowdOptions};
pub use fold::{Base, Fold, same};
pub use scan::Scan;
pub use subscribe::{named, subscribe};
