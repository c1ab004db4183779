//! Merging what a subscriber holds with what there is, in order of name: what is the same is not told.

use std::cmp::Ordering;

use smol_str::SmolStr;

use crate::model::RecordHasher;
use crate::reconcile::{ServiceId, ServiceRecord};

use super::event::Event;
use super::held::Held;
use super::scope::Scope;
use super::service_digest::Found;
use super::state::Engine;
use super::teller::Teller;
use super::walk::{Listing, Offered, Walk};

/// How a service that is held stands to what is there.
enum Compared {
    /// It is the same, or is told by the log from its new place.
    Settled,
    /// It is the same, but another revision wrote it last.
    Rewritten,
    Differs,
    /// More has to be hashed.
    Unknown,
}

impl Engine {
    /// Tells the next that differs of what a subscriber offered and what there is. The listing has an
    /// offer that is not used up, or was the last.
    ///
    /// As with a first listing, what the log tells behind the walk's position is left to it: it tells
    /// states, which is right for whoever holds more than the position says.
    pub(super) fn merge_next(&self, walk: &mut Walk, teller: &mut Teller<'_>) {
        teller.read();
        let Some(mut listing) = walk.listing.take() else {
            return;
        };
        let Some(mut offered) = listing.offered.take() else {
            return;
        };
        let goes_on = if listing.node_told {
            self.merge_service(walk, &mut listing, &mut offered, teller)
        } else {
            self.merge_node(walk, &mut listing, &mut offered, teller);
            true
        };
        if goes_on {
            listing.offered = Some(offered);
            walk.listing = Some(listing);
        }
    }

    /// Nodes come first: they have no namespace.
    fn merge_node(
        &self,
        walk: &Walk,
        listing: &mut Listing,
        offered: &mut Offered,
        teller: &mut Teller<'_>,
    ) {
        let own = match &*walk.scope {
            Scope::Node(name) => Some(name),
            Scope::Services(_) => None,
        };
        let there = |name: &SmolStr| {
            let record = self
                .reconciler
                .nodes
                .get(name)
                .filter(|_| own == Some(name));
            record.map(|record| (&record.node, record.position <= walk.position))
        };
        if let Some(held) = offered.next_if(|held| held.name.namespace.is_empty()) {
            let name = held.name.name;
            offered.own_node |= own == Some(&name);
            match there(&name) {
                None => teller.tell(Event::NodeRemoved(name)),
                Some((node, true)) if RecordHasher::default().node(node) != held.digest => {
                    teller.tell(Event::Node(node.clone()));
                }
                Some(_) => {}
            }
            return;
        }
        listing.node_told = true;
        if !offered.own_node
            && let Some(name) = own
            && let Some((node, true)) = there(name)
        {
            teller.tell(Event::Node(node.clone()));
        }
    }

    /// Answers whether there may be more.
    fn merge_service(
        &self,
        walk: &mut Walk,
        listing: &mut Listing,
        offered: &mut Offered,
        teller: &mut Teller<'_>,
    ) -> bool {
        let there = self.next_in_scope(&walk.scope, listing.after.as_ref());
        let held = offered.first();
        let order = match (&held, &there) {
            (None, None) => return false,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(held), Some((name, _))) => held.name.cmp(name),
        };
        if order.is_lt() {
            if let Some(held) = offered.next() {
                listing.after = Some(held.name.clone());
                teller.tell(Event::Remove(held.name));
            }
            return true;
        }
        let Some((name, id)) = there else {
            return true;
        };
        let record = self.reconciler.services.get(id);
        let record = record.filter(|record| walk.scope.covers(&record.service));
        let is_told_here =
            |record: &&ServiceRecord| record.set.positions.anchor(&walk.scope) <= walk.position;
        if order.is_gt() {
            listing.after = Some(name);
            if let Some(record) = record.filter(is_told_here) {
                walk.replacing = Some(teller.tell_anew(record, walk.position.next()));
            }
            return true;
        }
        let compared = match record.filter(is_told_here) {
            Some(told) => self.compare(id, told, offered, teller),
            None => Compared::Settled,
        };
        if matches!(compared, Compared::Unknown) {
            return true;
        }
        offered.next();
        listing.after = Some(name.clone());
        match (compared, record) {
            (_, None) => teller.tell(Event::Remove(name)),
            (Compared::Differs, Some(record)) => {
                walk.replacing = Some(teller.tell_anew(record, walk.position.next()));
            }
            // Behind the position, the log tells it.
            (Compared::Rewritten, Some(record)) if record.set.positions.entry <= walk.position => {
                let revision = record.revision;
                let service = name;
                teller.tell(Event::Rewritten { service, revision });
            }
            _ => {}
        }
        true
    }

    /// Compares a service with what is offered of it.
    fn compare(
        &self,
        id: ServiceId,
        record: &ServiceRecord,
        offered: &mut Offered,
        teller: &mut Teller<'_>,
    ) -> Compared {
        let found = self.find_digest(id, record, &mut teller.left, &mut offered.parts);
        match (found, offered.first()) {
            (Found::Part, _) => Compared::Unknown,
            (
                Found::Digest(digest),
                Some(Held {
                    digest: held,
                    revision,
                    ..
                }),
            ) if digest == *held => {
                if *revision == record.revision {
                    Compared::Settled
                } else {
                    Compared::Rewritten
                }
            }
            (Found::Digest(_) | Found::No, _) => Compared::Differs,
        }
    }
}
