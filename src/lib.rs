#![forbid(unsafe_code)]
pub mod wire { pub mod proto { tonic::include_proto!("selectord.v1"); } }
