//! Floor 6: the one place where protobuf's types and ours meet.
//!
//! | file | both ways between |
//! |---|---|
//! | `label_message` | a label's message, whose text stands in place |
//! | `labels` `name` `pod` `service` `endpoints` | messages and the nouns of [`crate::model`] |
//! | `transaction` `outcome` | a writer's request, and what became of each object |
//! | `scope` | scopes, cursors, checkpoints |
//! | `element_writer` `message` | what a catch-up tells, straight into bytes, and messages below a set size |
//! | `offer` | what a subscriber says that it holds |
//! | `put_endpoint` | endpoints therein, their names as suffixes of what they begin with |
//! | `events` `pod_events` | the same taken apart; and the pods' stream |
//! | `read_pod` | pods straight from bytes, as they are put, and as a restart reads them |
//! | `put` | protobuf's few forms |
//! | `stored` | objects as a store keeps them that others can look into |
//! | `status` | our errors and gRPC's codes with their details |
//!
//! `encode_…` cannot fail. `decode_…` answers every fault at once, each with the path of the field
//! in the message as it was sent. What is not a message of the API is not known here: pages, limits
//! and streams are the server's.

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod arbitrary_steps;
mod element_writer;
mod endpoints;
mod events;
mod faults;
mod label_message;
mod labels;
mod message;
mod name;
mod offer;
mod operation_message;
mod outcome;
mod paths;
mod pod;
mod pod_events;
pub mod proto;
mod put;
mod put_endpoint;
mod read_pod;
#[cfg(test)]
mod round_trip;
mod scope;
mod service;
pub mod status;
mod stored;
mod transaction;
mod uid;

pub use element_writer::ElementWriter;
pub use endpoints::{
    decode_endpoint, decode_identity, decode_manual, encode_endpoint, encode_identity,
    encode_manual,
};
pub use events::{Delta, decode_event};
pub use faults::Decoded;
pub use labels::{
    decode_filter, decode_group_key, decode_labels, decode_selector, encode_filter, encode_labels,
    encode_selector,
};
pub use message::{EncodedMessage, MessageWriter};
pub use name::{
    check_namespaces, decode_kind, decode_name, decode_ref, encode_kind, encode_name, encode_ref,
};
pub use offer::{MAX_OFFERED, decode_offer, encode_offer};
pub use outcome::{decode_result, encode_result};
pub use pod::{decode_pod, encode_pod};
pub use pod_events::{PodDelta, PodEventBatch, decode_pod_event};
pub use read_pod::PodReader;
pub use scope::{
    Checkpoint, Cursor, decode_checkpoint, decode_cursor, decode_scope, encode_checkpoint,
    encode_cursor, encode_duration, encode_scope, encode_time,
};
pub use service::{decode_node, decode_service, encode_node, encode_service};
pub use stored::{decode_stored, encode_stored};
pub use transaction::{
    MAX_REQUEST_ID, MAX_SOURCE, WriteRequest, decode_transaction, encode_operation,
    encode_transaction, mentioned_objects,
};
