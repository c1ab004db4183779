//! Code generated from `proto/selectord/v1`: message types, clients and servers.
//!
//! Two messages are written by hand, and are on the wire as they are there: [`Label`], whose texts stand in
//! place, and [`Operation`], in which a pod that is put is the bytes of its message.

#![allow(missing_docs)]
#![allow(clippy::doc_lazy_continuation, clippy::large_enum_variant)]

tonic::include_proto!("selectord.v1");

pub use super::label_message::Label;
pub use super::operation_message::Operation;

/// What an [`Operation`] does.
pub mod operation {
    pub use crate::wire::operation_message::Step as Operation;
}

/// The encoded `FileDescriptorSet` of the API, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/selectord.v1.binpb"));
