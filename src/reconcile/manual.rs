use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::model::{
    Endpoint, EndpointIdentity, EndpointPorts, ManualEndpoints, ManualKind, ObjectName, Revision,
};

type ObjectKey = (ManualKind, ObjectName);

/// A hand-made object, as kept.
#[derive(Debug, Clone)]
pub(crate) struct ManualRecord {
    pub(crate) object: Arc<ManualEndpoints>,
    pub(crate) revision: Revision,
    pub(crate) source: SmolStr,
}

/// Hand-made endpoints: the objects, and what they come to for each service.
///
/// Where several objects name the same endpoint, the first by kind and name speaks for it; within one
/// object, the first mention.
#[derive(Debug, Default)]
pub(crate) struct ManualTable {
    objects: BTreeMap<ObjectKey, ManualRecord>,
    /// How many of the objects are slices.
    slices: usize,
    by_service: BTreeMap<ObjectName, BTreeMap<EndpointIdentity, BTreeMap<ObjectKey, Endpoint>>>,
}

impl ManualTable {
    pub(crate) fn get(&self, kind: ManualKind, name: &ObjectName) -> Option<&ManualRecord> {
        self.objects.get(&(kind, name.clone()))
    }

    pub(crate) fn objects(&self) -> impl Iterator<Item = &ManualRecord> {
        self.objects.values()
    }

    /// Those of a kind that stand behind a name, by name.
    pub(crate) fn behind(
        &self,
        kind: ManualKind,
        after: Option<&ObjectName>,
    ) -> impl Iterator<Item = &ManualRecord> {
        let from = match after {
            Some(after) => Bound::Excluded((kind, after.clone())),
            None => Bound::Included((kind, ObjectName::default())),
        };
        self.objects
            .range((from, Bound::Unbounded))
            .take_while(move |((of, _), _)| *of == kind)
            .map(|(_, record)| record)
    }

    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }

    /// How many there are of a kind.
    pub(crate) fn count(&self, kind: ManualKind) -> usize {
        match kind {
            ManualKind::EndpointSlice => self.slices,
            ManualKind::Endpoints => self.objects.len().saturating_sub(self.slices),
        }
    }

    /// Whether a service has hand-made endpoints at all.
    pub(crate) fn any(&self, service: &ObjectName) -> bool {
        self.by_service.contains_key(service)
    }

    /// The hand-made endpoint of this identity, if any.
    pub(crate) fn endpoint(
        &self,
        service: &ObjectName,
        identity: &EndpointIdentity,
    ) -> Option<&Endpoint> {
        self.by_service.get(service)?.get(identity)?.values().next()
    }

    /// The identities of a service's hand-made endpoints, in order.
    pub(crate) fn identities(
        &self,
        service: &ObjectName,
    ) -> impl Iterator<Item = &EndpointIdentity> {
        self.by_service
            .get(service)
            .into_iter()
            .flat_map(BTreeMap::keys)
    }

    /// Puts an object in; the caller took out what stood under its name.
    pub(crate) fn insert(&mut self, object: ManualEndpoints, revision: Revision, source: SmolStr) {
        let key = (object.kind, object.name.clone());
        let object = Arc::new(object);
        let identities = self.by_service.entry(object.service_name()).or_default();
        for (identity, endpoint) in endpoints(&object) {
            identities
                .entry(identity)
                .or_default()
                .entry(key.clone())
                .or_insert(endpoint);
        }
        if identities.is_empty() {
            self.by_service.remove(&object.service_name());
        }
        let is_slice = key.0 == ManualKind::EndpointSlice;
        let record = ManualRecord {
            object,
            revision,
            source,
        };
        if self.objects.insert(key, record).is_none() && is_slice {
            self.slices = self.slices.saturating_add(1);
        }
    }

    /// Takes an object out.
    pub(crate) fn remove(&mut self, kind: ManualKind, name: &ObjectName) -> Option<ManualRecord> {
        let key = (kind, name.clone());
        let record = self.objects.remove(&key)?;
        if kind == ManualKind::EndpointSlice {
            self.slices = self.slices.saturating_sub(1);
        }
        let service = record.object.service_name();
        if let Some(identities) = self.by_service.get_mut(&service) {
            for (identity, _) in endpoints(&record.object) {
                if let Some(objects) = identities.get_mut(&identity) {
                    objects.remove(&key);
                    if objects.is_empty() {
                        identities.remove(&identity);
                    }
                }
            }
            if identities.is_empty() {
                self.by_service.remove(&service);
            }
        }
        Some(record)
    }
}

/// The endpoints of a hand-made object, in order.
pub(crate) fn endpoints(
    object: &ManualEndpoints,
) -> impl Iterator<Item = (EndpointIdentity, Endpoint)> + '_ {
    object.subsets.iter().flat_map(|subset| {
        subset.endpoints.iter().map(|manual| {
            let mut identity = manual.identity.clone();
            identity.addresses.sort_unstable();
            identity.addresses.dedup();
            let endpoint = Endpoint {
                identity: identity.clone(),
                uid: manual.uid.clone(),
                ports: EndpointPorts::Own(subset.ports.clone()),
                conditions: manual.conditions,
                node: manual.node.clone(),
                zone: manual.zone.clone(),
                hints: manual.hints.clone(),
            };
            (identity, endpoint)
        })
    })
}
