use std::sync::Arc;

use smol_str::SmolStr;

use crate::labels::LabelSet;

use super::{Conditions, EndpointIdentity, EndpointPort, Hints, Kind, ObjectName};

/// Which object somebody wrote endpoints into by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ManualKind {
    /// A v1 Endpoints object: it belongs to the service of its own name.
    Endpoints,
    /// A discovery/v1 EndpointSlice: it belongs to the service its label names.
    EndpointSlice,
}

impl ManualKind {
    /// The same, among all kinds.
    pub fn kind(self) -> Kind {
        match self {
            ManualKind::Endpoints => Kind::Endpoints,
            ManualKind::EndpointSlice => Kind::EndpointSlice,
        }
    }
}

/// One endpoint that somebody wrote by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualEndpoint {
    /// Who it is; its pod is the `targetRef` where that is a Pod.
    pub identity: EndpointIdentity,
    /// UID of the `targetRef`, or empty.
    pub uid: SmolStr,
    /// Its conditions: absent ready and serving read as true, absent terminating as false.
    pub conditions: Conditions,
    /// `nodeName`, or empty.
    pub node: SmolStr,
    /// `zone`, or empty: a hand-made endpoint says its own.
    pub zone: SmolStr,
    /// Its hints, as written.
    pub hints: Hints,
}

/// Endpoints that share a port set: one EndpointSlice, or one subset of an Endpoints object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualSubset {
    /// The ports.
    pub ports: Arc<[EndpointPort]>,
    /// The endpoints.
    pub endpoints: Vec<ManualEndpoint>,
}

/// A hand-made Endpoints or EndpointSlice object. Its endpoints join the service's set whether or
/// not the service has a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualEndpoints {
    /// Which kind of object it is.
    pub kind: ManualKind,
    /// Namespace and name of the object.
    pub name: ObjectName,
    /// Its UID, or empty.
    pub uid: SmolStr,
    /// Its labels.
    pub labels: LabelSet,
    /// Name of the service, in the same namespace.
    pub service: SmolStr,
    /// What it holds.
    pub subsets: Vec<ManualSubset>,
}

impl ManualEndpoints {
    /// Namespace and name of the service the endpoints are for.
    pub fn service_name(&self) -> ObjectName {
        ObjectName::new(self.name.namespace.clone(), self.service.clone())
    }
}
