use std::collections::{BTreeMap, BTreeSet};
use std::hint::black_box;

use smol_str::SmolStr;

use crate::model::{EndpointIdentity, IpFamily, ObjectName, Revision, Sequence};
use crate::reconcile::ServiceId;

use super::gaps::Gaps;
use super::kept::Noted;
use super::segment::{SEGMENT, Segment, place};

/// Which thing changed last at a place. Its content is looked up when it is read, so a record is
/// told as it is and not as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record {
    /// A service: its fields, or one of its anchors.
    Service(ServiceId),
    /// A computed endpoint.
    Endpoint {
        service: ServiceId,
        pod: u32,
        family: IpFamily,
    },
    /// A removed endpoint, remembered by its service under this sequence number.
    Removal(ServiceId),
    /// One of those that have no id: see [`Log::named`].
    Named,
}

/// What is known by name alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// A hand-made endpoint that shows.
    Manual(ServiceId, EndpointIdentity),
    /// A deleted service.
    DeletedService(ObjectName),
    /// A node.
    Node(SmolStr),
    /// A deleted node.
    DeletedNode(SmolStr),
}

/// All records, each once, in the order of their last changes.
///
/// A table of segments, each a range of sequence numbers: one is found by its number, a revision by
/// binary search. It grows by a segment, and a dropped record touches its segment alone.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Those that hold a record, and the one that is being written.
    segments: Vec<Segment>,
    revision: Revision,
    /// The newest record.
    last: Sequence,
    /// Records ever written.
    written: u64,
    living: usize,
    named: BTreeMap<Sequence, Named>,
    deleted_services: BTreeMap<ObjectName, Sequence>,
    deleted_nodes: BTreeMap<SmolStr, Sequence>,
    /// Deletions, in the order in which they are forgotten.
    deletions: BTreeSet<Sequence>,
    floor: (Sequence, Revision),
    /// Revisions between which others may have seen what was never seen here.
    gaps: Gaps,
    /// For whoever keeps the records elsewhere, too.
    noted: Option<Noted>,
}

impl Log {
    /// From here on, records belong to this revision.
    pub(crate) fn begin(&mut self, revision: Revision) {
        self.revision = revision;
    }

    pub(crate) fn len(&self) -> usize {
        self.living
    }

    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// The newest deletion that was forgotten, and its revision: who stands before it cannot be told
    /// what is gone.
    pub(crate) fn floor(&self) -> (Sequence, Revision) {
        self.floor
    }

    /// Whether somebody who holds the state at this revision, or any up to the head, can be told what
    /// changed since.
    pub(crate) fn knows(&self, cursor: Revision) -> bool {
        cursor >= self.floor.1 && !self.is_in_gap(cursor)
    }

    /// Whether this revision was passed over.
    pub(crate) fn is_in_gap(&self, revision: Revision) -> bool {
        self.gaps.contain(revision)
    }

    /// What was written before this revision is not known, but by who is walking already.
    pub(crate) fn raise_floor(&mut self, revision: Revision) {
        self.floor.1 = self.floor.1.max(revision);
    }

    /// Revisions between these were passed over: whoever comes from one of them may hold what came and
    /// went meanwhile.
    pub(crate) fn pass_over(&mut self, after: Revision, until: Revision) {
        if let Some(forgotten) = self.gaps.add(after, until) {
            self.raise_floor(forgotten);
        }
    }

    /// The newest record that was written.
    pub(crate) fn last(&self) -> Sequence {
        self.last
    }

    /// Writes a record behind all others.
    pub(crate) fn append(&mut self, record: Record) -> Sequence {
        let mut at = self.last.next();
        let (mut number, mut offset) = place(at);
        let revision = self.revision;
        let last = self.segments.last();
        if !last.is_some_and(|s| s.number() == number && s.reaches(revision)) {
            if last.is_some_and(|s| s.number() == number) {
                // So far behind the segment's first revision that another one is begun.
                number += 1;
                offset = 0;
                at = Sequence(number * SEGMENT);
            }
            self.close();
            self.segments.push(Segment::new(number, revision));
        }
        if let Some(segment) = self.segments.last_mut() {
            segment.push(offset, revision, record);
        }
        self.last = at;
        self.written += 1;
        self.living += 1;
        at
    }

    /// Writes a record of something that has no id.
    pub(crate) fn append_named(&mut self, named: Named) -> Sequence {
        let at = self.append(Record::Named);
        self.named.insert(at, named);
        at
    }

    /// Reads what dropping these records will read, so that reads overlap.
    pub(crate) fn look_ahead(&self, records: &[Sequence]) {
        let there = records.iter().filter(|at| {
            let (number, offset) = place(**at);
            let segment = self.segment(number).and_then(|at| self.segments.get(at));
            segment.is_some_and(|segment| segment.is_alive(offset))
        });
        black_box(there.count());
    }

    /// Takes a record out, whose content is not [`Named`].
    pub(crate) fn drop_at(&mut self, at: Sequence) {
        let (number, offset) = place(at);
        let Some(index) = self.segment(number) else {
            return;
        };
        let is_last = index + 1 == self.segments.len();
        let Some(segment) = self.segments.get_mut(index) else {
            return;
        };
        if segment.drop_at(offset) {
            self.living -= 1;
            if let Some(noted) = &mut self.noted {
                noted.drop_at(at);
            }
            if !is_last {
                self.tidy(index);
            }
        }
    }

    /// Takes a record out, whose content is [`Named`].
    pub(crate) fn drop_named(&mut self, at: Sequence) -> Option<Named> {
        self.drop_at(at);
        self.named.remove(&at)
    }

    /// What is known by name at this place.
    pub(crate) fn named(&self, at: Sequence) -> Option<&Named> {
        self.named.get(&at)
    }

    /// Puts another record in the place of one.
    pub(crate) fn replace_at(&mut self, at: Sequence, record: Record) {
        let (number, offset) = place(at);
        let index = self.segment(number);
        if let Some(segment) = index.and_then(|index| self.segments.get_mut(index)) {
            segment.replace_at(offset, record);
            if let Some(noted) = &mut self.noted {
                noted.replace_at(at);
            }
        }
    }

    /// The record that stands there, if it is still alive.
    pub(crate) fn record_at(&self, at: Sequence) -> Option<Record> {
        let before = Sequence(at.0.checked_sub(1)?);
        let (found, record) = self.after(before).next()?;
        (found == at).then_some(record)
    }

    /// Writes a record where it stood in another log of the same history: behind those before it, and
    /// of no earlier revision. Answers whether it can stand there.
    pub(crate) fn restore(&mut self, at: Sequence, revision: Revision, record: Record) -> bool {
        if at <= self.last || revision < self.revision {
            return false;
        }
        let (number, offset) = place(at);
        if self.segments.last().is_none_or(|s| s.number() != number) {
            self.close();
            self.segments.push(Segment::new(number, revision));
        }
        let Some(segment) = self.segments.last_mut().filter(|s| s.reaches(revision)) else {
            return false;
        };
        segment.push(offset, revision, record);
        self.revision = revision;
        self.last = at;
        self.living += 1;
        true
    }

    /// The same of a record of something that has no id.
    pub(crate) fn restore_named(&mut self, at: Sequence, revision: Revision, named: Named) -> bool {
        if !self.restore(at, revision, Record::Named) {
            return false;
        }
        match &named {
            Named::DeletedService(name) => {
                self.deletions.insert(at);
                self.deleted_services.insert(name.clone(), at);
            }
            Named::DeletedNode(name) => {
                self.deletions.insert(at);
                self.deleted_nodes.insert(name.clone(), at);
            }
            Named::Manual(..) | Named::Node(_) => {}
        }
        self.named.insert(at, named);
        true
    }

    /// The end of a log that was restored, whose last records may be gone again. From here on changes
    /// are noted. Answers whether it is behind everything.
    pub(crate) fn restore_end(
        &mut self,
        last: Sequence,
        revision: Revision,
        floor: (Sequence, Revision),
    ) -> bool {
        if last < self.last || revision < self.revision || floor > (last, revision) {
            return false;
        }
        self.last = last;
        self.revision = revision;
        self.floor = floor;
        self.noted = Some(Noted::since(last));
        true
    }

    /// What was noted since it was last asked; none if nothing is noted.
    pub(crate) fn take_noted(&mut self) -> Option<Noted> {
        let noted = self.noted.as_mut()?;
        Some(std::mem::replace(noted, Noted::since(self.last)))
    }

    /// Lets what was noted so far not count for how much is told next.
    pub(crate) fn count_noted_anew(&mut self) {
        if let Some(noted) = &mut self.noted {
            noted.count_from(self.last);
        }
    }

    /// Takes back what was noted, of which not all was told.
    pub(crate) fn note_again(&mut self, left: Noted) {
        self.noted = Some(left);
    }

    /// The revision that wrote a record which is there.
    pub(crate) fn revision_of(&self, at: Sequence) -> Option<Revision> {
        let (number, offset) = place(at);
        self.segments
            .get(self.segment(number)?)?
            .revision_at(offset)
    }

    /// The last place of a revision: everything up to there was written by it or before.
    pub(crate) fn end_of(&self, revision: Revision) -> Sequence {
        if revision >= self.revision {
            return self.last;
        }
        let next = self.segments.partition_point(|s| s.base() <= revision);
        let within = next
            .checked_sub(1)
            .and_then(|index| self.segments.get(index)?.first_behind(revision));
        let behind = within.or_else(|| Some(Sequence(self.segments.get(next)?.number() * SEGMENT)));
        behind.map_or(self.last, |behind| Sequence(behind.0.saturating_sub(1)))
    }

    /// The records behind a place. Whoever is at the end is told so without a search.
    pub(crate) fn after(&self, at: Sequence) -> impl Iterator<Item = (Sequence, Record)> {
        let (number, offset) = place(at.next());
        let first = if at < self.last {
            self.segments.partition_point(|s| s.number() < number)
        } else {
            self.segments.len()
        };
        self.segments.iter().skip(first).flat_map(move |segment| {
            segment.from(if segment.number() == number {
                offset
            } else {
                0
            })
        })
    }

    /// Bytes of the segments.
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.iter().map(Segment::bytes).sum()
    }

    /// Which one covers these numbers.
    fn segment(&self, number: u64) -> Option<usize> {
        self.segments
            .binary_search_by_key(&number, Segment::number)
            .ok()
    }

    /// The last segment is not written any more.
    fn close(&mut self) {
        if let Some(last) = self.segments.len().checked_sub(1) {
            self.tidy(last);
        }
    }

    fn tidy(&mut self, index: usize) {
        let Some(segment) = self.segments.get_mut(index) else {
            return;
        };
        if segment.is_empty() {
            self.segments.remove(index);
        } else if segment.is_sparse() {
            segment.compact();
        }
    }

    pub(crate) fn deletions(&self) -> impl Iterator<Item = (Sequence, &Named)> {
        self.deletions
            .iter()
            .filter_map(|at| Some((*at, self.named.get(at)?)))
    }

    pub(crate) fn deletion_count(&self) -> usize {
        self.deletions.len()
    }

    pub(crate) fn remember_service_deletion(&mut self, name: ObjectName) {
        let at = self.append_named(Named::DeletedService(name.clone()));
        self.deletions.insert(at);
        self.deleted_services.insert(name, at);
    }

    /// The service is there again.
    pub(crate) fn forget_service_deletion(&mut self, name: &ObjectName) {
        if let Some(at) = self.deleted_services.remove(name) {
            self.deletions.remove(&at);
            self.drop_named(at);
        }
    }

    pub(crate) fn remember_node_deletion(&mut self, name: SmolStr) {
        let at = self.append_named(Named::DeletedNode(name.clone()));
        self.deletions.insert(at);
        self.deleted_nodes.insert(name, at);
    }

    /// The node is there again.
    pub(crate) fn forget_node_deletion(&mut self, name: &str) {
        if let Some(at) = self.deleted_nodes.remove(name) {
            self.deletions.remove(&at);
            self.drop_named(at);
        }
    }

    /// Keeps the newest `keep` deletions; forgetting one raises the floor.
    pub(crate) fn limit_deletions(&mut self, keep: usize) {
        while self.deletions.len() > keep {
            let Some(at) = self.deletions.pop_first() else {
                return;
            };
            if let Some(revision) = self.revision_of(at) {
                self.floor.0 = at;
                self.raise_floor(revision);
            }
            match self.drop_named(at) {
                Some(Named::DeletedService(name)) => self.deleted_services.remove(&name),
                Some(Named::DeletedNode(name)) => self.deleted_nodes.remove(&name),
                _ => None,
            };
        }
    }
}
