use crate::model::{IpFamily, Sequence, Service};
use crate::reconcile::{
    Difference, Differences, Holder, Membership, ServiceId, ServicePositions, Side, Touched,
    read_identity,
};

use super::log::{Named, Record};
use super::state::Engine;

/// Writing to the log what a transaction changed.
impl Engine {
    pub(super) fn write_nodes(&mut self, touched: &Touched) {
        for (name, before) in &touched.nodes {
            match self.reconciler.nodes.get_mut(name) {
                Some(record) => {
                    if before.is_some() {
                        self.log.drop_named(record.position);
                    } else {
                        self.log.forget_node_deletion(name);
                    }
                    record.position = self.log.append_named(Named::Node(name.clone()));
                }
                None => self.log.remember_node_deletion(name.clone()),
            }
        }
    }

    /// Drops all records of deleted services; what is left of each is its name.
    pub(super) fn write_deleted_services(&mut self, touched: &Touched) {
        for id in &touched.deleted_services {
            let Some((name, set)) = self.reconciler.services.remove(*id) else {
                continue;
            };
            set.members.for_each(|pod| {
                for family in [IpFamily::V4, IpFamily::V6] {
                    if let Some(position) = self.reconciler.memberships.clear(pod, *id, family) {
                        self.log.drop_at(position);
                    }
                }
            });
            set.manual
                .values()
                .for_each(|position| drop(self.log.drop_named(*position)));
            set.removals
                .iter()
                .for_each(|(position, _)| self.log.drop_at(position));
            let ServicePositions {
                entry,
                created,
                labels,
                cluster_ip,
            } = set.positions;
            [entry, created, labels, cluster_ip]
                .into_iter()
                .for_each(|position| self.log.drop_at(position));
            self.log.remember_service_deletion(name);
        }
    }

    /// Writes, service by service: its changed fields, its endpoints, and last the anchor of a service
    /// that is new, so that a subscriber is sent it with its endpoints in one piece.
    pub(super) fn write_services(&mut self, touched: &Touched, differences: &Differences) {
        let mut services = touched.services.iter().peekable();
        let mut rest = differences.list();
        loop {
            let of_difference = rest.first().map(|difference| difference.service);
            let of_service = services.peek().map(|(id, _)| **id);
            let Some(id) = of_difference.into_iter().chain(of_service).min() else {
                return;
            };
            let before = services.next_if(|(touched, _)| **touched == id);
            let before = before.map(|(_, before)| before.as_deref());
            if let Some(Some(before)) = before {
                self.write_fields(id, before);
            }
            let of_service = rest.iter().take_while(|d| d.service == id).count();
            let (differing, later) = rest.split_at(of_service);
            rest = later;
            for difference in differing {
                self.write_difference(difference, differences.key(difference));
            }
            if let Some(None) = before {
                self.write_creation(id);
            }
            self.limit_removals(id);
        }
    }

    fn write_fields(&mut self, id: ServiceId, before: &Service) {
        let Some(record) = self.reconciler.services.get_mut(id) else {
            return;
        };
        let old = record.set.positions;
        let now = &record.service;
        let position = self.log.append(Record::Service(id));
        record.set.sums.forget_fields();
        record.set.positions.entry = position;
        if before.labels != *now.labels() {
            record.set.positions.labels = position;
        }
        if before.has_cluster_ip() != now.has_cluster_ip() {
            record.set.positions.cluster_ip = position;
        }
        for left in [old.entry, old.labels, old.cluster_ip] {
            if !record.set.positions.stands_at(left) {
                self.log.drop_at(left);
            }
        }
    }

    fn write_creation(&mut self, id: ServiceId) {
        let Some(record) = self.reconciler.services.get_mut(id) else {
            return;
        };
        self.log.forget_service_deletion(&record.service.name());
        let position = self.log.append(Record::Service(id));
        record.set.positions = ServicePositions {
            entry: position,
            created: position,
            labels: position,
            cluster_ip: position,
        };
    }

    fn write_difference(&mut self, difference: &Difference, key: &[u8]) {
        let Difference {
            service,
            before,
            after,
            ..
        } = *difference;
        let Some(record) = self.reconciler.services.get_mut(service) else {
            return;
        };
        let ready = |side: Option<Side>| u64::from(side.is_some_and(|side| side.ready));
        record.set.total =
            record.set.total + u64::from(after.is_some()) - u64::from(before.is_some());
        record.set.ready = record.set.ready + ready(after) - ready(before);
        let (held, holds) = (
            before.map(|side| side.holder),
            after.map(|side| side.holder),
        );
        let manual = |key| read_identity(key, record.service.namespace());
        if record.set.sums.is_any() {
            let left = held.map(|holder| (holder, -1));
            let came = holds.map(|holder| (holder, 1));
            for (holder, more) in left.into_iter().chain(came) {
                match holder {
                    Holder::Computed { pod, .. } => record.set.sums.forget_pod(pod, more),
                    Holder::Manual => {
                        if let Some(identity) = manual(key) {
                            record.set.sums.forget_manual(&identity, more);
                        }
                    }
                }
            }
        }
        let left = match held {
            // Where it stood is answered when its new place is set.
            Some(Holder::Computed { .. }) if held == holds => None,
            Some(Holder::Computed { pod, family }) => {
                let left = self.reconciler.memberships.clear(pod, service, family);
                if !self.reconciler.memberships.any(pod, service) {
                    record.set.members.remove(pod);
                }
                left
            }
            Some(Holder::Manual) => {
                let left = manual(key).and_then(|identity| record.set.manual.remove(&identity));
                left.and_then(|position| self.log.drop_named(position));
                None
            }
            None => record.set.removals.remove(key),
        };
        if let Some(position) = left {
            self.log.drop_at(position);
        }
        match holds {
            Some(Holder::Computed { pod, family }) => {
                let position = self.log.append(Record::Endpoint {
                    service,
                    pod,
                    family,
                });
                let membership = Membership {
                    service,
                    family,
                    position,
                };
                match self.reconciler.memberships.set(pod, membership) {
                    Some(left) => self.log.drop_at(left),
                    None => {
                        record.set.members.insert(pod);
                    }
                }
            }
            Some(Holder::Manual) => {
                if let Some(identity) = manual(key) {
                    let named = Named::Manual(service, identity.clone());
                    let position = self.log.append_named(named);
                    record.set.manual.insert(identity, position);
                }
            }
            None => {
                let position = self.log.append(Record::Removal(service));
                record.set.removals.insert(position, key);
            }
        }
    }

    /// Forgets the oldest removals of a service. Who has not read them is sent the service anew: its
    /// anchor moves to the newest one forgotten.
    fn limit_removals(&mut self, id: ServiceId) {
        let Some(record) = self.reconciler.services.get_mut(id) else {
            return;
        };
        let keep = self.options.retention.removals(record.set.total);
        let mut forgotten: Option<Sequence> = None;
        while record.set.removals.len() > keep {
            let Some(position) = record.set.removals.forget_oldest() else {
                break;
            };
            forgotten
                .into_iter()
                .for_each(|older| self.log.drop_at(older));
            forgotten = Some(position);
        }
        let Some(position) = forgotten else { return };
        let left = std::mem::replace(&mut record.set.positions.created, position);
        self.log.replace_at(position, Record::Service(id));
        if !record.set.positions.stands_at(left) {
            self.log.drop_at(left);
        }
    }
}

impl ServicePositions {
    /// Whether one of the service's records stands at `position`.
    pub(crate) fn stands_at(&self, position: Sequence) -> bool {
        [self.entry, self.created, self.labels, self.cluster_ip].contains(&position)
    }
}
