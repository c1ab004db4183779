use std::collections::BTreeMap;
use std::sync::Arc;

use slab::Slab;
use smol_str::SmolStr;

use crate::index::Posting;
use crate::model::{EndpointIdentity, ObjectName, Position, Revision, Service};

/// A service, interned. Reused after its deletion.
pub(crate) type ServiceId = u32;

/// Where the records of a service stand in the log.
///
/// `created`, `labels` and `cluster_ip` are its anchors: a subscriber behind one of them, whose scope
/// looks at that field, is sent the service anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ServicePositions {
    /// Last change of any field.
    pub(crate) entry: Position,
    /// When it came into being under its name, or, later, the newest removal that was forgotten.
    pub(crate) created: Position,
    /// Last change of its labels.
    pub(crate) labels: Position,
    /// When it last got or lost a cluster IP.
    pub(crate) cluster_ip: Position,
}

/// Removed endpoints that are remembered for those who still hold them.
#[derive(Debug, Default)]
pub(crate) struct Removals {
    by_identity: BTreeMap<EndpointIdentity, Position>,
    by_position: BTreeMap<Position, EndpointIdentity>,
}

impl Removals {
    pub(crate) fn len(&self) -> usize {
        self.by_position.len()
    }

    pub(crate) fn insert(&mut self, identity: EndpointIdentity, position: Position) {
        self.by_position.insert(position, identity.clone());
        self.by_identity.insert(identity, position);
    }

    /// The endpoint is there again; answers where its removal stood.
    pub(crate) fn remove(&mut self, identity: &EndpointIdentity) -> Option<Position> {
        let position = self.by_identity.remove(identity)?;
        self.by_position.remove(&position);
        Some(position)
    }

    /// Forgets the oldest; answers where it stood.
    pub(crate) fn forget_oldest(&mut self) -> Option<Position> {
        let (position, identity) = self.by_position.pop_first()?;
        self.by_identity.remove(&identity);
        Some(position)
    }

    pub(crate) fn at(&self, position: Position) -> Option<&EndpointIdentity> {
        self.by_position.get(&position)
    }

    pub(crate) fn positions(&self) -> impl Iterator<Item = (&Position, &EndpointIdentity)> {
        self.by_position.iter()
    }
}

/// A service and everything that is kept of its endpoints.
#[derive(Debug)]
pub(crate) struct ServiceRecord {
    pub(crate) service: Arc<Service>,
    pub(crate) revision: Revision,
    pub(crate) source: SmolStr,
    /// Pods with at least one computed endpoint.
    pub(crate) members: Posting,
    /// Hand-made endpoints that show: those no computed one hides.
    pub(crate) manual: BTreeMap<EndpointIdentity, Position>,
    pub(crate) removals: Removals,
    pub(crate) positions: ServicePositions,
    /// Endpoints, and those of them that are ready.
    pub(crate) total: u64,
    pub(crate) ready: u64,
}

/// The services, by id and by name.
#[derive(Debug, Default)]
pub(crate) struct Services {
    slots: Slab<ServiceRecord>,
    by_name: BTreeMap<ObjectName, ServiceId>,
}

impl Services {
    pub(crate) fn id(&self, name: &ObjectName) -> Option<ServiceId> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn get(&self, id: ServiceId) -> Option<&ServiceRecord> {
        self.slots.get(id as usize)
    }

    pub(crate) fn get_mut(&mut self, id: ServiceId) -> Option<&mut ServiceRecord> {
        self.slots.get_mut(id as usize)
    }

    pub(crate) fn find(&self, name: &ObjectName) -> Option<&ServiceRecord> {
        self.get(self.id(name)?)
    }

    pub(crate) fn by_name(&self) -> &BTreeMap<ObjectName, ServiceId> {
        &self.by_name
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn insert(
        &mut self,
        service: Arc<Service>,
        revision: Revision,
        source: SmolStr,
    ) -> ServiceId {
        let name = service.name.clone();
        let record = ServiceRecord {
            service,
            revision,
            source,
            members: Posting::default(),
            manual: BTreeMap::new(),
            removals: Removals::default(),
            positions: ServicePositions::default(),
            total: 0,
            ready: 0,
        };
        let id = self.slots.insert(record) as ServiceId;
        self.by_name.insert(name, id);
        id
    }

    pub(crate) fn remove(&mut self, id: ServiceId) -> Option<ServiceRecord> {
        let record = self.slots.try_remove(id as usize)?;
        self.by_name.remove(&record.service.name);
        Some(record)
    }
}
