use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::model::{ObjectName, Revision, Sequence};
use crate::reconcile::{ServiceId, ServiceRecord, read_identity};

use super::event::Event;
use super::log::{Named, Record};
use super::scope::ServiceOutline;
use super::state::Engine;
use super::teller::entry;

/// Something that changed behind a revision, for whoever holds the state at that revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recent<'e> {
    /// For scopes that contain the service, which is given as it is now. A REPLACE is followed by all
    /// its endpoints; scopes that may contain its name and do not contain it are to be told a REMOVE
    /// instead.
    Service(&'e Arc<ServiceOutline>, Event),
    /// The service may have entered or left scopes that look at this field: they cannot be told by
    /// what changed, and read the log ([`Engine::catch_up`]). Told before anything else of the service.
    Crossed(&'e Arc<ServiceOutline>, Crossed),
    /// The service of this name is gone.
    Gone(&'e ObjectName),
    /// A node is new, changed or gone: for the scopes of that node.
    Node(Event),
}

/// Which field of a service changed that some scopes look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crossed {
    /// Its labels.
    Labels,
    /// Whether it has a cluster IP.
    ClusterIp,
}

impl Engine {
    /// Tells what changed behind a revision, up to the head, whatever the scope: the same that
    /// [`Engine::catch_up`] would tell subscribers who are at that revision. Answers whether all could
    /// be told; if not, the names of deleted services have been forgotten since, and such subscribers
    /// have to begin anew.
    ///
    /// Cost: the records written since; for a service of which removed endpoints were forgotten
    /// meanwhile, all its endpoints, which by default are at most four times as many.
    pub fn recent(&self, behind: Revision, sink: &mut dyn FnMut(Recent<'_>)) -> bool {
        let (_, floor) = self.log.floor();
        if behind < floor {
            return false;
        }
        let behind = self.log.end_of(behind);
        // Services of which a whole, or a mark, was told.
        let mut told: FxHashSet<ServiceId> = FxHashSet::default();
        let mut last: Option<(ServiceId, Arc<ServiceOutline>)> = None;
        for (position, record) in self.log.after(behind) {
            let (id, named) = match record {
                Record::Service(id) | Record::Removal(id) => (Some(id), None),
                Record::Endpoint { service, .. } => (Some(service), None),
                Record::Named => match self.log.named(position) {
                    Some(named @ Named::Manual(id, _)) => (Some(*id), Some(named)),
                    other => (None, other),
                },
            };
            let Some(id) = id else {
                self.recent_other(named, sink);
                continue;
            };
            let Some(service) = self.reconciler.services.get(id) else {
                continue;
            };
            let outline = match last.take().filter(|(of, _)| *of == id) {
                Some((_, outline)) => outline,
                None => Arc::new(outline(service)),
            };
            let anchors = &service.set.positions;
            if anchors.created > behind {
                if told.insert(id) {
                    self.recent_anew(id, service, &outline, sink);
                }
            } else {
                let crossed = [
                    (anchors.labels, Crossed::Labels),
                    (anchors.cluster_ip, Crossed::ClusterIp),
                ];
                let crossed = crossed.iter().filter(|(anchor, _)| *anchor > behind);
                if crossed.clone().next().is_some() && told.insert(id) {
                    crossed.for_each(|(_, field)| sink(Recent::Crossed(&outline, *field)));
                }
                let at = At {
                    position,
                    record,
                    named,
                };
                self.recent_record(at, service, &outline, sink);
            }
            last = Some((id, outline));
        }
        true
    }

    /// A service that is told as a whole, at the first of its records.
    fn recent_anew(
        &self,
        id: ServiceId,
        record: &ServiceRecord,
        service: &Arc<ServiceOutline>,
        sink: &mut dyn FnMut(Recent<'_>),
    ) {
        sink(Recent::Service(service, Event::Replace(entry(record))));
        for endpoint in self.reconciler.endpoints(&self.index, id) {
            let service_name = service.name.clone();
            let event = Event::Endpoint {
                service: service_name,
                endpoint,
            };
            sink(Recent::Service(service, event));
        }
    }

    /// A record of a service that stood before.
    fn recent_record(
        &self,
        at: At<'_>,
        record: &ServiceRecord,
        service: &Arc<ServiceOutline>,
        sink: &mut dyn FnMut(Recent<'_>),
    ) {
        let name = || service.name.clone();
        let position = at.position;
        let event = match at.record {
            Record::Service(_) => {
                (position == record.set.positions.entry).then(|| Event::Entry(entry(record)))
            }
            Record::Endpoint { pod, family, .. } => (self.reconciler)
                .computed(&self.index, record, pod, family)
                .map(|endpoint| Event::Endpoint {
                    service: name(),
                    endpoint,
                }),
            Record::Removal(_) => (record.set.removals.at(position))
                .and_then(|key| read_identity(key, &service.name.namespace))
                .map(|identity| Event::Removed {
                    service: name(),
                    identity,
                }),
            Record::Named => match at.named {
                Some(Named::Manual(_, identity)) => (self.reconciler.manual)
                    .endpoint(&service.name, identity)
                    .map(|endpoint| Event::Endpoint {
                        service: name(),
                        endpoint: endpoint.clone(),
                    }),
                _ => None,
            },
        };
        if let Some(event) = event {
            sink(Recent::Service(service, event));
        }
    }

    fn recent_other(&self, named: Option<&Named>, sink: &mut dyn FnMut(Recent<'_>)) {
        match named {
            Some(Named::DeletedService(name)) => sink(Recent::Gone(name)),
            Some(Named::Node(name)) => {
                if let Some(record) = self.reconciler.nodes.get(name) {
                    sink(Recent::Node(Event::Node(record.node.clone())));
                }
            }
            Some(Named::DeletedNode(name)) => {
                sink(Recent::Node(Event::NodeRemoved(name.clone())));
            }
            Some(Named::Manual(..)) | None => {}
        }
    }
}

fn outline(record: &ServiceRecord) -> ServiceOutline {
    ServiceOutline {
        name: record.service.name(),
        labels: record.service.labels().clone(),
        has_cluster_ip: record.service.has_cluster_ip(),
    }
}

/// A record that is being told.
#[derive(Clone, Copy)]
struct At<'e> {
    position: Sequence,
    record: Record,
    named: Option<&'e Named>,
}
