use crate::model::{IpFamily, Revision, Sequence};

use super::log::Record;

/// How many sequence numbers a segment covers.
pub(super) const SEGMENT: u64 = 8_192;
const WORD: u64 = u64::BITS as u64;
/// With so few slots left there is no bit for each sequence number, which would be most of what is kept.
const FEW: usize = 64;

/// One record, in 16 bytes.
#[derive(Debug, Clone, Copy)]
struct Slot {
    first: u32,
    second: u32,
    /// Its revision, counted from the segment's first.
    age: u32,
    /// Its sequence number, counted from the segment's first.
    offset: u16,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Service,
    EndpointV4,
    EndpointV6,
    Removal,
    Named,
}

/// The records of one range of sequence numbers, in order.
///
/// A record that is dropped only loses its bit: its slot is not read for that. When less than three
/// quarters of the slots are alive, the others are taken out; when few are left, the bits go as well.
#[derive(Debug)]
pub(super) struct Segment {
    /// The range: of sequence numbers divided by [`SEGMENT`].
    number: u64,
    /// The revision of the first record that was written here.
    base: Revision,
    living: u32,
    /// One bit for each sequence number; without any, every slot is alive.
    alive: Box<[u64]>,
    slots: Vec<Slot>,
}

fn bit(offset: u16) -> (usize, u64) {
    let offset = u64::from(offset);
    ((offset / WORD) as usize, 1 << (offset % WORD))
}

/// The segment of a sequence number, and its place there.
pub(super) fn place(at: Sequence) -> (u64, u16) {
    (at.0 / SEGMENT, (at.0 % SEGMENT) as u16)
}

impl Segment {
    pub(super) fn new(number: u64, base: Revision) -> Segment {
        Segment {
            number,
            base,
            living: 0,
            alive: vec![0; (SEGMENT / WORD) as usize].into(),
            slots: Vec::with_capacity(SEGMENT as usize),
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn base(&self) -> Revision {
        self.base
    }

    /// Whether a record of this revision can stand here: its age has 32 bits.
    pub(super) fn reaches(&self, revision: Revision) -> bool {
        u32::try_from(revision - self.base).is_ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.living == 0
    }

    /// Adds a record behind the others.
    pub(super) fn push(&mut self, offset: u16, revision: Revision, record: Record) {
        let (first, second, kind) = packed(record);
        self.slots.push(Slot {
            first,
            second,
            age: (revision - self.base) as u32,
            offset,
            kind,
        });
        let (word, bit) = bit(offset);
        if let Some(word) = self.alive.get_mut(word) {
            *word |= bit;
        }
        self.living += 1;
    }

    /// Drops a record; false if there was none.
    pub(super) fn drop_at(&mut self, offset: u16) -> bool {
        if self.alive.is_empty() {
            return self.take_out(offset);
        }
        let (word, bit) = bit(offset);
        let Some(word) = self.alive.get_mut(word).filter(|word| **word & bit != 0) else {
            return false;
        };
        *word &= !bit;
        self.living -= 1;
        true
    }

    fn take_out(&mut self, offset: u16) -> bool {
        let Some(index) = self.find(offset) else {
            return false;
        };
        self.slots.remove(index);
        self.living -= 1;
        if self.slots.len() < self.slots.capacity() / 2 {
            self.slots.shrink_to_fit();
        }
        true
    }

    /// Whether a quarter of the slots is dead: to take them out costs three steps, one behind the other
    /// in memory, for each record that was dropped.
    pub(super) fn is_sparse(&self) -> bool {
        (self.living as usize) < self.slots.len() / 4 * 3
    }

    /// Takes the dead slots out. Nothing is added afterwards.
    pub(super) fn compact(&mut self) {
        let mut slots = Vec::with_capacity(self.living as usize);
        slots.extend(self.slots.iter().filter(|slot| self.is_alive(slot.offset)));
        self.slots = slots;
        if self.slots.len() <= FEW {
            self.alive = Box::default();
        }
    }

    /// Puts another record in the place of one.
    pub(super) fn replace_at(&mut self, offset: u16, record: Record) {
        let Some(index) = self.find(offset) else {
            return;
        };
        if let Some(slot) = self.slots.get_mut(index) {
            (slot.first, slot.second, slot.kind) = packed(record);
        }
    }

    /// The revision of the record at this place.
    pub(super) fn revision_at(&self, offset: u16) -> Option<Revision> {
        let slot = self.slots.get(self.find(offset)?)?;
        Some(self.base + u64::from(slot.age))
    }

    /// The first place whose record is of a later revision; none if there is no such record.
    pub(super) fn first_behind(&self, revision: Revision) -> Option<Sequence> {
        let index = self
            .slots
            .partition_point(|slot| self.base + u64::from(slot.age) <= revision);
        let slot = self.slots.get(index)?;
        Some(Sequence(self.number * SEGMENT + u64::from(slot.offset)))
    }

    /// The records from a place on.
    pub(super) fn from(&self, offset: u16) -> impl Iterator<Item = (Sequence, Record)> {
        let index = self.slots.partition_point(|slot| slot.offset < offset);
        let first = self.number * SEGMENT;
        self.slots
            .iter()
            .skip(index)
            .filter(|slot| self.is_alive(slot.offset))
            .map(move |slot| (Sequence(first + u64::from(slot.offset)), slot.record()))
    }

    pub(super) fn bytes(&self) -> u64 {
        let slots = self.slots.capacity() * size_of::<Slot>();
        (size_of::<Segment>() + size_of_val(&*self.alive) + slots) as u64
    }

    pub(super) fn is_alive(&self, offset: u16) -> bool {
        let (word, bit) = bit(offset);
        self.alive.is_empty() || self.alive.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Where a slot is: at its own offset, until dead ones were taken out before it.
    fn find(&self, offset: u16) -> Option<usize> {
        let dense = usize::from(offset);
        if self.slots.get(dense).is_some_and(|s| s.offset == offset) {
            return Some(dense);
        }
        self.slots
            .binary_search_by_key(&offset, |slot| slot.offset)
            .ok()
    }
}

fn packed(record: Record) -> (u32, u32, Kind) {
    match record {
        Record::Service(service) => (service, 0, Kind::Service),
        Record::Endpoint {
            service,
            pod,
            family: IpFamily::V4,
        } => (service, pod, Kind::EndpointV4),
        Record::Endpoint {
            service,
            pod,
            family: IpFamily::V6,
        } => (service, pod, Kind::EndpointV6),
        Record::Removal(service) => (service, 0, Kind::Removal),
        Record::Named => (0, 0, Kind::Named),
    }
}

impl Slot {
    fn record(&self) -> Record {
        let endpoint = |family| Record::Endpoint {
            service: self.first,
            pod: self.second,
            family,
        };
        match self.kind {
            Kind::Service => Record::Service(self.first),
            Kind::EndpointV4 => endpoint(IpFamily::V4),
            Kind::EndpointV6 => endpoint(IpFamily::V6),
            Kind::Removal => Record::Removal(self.first),
            Kind::Named => Record::Named,
        }
    }
}
