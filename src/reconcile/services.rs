use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::index::{Ordered, Slots};
use crate::model::{ObjectName, Revision, Service};

use super::endpoint_set::EndpointSet;
use super::pool::Pool;
use super::stored_service::{ServicePools, StoredService};

/// A service, interned. Reused after its deletion.
pub(crate) type ServiceId = u32;

/// A service and everything that is kept of its endpoints.
#[derive(Debug)]
pub(crate) struct ServiceRecord {
    pub(crate) service: StoredService,
    pub(crate) revision: Revision,
    source: Arc<SmolStr>,
    pub(crate) set: EndpointSet,
}

impl ServiceRecord {
    pub(crate) fn source(&self) -> &SmolStr {
        &self.source
    }
}

/// The services, by id and by name.
#[derive(Debug, Default)]
pub(crate) struct Services {
    slots: Slots<ServiceRecord>,
    by_name: Ordered,
    pools: ServicePools,
    sources: Pool<SmolStr>,
}

impl Services {
    pub(crate) fn id(&self, name: &ObjectName) -> Option<ServiceId> {
        let place = self.by_name.seek(|id| self.compare(id, name));
        let (id, _) = self.by_name.at(place)?;
        self.compare(id, name).is_eq().then_some(id)
    }

    pub(crate) fn get(&self, id: ServiceId) -> Option<&ServiceRecord> {
        self.slots.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: ServiceId) -> Option<&mut ServiceRecord> {
        self.slots.get_mut(id)
    }

    pub(crate) fn find(&self, name: &ObjectName) -> Option<&ServiceRecord> {
        self.get(self.id(name)?)
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Every service, in order of name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ServiceId, &ServiceRecord)> {
        self.from(Bound::Unbounded)
    }

    /// The services from a name on, in order of name.
    pub(crate) fn from(
        &self,
        first: Bound<&ObjectName>,
    ) -> impl Iterator<Item = (ServiceId, &ServiceRecord)> {
        let place = self.by_name.seek(|id| match first {
            Bound::Unbounded => Ordering::Greater,
            Bound::Included(name) => self.compare(id, name),
            Bound::Excluded(name) => self.compare(id, name).then(Ordering::Less),
        });
        self.by_name
            .from(place)
            .filter_map(|id| Some((id, self.get(id)?)))
    }

    /// Adds a service of a name that none has; without a source it is nobody's.
    pub(crate) fn insert(
        &mut self,
        service: Service,
        revision: Revision,
        source: Option<SmolStr>,
    ) -> ServiceId {
        let name = service.name.clone();
        let record = ServiceRecord {
            service: StoredService::new(service, &mut self.pools),
            revision,
            source: self.sources.share(source.unwrap_or_default()),
            set: EndpointSet::default(),
        };
        let id = self.slots.insert(record);
        let compare = compare(&self.slots, &name);
        self.by_name.insert(id, compare);
        id
    }

    /// Gives a service other fields, under the same name; answers those it had. Without a source it
    /// stays whose it was.
    pub(crate) fn replace(
        &mut self,
        id: ServiceId,
        service: Service,
        revision: Revision,
        source: Option<SmolStr>,
    ) -> Option<Service> {
        let record = self.slots.get_mut(id)?;
        let before = record.service.whole();
        let stored = StoredService::new(service, &mut self.pools);
        std::mem::replace(&mut record.service, stored).release(&mut self.pools);
        record.revision = revision;
        if let Some(source) = source {
            let source = self.sources.share(source);
            self.sources
                .release(std::mem::replace(&mut record.source, source));
        }
        Some(before)
    }

    /// Takes a service out; answers its name and its endpoints.
    pub(crate) fn remove(&mut self, id: ServiceId) -> Option<(ObjectName, EndpointSet)> {
        let name = self.get(id)?.service.name();
        self.by_name.remove(id, compare(&self.slots, &name));
        let record = self.slots.remove(id)?;
        record.service.release(&mut self.pools);
        self.sources.release(record.source);
        Some((name, record.set))
    }

    /// Bytes they take, without their endpoints' and what few of them have.
    pub(crate) fn bytes(&self) -> u64 {
        let own: u64 = self.iter().map(|(_, record)| record.service.bytes()).sum();
        own + self.slots.bytes() as u64 + self.by_name.bytes() as u64 + self.pools.bytes()
    }

    fn compare(&self, id: ServiceId, name: &ObjectName) -> Ordering {
        compare(&self.slots, name)(id)
    }
}

/// How a service's name stands to another.
fn compare(slots: &Slots<ServiceRecord>, name: &ObjectName) -> impl Fn(ServiceId) -> Ordering {
    let sought = (name.namespace.as_str(), name.name.as_str());
    move |id| {
        slots.get(id).map_or(Ordering::Less, |record| {
            record.service.sort_key().cmp(&sought)
        })
    }
}
