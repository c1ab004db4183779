use std::collections::BTreeMap;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::index::PodRecord;
use crate::model::{Endpoint, EndpointIdentity, Node, ObjectName, Service};

use super::services::ServiceId;

/// What a transaction touched, each with what it was before. Together with the present facts this is
/// the state before the transaction, of which a difference is taken once, at the end.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// By pod id; none before: the pod is new.
    pub(crate) pods: BTreeMap<u32, Option<PodRecord>>,
    /// By service id; none before: the service is new.
    pub(crate) services: BTreeMap<ServiceId, Option<Arc<Service>>>,
    /// Services that are gone now. Their ids are not reused within the transaction.
    pub(crate) deleted_services: Vec<ServiceId>,
    /// By node name; none before: the node is new.
    pub(crate) nodes: BTreeMap<SmolStr, Option<Arc<Node>>>,
    /// Hand-made endpoints, by service and identity.
    pub(crate) manual: BTreeMap<ObjectName, BTreeMap<EndpointIdentity, Option<Endpoint>>>,
}
