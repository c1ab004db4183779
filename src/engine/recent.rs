use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::model::{ObjectName, Position, Revision, Service};
use crate::reconcile::{ServiceId, ServiceRecord};

use super::event::{Event, ServiceEntry};
use super::log::Record;
use super::state::Engine;

/// Something that changed behind a revision, for whoever holds the state at that revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recent<'e> {
    /// For scopes that contain the service, which is given as it is now. A REPLACE is followed by all
    /// its endpoints; scopes that may contain its name and do not contain it are to be told a REMOVE
    /// instead.
    Service(&'e Arc<Service>, Event),
    /// The service may have entered or left scopes that look at this field: they cannot be told by
    /// what changed, and read the log ([`Engine::catch_up`]). Told before anything else of the service.
    Crossed(&'e Arc<Service>, Crossed),
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
        let behind = Position::end_of(behind);
        if behind < self.log.floor() {
            return false;
        }
        // Services of which a whole, or a mark, was told.
        let mut told: FxHashSet<ServiceId> = FxHashSet::default();
        for (position, record) in self.log.after(behind) {
            let (Record::Service(id)
            | Record::Endpoint { service: id, .. }
            | Record::Manual(id, _)
            | Record::Removal(id)) = record
            else {
                self.recent_other(record, sink);
                continue;
            };
            let Some(service) = self.reconciler.services.get(*id) else {
                continue;
            };
            let anchors = &service.positions;
            if anchors.created > behind {
                if told.insert(*id) {
                    self.recent_anew(*id, service, sink);
                }
                continue;
            }
            let crossed = [
                (anchors.labels, Crossed::Labels),
                (anchors.cluster_ip, Crossed::ClusterIp),
            ];
            let crossed = crossed.iter().filter(|(anchor, _)| *anchor > behind);
            if crossed.clone().next().is_some() && told.insert(*id) {
                crossed.for_each(|(_, field)| sink(Recent::Crossed(&service.service, *field)));
            }
            self.recent_record(position, record, service, sink);
        }
        true
    }

    /// A service that is told as a whole, at the first of its records.
    fn recent_anew(&self, id: ServiceId, record: &ServiceRecord, sink: &mut dyn FnMut(Recent<'_>)) {
        let service = &record.service;
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
        position: Position,
        at: &Record,
        record: &ServiceRecord,
        sink: &mut dyn FnMut(Recent<'_>),
    ) {
        let service = &record.service;
        let name = || service.name.clone();
        let event = match at {
            Record::Service(_) => {
                (position == record.positions.entry).then(|| Event::Entry(entry(record)))
            }
            Record::Endpoint {
                service: id,
                pod,
                family,
            } => (self.reconciler)
                .computed(&self.index, *id, *pod, *family)
                .map(|endpoint| Event::Endpoint {
                    service: name(),
                    endpoint,
                }),
            Record::Manual(_, identity) => (self.reconciler.manual)
                .endpoint(&service.name, identity)
                .map(|endpoint| Event::Endpoint {
                    service: name(),
                    endpoint: endpoint.clone(),
                }),
            Record::Removal(_) => record.removals.at(position).map(|identity| Event::Removed {
                service: name(),
                identity: identity.clone(),
            }),
            Record::DeletedService(_) | Record::Node(_) | Record::DeletedNode(_) => None,
        };
        if let Some(event) = event {
            sink(Recent::Service(service, event));
        }
    }

    fn recent_other(&self, record: &Record, sink: &mut dyn FnMut(Recent<'_>)) {
        match record {
            Record::DeletedService(name) => sink(Recent::Gone(name)),
            Record::Node(name) => {
                if let Some(record) = self.reconciler.nodes.get(name) {
                    sink(Recent::Node(Event::Node(record.node.clone())));
                }
            }
            Record::DeletedNode(name) => sink(Recent::Node(Event::NodeRemoved(name.clone()))),
            Record::Service(_)
            | Record::Endpoint { .. }
            | Record::Manual(..)
            | Record::Removal(_) => {}
        }
    }
}

fn entry(record: &ServiceRecord) -> ServiceEntry {
    ServiceEntry {
        service: record.service.clone(),
        revision: record.revision,
    }
}
