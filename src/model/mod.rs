//! Floor 2: the nouns. Plain data, as Kubernetes has it, reduced to what label selection and
//! endpoints need.
//!
//! | type | Kubernetes' own | kept of it |
//! |---|---|---|
//! | [`Pod`] | v1 Pod | labels and whatever decides an endpoint |
//! | [`Service`] | v1 Service | every field a consumer of endpoints uses |
//! | [`Node`] | v1 Node | labels |
//! | [`ManualEndpoints`] | a hand-made v1 Endpoints or discovery/v1 EndpointSlice | all of it |
//! | [`Endpoint`] | one endpoint of an EndpointSlice | what the stream carries |
//! | [`Digest`] | none | what somebody holds of a service, in 16 bytes |
//! | [`Transaction`] | none | the unit of change: applied whole or not at all |
//!
//! Nothing here knows of an index, a wire or a store. [`validate`] holds the rules an object must
//! meet before it may enter a transaction.

mod bounds;
mod digest;
mod endpoint;
mod ip;
mod manual;
mod name;
mod node;
mod pod;
mod position;
mod record;
mod service;
mod text;
mod transaction;
mod validate;

pub use digest::Digest;
pub use endpoint::{
    Addresses, Conditions, Endpoint, EndpointIdentity, EndpointPort, EndpointPorts, Hints,
};
pub use ip::{IpFamily, ParseIpError, parse_ip};
pub use manual::{ManualEndpoint, ManualEndpoints, ManualKind, ManualSubset};
pub use name::{Kind, ObjectName, ObjectRef};
pub use node::{Node, ZONE_LABEL};
pub use pod::{ContainerPort, Phase, Pod, Protocol, ReadyCondition};
pub use position::{Revision, Sequence};
pub use record::RecordHasher;
pub use service::{
    ClusterIp, LoadBalancerIp, Service, ServicePort, ServiceSelector, ServiceType, TargetPort,
    TrafficDistribution, TrafficPolicy,
};
pub use text::{is_cidr, is_rfc3339};
pub use transaction::{
    Change, Expectation, LabelPatch, Object, Operation, PatchTarget, Precondition,
    ResolvedTransaction, Transaction,
};
pub use validate::validate;
