use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use smol_str::SmolStr;

use crate::model::{EndpointIdentity, IpFamily, ObjectName, Position, Revision};
use crate::reconcile::ServiceId;

/// What stands at a position: which thing changed last there. Its content is looked up when it is
/// read, so a record is told as it is and not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    /// A service: its fields, or one of its anchors.
    Service(ServiceId),
    /// A computed endpoint.
    Endpoint {
        service: ServiceId,
        pod: u32,
        family: IpFamily,
    },
    /// A hand-made endpoint that shows.
    Manual(ServiceId, Box<EndpointIdentity>),
    /// A removed endpoint, remembered by its service under this position.
    Removal(ServiceId),
    /// A deleted service, remembered by name.
    DeletedService(Box<ObjectName>),
    /// A node.
    Node(SmolStr),
    /// A deleted node, remembered by name.
    DeletedNode(SmolStr),
}

/// All records, each once, at the position of its last change.
#[derive(Debug, Default)]
pub(crate) struct Log {
    records: BTreeMap<Position, Record>,
    /// Where the next record goes.
    next: Position,
    /// Where the newest one was put.
    last: Position,
    /// Records ever written.
    written: u64,
    deleted_services: BTreeMap<ObjectName, Position>,
    deleted_nodes: BTreeMap<SmolStr, Position>,
    /// Deletions by position: the order in which they are forgotten.
    deletions: BTreeMap<Position, Record>,
    /// The newest deletion that was forgotten: a cursor before it cannot be told what is gone.
    floor: Position,
}

impl Log {
    /// From here on, records belong to this revision.
    pub(crate) fn begin(&mut self, revision: Revision) {
        self.next = Position { revision, index: 0 };
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    pub(crate) fn floor(&self) -> Position {
        self.floor
    }

    /// Writes a record behind all others.
    pub(crate) fn append(&mut self, record: Record) -> Position {
        let position = self.next;
        self.next.index += 1;
        self.last = position;
        self.written += 1;
        self.records.insert(position, record);
        position
    }

    /// Takes a record out.
    pub(crate) fn drop_at(&mut self, position: Position) {
        self.records.remove(&position);
    }

    /// Puts another record in the place of one.
    pub(crate) fn replace_at(&mut self, position: Position, record: Record) {
        self.records.insert(position, record);
    }

    /// The records behind a position. Whoever is at the end is told so without a search.
    pub(crate) fn after(&self, position: Position) -> impl Iterator<Item = (Position, &Record)> {
        (position < self.last)
            .then(|| self.records.range((Excluded(position), Unbounded)))
            .into_iter()
            .flatten()
            .map(|(position, record)| (*position, record))
    }

    pub(crate) fn deletions(&self) -> impl Iterator<Item = (&Position, &Record)> {
        self.deletions.iter()
    }

    pub(crate) fn deletion_count(&self) -> usize {
        self.deletions.len()
    }

    pub(crate) fn remember_service_deletion(&mut self, name: ObjectName) {
        let record = Record::DeletedService(Box::new(name.clone()));
        let position = self.append(record.clone());
        self.deletions.insert(position, record);
        self.deleted_services.insert(name, position);
    }

    /// The service is there again.
    pub(crate) fn forget_service_deletion(&mut self, name: &ObjectName) {
        if let Some(position) = self.deleted_services.remove(name) {
            self.deletions.remove(&position);
            self.drop_at(position);
        }
    }

    pub(crate) fn remember_node_deletion(&mut self, name: SmolStr) {
        let position = self.append(Record::DeletedNode(name.clone()));
        self.deletions
            .insert(position, Record::DeletedNode(name.clone()));
        self.deleted_nodes.insert(name, position);
    }

    /// The node is there again.
    pub(crate) fn forget_node_deletion(&mut self, name: &str) {
        if let Some(position) = self.deleted_nodes.remove(name) {
            self.deletions.remove(&position);
            self.drop_at(position);
        }
    }

    /// Keeps the newest `keep` deletions; forgetting one raises the floor.
    pub(crate) fn limit_deletions(&mut self, keep: usize) {
        while self.deletions.len() > keep {
            let Some((position, record)) = self.deletions.pop_first() else {
                return;
            };
            match record {
                Record::DeletedService(name) => self.deleted_services.remove(&*name),
                Record::DeletedNode(name) => self.deleted_nodes.remove(&name),
                _ => None,
            };
            self.drop_at(position);
            self.floor = position;
        }
    }
}
