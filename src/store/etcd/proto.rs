//! Code generated from `proto/etcd/etcd.proto`: messages, and clients without servers.

#![allow(missing_docs)]
#![allow(clippy::enum_variant_names, clippy::large_enum_variant)]

tonic::include_proto!("etcdserverpb");
