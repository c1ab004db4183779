//! Objects of which the keeper has not been told.

use std::collections::{HashMap, hash_map};
use std::ops::Range;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::engine::{Engine, ServicePositions, Stored};
use crate::model::{Change, Kind, Object, ObjectRef, ResolvedTransaction, Revision};

use super::frame::change_places;

/// So many objects, and so many records, are taken at once, or twice as many as changed since: what could not
/// be taken while the keeper was busy is then taken bit by bit.
pub(super) const PIECE: usize = 64;

/// What an object is.
#[derive(Debug)]
pub(super) enum Now {
    Gone,
    /// With where its records stand, if it is a service.
    Stored(Stored<Object>, Option<ServicePositions>),
    Written(Written),
}

/// An object as a frame of the journal has it.
#[derive(Debug)]
pub(super) struct Written {
    frame: Arc<Vec<u8>>,
    place: Range<usize>,
    pub(super) revision: Revision,
    pub(super) source: SmolStr,
}

impl Written {
    /// The object.
    pub(super) fn bytes(&self) -> &[u8] {
        self.frame.get(self.place.clone()).unwrap_or_default()
    }
}

/// What is known of an object that changed.
#[derive(Debug)]
enum Known {
    /// The engine has it, or not.
    InEngine,
    Gone,
    InFrame(Written),
}

/// Objects that differ from what the keeper was told, and perhaps others.
#[derive(Debug, Default)]
pub(super) struct Changed {
    objects: HashMap<ObjectRef, Known>,
    /// Those before, which are being taken: what they were in goes with the last of them, and no place in it is
    /// looked at twice.
    taken: hash_map::IntoIter<ObjectRef, Known>,
    /// Changes since the keeper was told last.
    fresh: usize,
}

impl Changed {
    /// Notes that what is now shows in the engine.
    pub(super) fn note(&mut self, object: ObjectRef) {
        self.objects.entry(object).or_insert_with(|| {
            self.fresh = self.fresh.saturating_add(1);
            Known::InEngine
        });
    }

    /// Notes that of each object that a transaction changes.
    pub(super) fn note_all(&mut self, transaction: &ResolvedTransaction) {
        let changes = transaction.changes().iter();
        let objects = changes.map(|change| (change.object_ref(), Known::InEngine));
        self.objects.extend(objects);
    }

    /// Notes what the transactions of a frame change, and where it stands in the frame: to take it from
    /// there is less work than to ask the engine and write it once more.
    pub(super) fn note_written(
        &mut self,
        first: Revision,
        group: &[ResolvedTransaction],
        frame: Vec<u8>,
    ) {
        let mut places = change_places(&frame).unwrap_or_default().into_iter();
        let frame = Arc::new(frame);
        for (revision, transaction) in (first..).zip(group) {
            let source = transaction.source();
            self.fresh = self.fresh.saturating_add(transaction.changes().len());
            for change in transaction.changes() {
                let place = places.next();
                let known = match (change, place) {
                    (Change::Delete(_), _) => Known::Gone,
                    // Where its records stand is not in the frame.
                    (Change::Put(Object::Service(_)), _) => Known::InEngine,
                    (Change::Put(_), Some(place)) if !source.is_empty() => {
                        Known::InFrame(Written {
                            frame: Arc::clone(&frame),
                            place,
                            revision,
                            source: source.clone(),
                        })
                    }
                    // It stays whose it was.
                    (Change::Put(_), _) => Known::InEngine,
                };
                self.objects.insert(change.object_ref(), known);
            }
        }
    }

    /// Takes some of the objects, each once, with what they are now.
    pub(super) fn take(&mut self, engine: &Engine) -> Vec<(ObjectRef, Now)> {
        let fresh = std::mem::take(&mut self.fresh);
        let most = PIECE.max(fresh.saturating_mul(2));
        if self.taken.len() <= most {
            // The rest of those is taken with what came since, where that says what they are now.
            for (object, known) in self.taken.by_ref() {
                self.objects.entry(object).or_insert(known);
            }
            self.taken = std::mem::take(&mut self.objects).into_iter();
        }
        let now = |object: &ObjectRef| {
            let stored = engine.get(object)?;
            let positions = match object.kind {
                Kind::Service => engine.service_positions(&object.name),
                _ => None,
            };
            Some(Now::Stored(stored, positions))
        };
        let taken = self.taken.by_ref().take(most).map(|(object, known)| {
            let now = match known {
                Known::Gone => Now::Gone,
                Known::InFrame(written) => Now::Written(written),
                Known::InEngine => now(&object).unwrap_or(Now::Gone),
            };
            (object, now)
        });
        taken.collect()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.taken.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::engine::EngineOptions;
    use crate::model::ObjectName;

    #[test]
    fn what_waits_is_taken_bit_by_bit_and_leaves_no_room_behind() {
        let object =
            |number: usize| ObjectRef::new(Kind::Node, ObjectName::cluster(format!("n{number}")));
        let engine = Engine::new(EngineOptions::default());
        let mut changed = Changed::default();
        (0..1_000).for_each(|number| changed.note(object(number)));
        changed.fresh = 0;
        let mut taken = HashSet::new();
        while !changed.is_empty() {
            // One comes again that is still waiting, or was taken.
            if taken.len() < 5 * PIECE {
                changed.note(object(7));
            }
            let piece = changed.take(&engine);
            let each: HashSet<_> = piece.iter().map(|(object, _)| object.clone()).collect();
            assert!(!piece.is_empty() && piece.len() <= PIECE && each.len() == piece.len());
            taken.extend(each);
        }
        assert_eq!(taken.len(), 1_000);
        // Twice as many as came since, those that were left included.
        (0..150).for_each(|number| changed.note(object(number)));
        changed.fresh = 0;
        assert_eq!(changed.take(&engine).len(), PIECE);
        (200..300).for_each(|number| changed.note(object(number)));
        assert_eq!(changed.take(&engine).len(), 150 - PIECE + 100);
        assert!(changed.is_empty());
        assert_eq!((changed.objects.capacity(), changed.taken.len()), (0, 0));
    }
}
