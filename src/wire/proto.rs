//! Code generated from `proto/selectord/v1`: message types, clients and servers.
//!
//! One thing is not as it is there: a pod that an operation puts is the bytes of its message, as it is on the
//! wire in any case, so that it is read from them. [`encode_operation`](super::encode_operation) writes it.

#![allow(missing_docs)]
#![allow(clippy::doc_lazy_continuation, clippy::large_enum_variant)]

tonic::include_proto!("selectord.v1");

pub use super::label_message::Label;

/// The encoded `FileDescriptorSet` of the API, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/selectord.v1.binpb"));
