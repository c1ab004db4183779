use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use smol_str::SmolStr;

use crate::index::PodRef;
use crate::model::{Endpoint, EndpointIdentity, IpFamily, Sequence, Service};
use crate::reconcile::{ServiceFacts, ServiceId, standing_selector};

use super::log::{Named, Record};
use super::state::Engine;

/// Something that is not what a recomputation from the facts says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discrepancy(String);

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a place of the log should hold.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Record(Record),
    Named(Named),
}

type Expected = BTreeMap<Sequence, Standing>;

impl Engine {
    /// Recomputes everything derived from the facts, the slow way, and tells what differs: postings,
    /// classes, endpoint sets, counts, and that every record stands in the log where its owner says, and
    /// digests that are remembered.
    ///
    /// Costs pods × services within each namespace, and pods × live queries.
    pub fn verify(&self) -> Vec<Discrepancy> {
        let mut found = Vec::new();
        let mut report = |text: String| found.push(Discrepancy(text));
        self.index.verify(&mut report);
        self.reconciler.verify_standing(&self.index, &mut report);
        self.live_queries.verify(&self.index, &mut report);
        self.verify_services(&mut report);
        self.verify_log(&mut report);
        self.verify_digests(&mut report);
        found
    }

    fn verify_services(&self, report: &mut dyn FnMut(String)) {
        let services = &self.reconciler.services;
        let mut pods_of: BTreeMap<&SmolStr, Vec<PodRef<'_>>> = BTreeMap::new();
        for (_, pod) in self.index.pods() {
            pods_of.entry(pod.namespace()).or_default().push(pod);
        }
        let mut members_of: BTreeMap<ServiceId, BTreeSet<u32>> = BTreeMap::new();
        for (pod, membership) in self.reconciler.memberships.iter() {
            members_of
                .entry(membership.service)
                .or_default()
                .insert(pod);
        }
        for (id, record) in services.iter() {
            let service = record.service.whole();
            let name = &service.name;
            if services.id(name) != Some(id) {
                report(format!("service {name} is not found by its name"));
            }
            let standing = self.reconciler.standing.get(&name.namespace);
            if let Some(selector) = standing_selector(&service)
                && standing.is_none_or(|s| !s.holds(id, &selector))
            {
                report(format!(
                    "service {name} is not in the reverse index with its selector"
                ));
            }
            let pods = pods_of.get(&name.namespace).map_or(&[][..], Vec::as_slice);
            let expected = self.recompute(&service, pods);
            let stored = self.reconciler.endpoints(&self.index, id);
            let ready = expected
                .values()
                .filter(|endpoint| endpoint.conditions.ready)
                .count() as u64;
            if !stored.iter().eq(expected.values()) {
                report(format!(
                    "service {name} has {} endpoints, {} by recomputation",
                    stored.len(),
                    expected.len()
                ));
            }
            if (record.set.total, record.set.ready) != (expected.len() as u64, ready) {
                report(format!(
                    "service {name} counts {} endpoints, {} ready; there are {} and {ready}",
                    record.set.total,
                    record.set.ready,
                    expected.len()
                ));
            }
            let keep = self.options.retention.removals(record.set.total);
            if record.set.removals.len() > keep {
                report(format!(
                    "service {name} remembers {} removals, {keep} at most",
                    record.set.removals.len()
                ));
            }
            let mut members = BTreeSet::new();
            record.set.members.for_each(|pod| {
                members.insert(pod);
            });
            if members != members_of.remove(&id).unwrap_or_default() {
                report(format!(
                    "service {name} and its pods disagree about who is a member"
                ));
            }
        }
    }

    /// The endpoints of a service by a scan of the pods of its namespace.
    fn recompute(
        &self,
        service: &Service,
        pods: &[PodRef<'_>],
    ) -> BTreeMap<EndpointIdentity, Endpoint> {
        let mut endpoints: BTreeMap<EndpointIdentity, Endpoint> = BTreeMap::new();
        let manual = self.reconciler.manual.identities(&service.name);
        for identity in manual {
            if let Some(endpoint) = self.reconciler.manual.endpoint(&service.name, identity) {
                endpoints.insert(identity.clone(), endpoint.clone());
            }
        }
        let Some(selector) = standing_selector(service) else {
            return endpoints;
        };
        for pod in pods.iter().copied() {
            if !selector.matches(&pod.labels()) {
                continue;
            }
            for family in [IpFamily::V4, IpFamily::V6] {
                if let Some(endpoint) =
                    self.reconciler
                        .project(ServiceFacts::of(service), pod, family)
                {
                    endpoints.insert(endpoint.identity.clone(), endpoint);
                }
            }
        }
        endpoints
    }

    /// Every record that somebody says stands somewhere does, and nothing else stands in the log.
    fn verify_log(&self, report: &mut dyn FnMut(String)) {
        let mut expected: Expected = BTreeMap::new();
        let services = &self.reconciler.services;
        for (pod, membership) in self.reconciler.memberships.iter() {
            let (service, family) = (membership.service, membership.family);
            expected.insert(
                membership.position,
                Standing::Record(Record::Endpoint {
                    service,
                    pod,
                    family,
                }),
            );
        }
        for (id, record) in services.iter() {
            self.service_records(id, &mut expected);
            for (position, _) in record.set.removals.iter() {
                expected.insert(position, Standing::Record(Record::Removal(id)));
            }
        }
        for (name, record) in self.reconciler.nodes.iter() {
            let node = Standing::Named(Named::Node(name.clone()));
            expected.insert(record.position, node);
        }
        expected.extend(
            self.log
                .deletions()
                .map(|(position, named)| (position, Standing::Named(named.clone()))),
        );
        let mut count = 0;
        for (position, record) in self.log.after(Sequence::START) {
            count += 1;
            let revision = self.log.revision_of(position);
            if revision.is_none_or(|revision| revision > self.head) {
                report(format!(
                    "{record:?} stands at {position:?}, of revision {revision:?}, the head is {}",
                    self.head
                ));
            }
            let standing = match record {
                Record::Named => self.log.named(position).cloned().map(Standing::Named),
                record => Some(Standing::Record(record)),
            };
            if expected.get(&position) != standing.as_ref() {
                report(format!(
                    "{standing:?} stands at {position:?}, where {:?} should",
                    expected.get(&position)
                ));
            }
        }
        if count != expected.len() || count != self.log.len() {
            report(format!(
                "{count} records stand in the log, {} should",
                expected.len()
            ));
        }
    }

    fn service_records(&self, id: ServiceId, expected: &mut Expected) {
        let Some(record) = self.reconciler.services.get(id) else {
            return;
        };
        let at = record.set.positions;
        for position in [at.entry, at.created, at.labels, at.cluster_ip] {
            expected.insert(position, Standing::Record(Record::Service(id)));
        }
        for (identity, position) in &record.set.manual {
            let manual = Named::Manual(id, identity.clone());
            expected.insert(*position, Standing::Named(manual));
        }
    }
}
