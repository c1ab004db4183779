use std::ops::Bound::{self, Excluded, Included, Unbounded};
use std::ops::ControlFlow;

use smol_str::SmolStr;

use crate::model::{IpFamily, ObjectName, Sequence};
use crate::reconcile::{ServiceId, ServicePositions, ServiceRecord, read_identity};

use super::event::{Event, Progress};
use super::log::{Named, Record};
use super::scope::Scope;
use super::state::Engine;
use super::teller::{Teller, entry};
use super::walk::{Listing, NextEndpoint, Offered, Replacing, Walk};

impl Engine {
    /// Brings a subscriber nearer to the head: reads at most `max_records`, tells what is in scope, and
    /// says whether it is there. When it is, what was told since the last time is one consistent cut.
    ///
    /// Where the subscriber has to be asked what it holds, that is said, and the walk stands still until
    /// it has been told ([`Walk::offer`]).
    ///
    /// `sink` may break to end the piece after the event it was given. Cost: the records read, and those
    /// hashed, of which a piece may come to 4,096 more.
    pub fn catch_up(
        &self,
        walk: &mut Walk,
        max_records: usize,
        sink: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Progress {
        if walk
            .checkpoint
            .is_some_and(|checkpoint| checkpoint > self.head)
        {
            // The cursor comes from a replica that is ahead: there is nothing to tell until the head is there.
            return Progress::More;
        }
        let mut teller = Teller {
            left: max_records,
            sink,
        };
        let is_unknown = match walk.cursor.take() {
            Some(cursor) => {
                walk.position = self.log.end_of(cursor);
                !self.log.knows(cursor)
            }
            None => walk.position < self.log.floor().0,
        };
        if walk.reset || is_unknown {
            // Names that were forgotten in the midst of a merge may be among those it has passed.
            let is_merging = walk.listing.as_ref().is_some_and(|it| it.offered.is_some());
            walk.offers &= !is_merging;
            if !walk.offers {
                teller.tell(Event::Reset);
            }
            walk.reset = false;
            walk.position = self.log.last();
            walk.listing = Some(Listing {
                offered: walk.offers.then(Offered::default),
                ..Listing::default()
            });
            walk.replacing = None;
        }
        // The place in the log is looked up once, and only when the listing is through.
        let mut records = None;
        while !teller.is_done() {
            if walk.replacing.is_some() {
                self.tell_endpoints(walk, &mut teller);
            } else if let Some(listing) = &mut walk.listing {
                match &mut listing.offered {
                    None => self.list_next(walk, &mut teller),
                    Some(offered) if offered.is_used_up() => {
                        let first = offered.ask();
                        return Progress::Offer { first };
                    }
                    Some(_) => self.merge_next(walk, &mut teller),
                }
            } else {
                let records = records.get_or_insert_with(|| self.log.after(walk.position));
                let Some((position, record)) = records.next() else {
                    break;
                };
                self.read(position, record, walk, &mut teller);
            }
        }
        // Looked at also when enough was read: who reads just what there is gets its
        // checkpoint, though the writer never pauses.
        if self.is_through(walk) {
            walk.cursor = Some(self.head);
            walk.checkpoint = Some(self.head);
            return Progress::Head(self.head);
        }
        Progress::More
    }

    /// Whether nothing is left to tell.
    fn is_through(&self, walk: &Walk) -> bool {
        walk.replacing.is_none()
            && walk.listing.is_none()
            && self.log.after(walk.position).next().is_none()
    }

    /// Tells the next service of a first listing.
    fn list_next(&self, walk: &mut Walk, teller: &mut Teller<'_>) {
        teller.read();
        let Some(listing) = &mut walk.listing else {
            return;
        };
        if !listing.node_told {
            listing.node_told = true;
            if let Scope::Node(name) = &*walk.scope
                && let Some(record) = self.reconciler.nodes.get(name)
                && record.position <= walk.position
            {
                teller.tell(Event::Node(record.node.clone()));
            }
            return;
        }
        let Some((name, id)) = self.next_in_scope(&walk.scope, listing.after.as_ref()) else {
            walk.listing = None;
            return;
        };
        listing.after = Some(name.clone());
        let Some(record) = self.reconciler.services.get(id) else {
            return;
        };
        let anchor = record.set.positions.anchor(&walk.scope);
        if anchor <= walk.position && walk.scope.covers(&record.service) {
            walk.replacing = Some(teller.tell_anew(record, walk.position.next()));
        }
    }

    /// The first service behind `after` that the scope may contain. Looks only at what the scope names.
    pub(super) fn next_in_scope(
        &self,
        scope: &Scope,
        after: Option<&ObjectName>,
    ) -> Option<(ObjectName, ServiceId)> {
        let services = &self.reconciler.services;
        let first_of = |from: Bound<&ObjectName>| {
            let (id, record) = services.from(from).next()?;
            Some((record.service.name(), id))
        };
        let from = after.map_or(Unbounded, Excluded);
        let Scope::Services(scope) = scope else {
            return first_of(from);
        };
        if !scope.names.is_empty() {
            let mut names = scope.names.range((from, Unbounded));
            return names.find_map(|name| Some((name.clone(), services.id(name)?)));
        }
        if scope.namespaces.is_empty() {
            return first_of(from);
        }
        let start = after.map_or(Unbounded, |name| Included(name.namespace.as_str()));
        scope
            .namespaces
            .range::<str, _>((start, Unbounded))
            .find_map(|namespace| {
                let first = ObjectName::new(namespace.clone(), SmolStr::default());
                let from = after
                    .filter(|name| name.namespace == *namespace)
                    .map_or(Included(&first), Excluded);
                first_of(from).filter(|(name, _)| name.namespace == *namespace)
            })
    }

    /// Tells endpoints of the service that is told anew, until it is through or enough is told.
    fn tell_endpoints(&self, walk: &mut Walk, teller: &mut Teller<'_>) {
        let Some(replacing) = &mut walk.replacing else {
            return;
        };
        let services = &self.reconciler.services;
        let id = services.id(&replacing.service);
        let known = id.and_then(|id| Some((id, services.get(id)?)));
        // A first listing stays where it is while the anchor moves, perhaps to a removal that the
        // listing has passed: only an anchor that is still to come tells the service again.
        let Some((id, record)) =
            known.filter(|(_, r)| r.set.positions.anchor(&walk.scope) <= walk.position)
        else {
            // Deleted, or moved behind the walk: it will be told again from its new place.
            walk.replacing = None;
            teller.read();
            return;
        };
        let Replacing {
            service,
            bound,
            next,
        } = replacing;
        if let NextEndpoint::Computed(first, first_family) = *next {
            let mut stopped = None;
            record.set.members.for_each_from(first, |pod| {
                for family in [IpFamily::V4, IpFamily::V6] {
                    if pod == first && family < first_family {
                        continue;
                    }
                    let Some(membership) = self.reconciler.memberships.find(pod, id, family) else {
                        continue;
                    };
                    if teller.is_done() {
                        stopped = Some(NextEndpoint::Computed(pod, family));
                        return false;
                    }
                    teller.read();
                    if membership.position < *bound
                        && let Some(endpoint) =
                            self.reconciler.computed(&self.index, record, pod, family)
                    {
                        teller.tell(Event::Endpoint {
                            service: service.clone(),
                            endpoint,
                        });
                    }
                }
                true
            });
            *next = stopped.unwrap_or(NextEndpoint::ManualAfter(None));
        }
        let NextEndpoint::ManualAfter(after) = next else {
            return;
        };
        let from = after.clone();
        let rest = record
            .set
            .manual
            .range((from.as_ref().map_or(Unbounded, Excluded), Unbounded));
        for (identity, position) in rest {
            if teller.is_done() {
                return;
            }
            teller.read();
            *after = Some(identity.clone());
            if *position < *bound
                && let Some(endpoint) = self.reconciler.manual.endpoint(service, identity)
            {
                teller.tell(Event::Endpoint {
                    service: service.clone(),
                    endpoint: endpoint.clone(),
                });
            }
        }
        walk.replacing = None;
    }

    /// Tells a record of the log.
    fn read(&self, position: Sequence, record: Record, walk: &mut Walk, teller: &mut Teller<'_>) {
        teller.read();
        walk.position = position;
        let scope = &walk.scope;
        match record {
            Record::Service(id) => {
                let Some(record) = self.reconciler.services.get(id) else {
                    return;
                };
                let anchor = record.set.positions.anchor(scope);
                if position == anchor {
                    if scope.covers(&record.service) {
                        walk.replacing = Some(teller.tell_anew(record, position));
                    } else if scope.may_contain(&record.service.name()) {
                        teller.tell(Event::Remove(record.service.name()));
                    }
                } else if position == record.set.positions.entry
                    && position > anchor
                    && scope.covers(&record.service)
                {
                    teller.tell(Event::Entry(entry(record)));
                }
            }
            Record::Endpoint {
                service,
                pod,
                family,
            } => {
                if let Some(record) = self.told_by_updates(scope, service, position)
                    && let Some(endpoint) =
                        self.reconciler.computed(&self.index, record, pod, family)
                {
                    teller.tell(Event::Endpoint {
                        service: record.service.name(),
                        endpoint,
                    });
                }
            }
            Record::Removal(service) => {
                if let Some(record) = self.told_by_updates(scope, service, position)
                    && let Some(key) = record.set.removals.at(position)
                    && let Some(identity) = read_identity(key, record.service.namespace())
                {
                    let service = record.service.name();
                    teller.tell(Event::Removed { service, identity });
                }
            }
            Record::Named => {
                if let Some(named) = self.log.named(position) {
                    self.read_named(position, named, scope, teller);
                }
            }
        }
    }

    fn read_named(
        &self,
        position: Sequence,
        named: &Named,
        scope: &Scope,
        teller: &mut Teller<'_>,
    ) {
        match named {
            Named::Manual(service, identity) => {
                if let Some(record) = self.told_by_updates(scope, *service, position)
                    && let Some(endpoint) = self
                        .reconciler
                        .manual
                        .endpoint(&record.service.name(), identity)
                {
                    let service = record.service.name();
                    teller.tell(Event::Endpoint {
                        service,
                        endpoint: endpoint.clone(),
                    });
                }
            }
            Named::DeletedService(name) if scope.may_contain(name) => {
                teller.tell(Event::Remove(name.clone()));
            }
            Named::Node(name) if matches!(scope, Scope::Node(wanted) if wanted == name) => {
                if let Some(record) = self.reconciler.nodes.get(name) {
                    teller.tell(Event::Node(record.node.clone()));
                }
            }
            Named::DeletedNode(name) if matches!(scope, Scope::Node(wanted) if wanted == name) => {
                teller.tell(Event::NodeRemoved(name.clone()));
            }
            Named::DeletedService(_) | Named::Node(_) | Named::DeletedNode(_) => {}
        }
    }

    /// The service, if it is in scope and a record of it at `position` is told by itself: one before
    /// the anchor is told with the service.
    fn told_by_updates(
        &self,
        scope: &Scope,
        service: ServiceId,
        position: Sequence,
    ) -> Option<&ServiceRecord> {
        let record = self.reconciler.services.get(service)?;
        (position > record.set.positions.anchor(scope) && scope.covers(&record.service))
            .then_some(record)
    }
}

impl ServicePositions {
    /// Where a subscriber of this scope is told the service anew: its creation, and the last change of
    /// a field that the scope looks at.
    pub(crate) fn anchor(&self, scope: &Scope) -> Sequence {
        let looked_at = match scope {
            Scope::Node(_) => self.cluster_ip,
            Scope::Services(_) if scope.looks_at_labels() => self.labels,
            Scope::Services(_) => self.created,
        };
        self.created.max(looked_at)
    }
}
