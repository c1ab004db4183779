//! Code generated from `proto/selectord/v1`: message types, clients and servers.

#![allow(missing_docs)]
#![allow(clippy::doc_lazy_continuation, clippy::large_enum_variant)]

tonic::include_proto!("selectord.v1");

pub use super::label_message::Label;

/// The encoded `FileDescriptorSet` of the API, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/selectord.v1.binpb"));
