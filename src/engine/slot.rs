use smallvec::SmallVec;

use crate::model::{Change, Kind, Object, ObjectName, ObjectRef};

use super::apply::AHEAD;
use super::present::Present;
use super::resolve::Resolver;

/// An object that a transaction names or matches.
pub(super) struct Slot {
    pub(super) object: ObjectRef,
    /// The pod's id in the engine, if it is one and has been looked for.
    found: Option<Option<u32>>,
    pub(super) now: Now,
    /// Whether it differs from what it was before the transaction; none: it was touched more than
    /// once, and has to be compared at the end.
    pub(super) differs: Option<bool>,
}

/// An object as the operations so far left it.
pub(super) enum Now {
    Untouched,
    There(Object),
    Gone,
}

impl Slot {
    pub(super) fn new(object: ObjectRef) -> Slot {
        Slot {
            object,
            found: None,
            now: Now::Untouched,
            differs: None,
        }
    }

    /// Looks for pods, many together, so that what is read of one overlaps with what is read of the others.
    pub(super) fn find_pods(slots: &mut [Slot], resolver: &Resolver<'_>) {
        if slots.len() == 1 {
            return;
        }
        let index = &resolver.engine.index;
        for slots in slots.chunks_mut(AHEAD) {
            let sought = index.seek(slots.iter().map(|slot| Some((slot.pod()?, None))));
            let found: SmallVec<[_; AHEAD]> = index.find_all(slots.iter().map(Slot::pod), &sought);
            for (slot, found) in slots.iter_mut().zip(found) {
                slot.found = slot.pod().map(|_| found);
            }
        }
    }

    /// Its name, if it is a pod.
    fn pod(&self) -> Option<&ObjectName> {
        (self.object.kind == Kind::Pod).then_some(&self.object.name)
    }

    /// The object before the transaction.
    pub(super) fn before<'r>(&self, resolver: &'r Resolver<'_>) -> Option<Present<'r>> {
        resolver.present_found(&self.object, self.found)
    }

    /// What the transaction does to it.
    pub(super) fn into_change(self, resolver: &Resolver<'_>, source: &str) -> Option<Change> {
        let compared = |is: Option<&Object>| match (self.before(resolver), is) {
            (None, None) => false,
            (Some(before), Some(object)) => {
                !before.equals(object) || (!source.is_empty() && *before.source() != source)
            }
            _ => true,
        };
        let differs = match &self.now {
            Now::Untouched => false,
            Now::There(object) => self.differs.unwrap_or_else(|| compared(Some(object))),
            Now::Gone => self.differs.unwrap_or_else(|| compared(None)),
        };
        match self.now {
            Now::There(object) if differs => Some(Change::Put(object)),
            Now::Gone if differs => Some(Change::Delete(self.object)),
            _ => None,
        }
    }
}
