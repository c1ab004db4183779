use std::collections::BTreeMap;

use crate::index::Posting;
use crate::model::{EndpointIdentity, Sequence};

use super::removals::Removals;
use super::sums::Sums;

/// Where the records of a service stand in the log.
///
/// `created`, `labels` and `cluster_ip` are its anchors: a subscriber behind one of them, whose scope
/// looks at that field, is sent the service anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServicePositions {
    /// Last change of any field.
    pub entry: Sequence,
    /// When it came into being under its name, or, later, the newest removal that was forgotten.
    pub created: Sequence,
    /// Last change of its labels.
    pub labels: Sequence,
    /// When it last got or lost a cluster IP.
    pub cluster_ip: Sequence,
}

/// What is kept of a service's endpoints: which there are, which are remembered as removed, and where
/// the service's own records stand.
#[derive(Debug, Default)]
pub(crate) struct EndpointSet {
    /// Pods with at least one computed endpoint.
    pub(crate) members: Posting,
    /// Hand-made endpoints that show: those no computed one hides.
    pub(crate) manual: BTreeMap<EndpointIdentity, Sequence>,
    pub(crate) removals: Removals,
    pub(crate) positions: ServicePositions,
    pub(crate) sums: Sums,
    /// Endpoints, and those of them that are ready.
    pub(crate) total: u64,
    pub(crate) ready: u64,
}
