use std::collections::BTreeMap;
use std::sync::Arc;

use slab::Slab;
use smol_str::SmolStr;

use crate::model::{ObjectName, Revision, Service};

use super::endpoint_set::EndpointSet;

/// A service, interned. Reused after its deletion.
pub(crate) type ServiceId = u32;

/// A service and everything that is kept of its endpoints.
#[derive(Debug)]
pub(crate) struct ServiceRecord {
    pub(crate) service: Arc<Service>,
    pub(crate) revision: Revision,
    pub(crate) source: SmolStr,
    pub(crate) set: EndpointSet,
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
            set: EndpointSet::default(),
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
