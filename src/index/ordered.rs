use std::cmp::Ordering;

/// Ids that fit without an allocation.
const INLINE: usize = 9;
/// Most ids in a chunk.
const CHUNK: usize = 512;

/// Ids in the order of something that they stand for, which stands elsewhere: whoever looks for a
/// place says how an id's thing compares with what is looked for.
#[derive(Debug, Clone)]
pub(crate) enum Ordered {
    Few {
        len: u8,
        ids: [u32; INLINE],
    },
    #[expect(
        clippy::box_collection,
        reason = "a bare Vec would make every small list larger"
    )]
    Chunks(Box<Vec<Vec<u32>>>),
}

impl Default for Ordered {
    fn default() -> Self {
        Ordered::Few {
            len: 0,
            ids: [0; INLINE],
        }
    }
}

/// A place: the chunk, and where in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(usize, usize);

impl Ordered {
    pub(crate) fn is_empty(&self) -> bool {
        self.chunk(0).is_none_or(<[u32]>::is_empty)
    }

    /// The first place whose thing is not before what is looked for. `compare` says where an id's
    /// thing stands to that.
    pub(crate) fn seek(&self, compare: impl Fn(u32) -> Ordering) -> Place {
        let chunk = match self {
            Ordered::Few { .. } => 0,
            Ordered::Chunks(chunks) => chunks
                .partition_point(|chunk| {
                    chunk
                        .last()
                        .is_some_and(|id| compare(*id) == Ordering::Less)
                })
                .min(chunks.len().saturating_sub(1)),
        };
        let ids = self.chunk(chunk).unwrap_or_default();
        Place(
            chunk,
            ids.partition_point(|id| compare(*id) == Ordering::Less),
        )
    }

    /// As [`Ordered::seek`]: what comes in order belongs behind the last, and costs one comparison.
    fn place_for(&self, compare: impl Fn(u32) -> Ordering) -> Place {
        match self.last() {
            Some(last) if compare(last) == Ordering::Less => match self {
                Ordered::Few { len, .. } => Place(0, usize::from(*len)),
                Ordered::Chunks(chunks) => Place(
                    chunks.len().saturating_sub(1),
                    chunks.last().map_or(0, Vec::len),
                ),
            },
            _ => self.seek(compare),
        }
    }

    /// Where an id stands. Among few it is looked for by itself, and nothing is compared.
    fn place_of(&self, id: u32, compare: impl Fn(u32) -> Ordering) -> Option<Place> {
        let single = match self {
            Ordered::Few { .. } => true,
            Ordered::Chunks(chunks) => chunks.len() == 1,
        };
        if single {
            let at = self.chunk(0)?.iter().position(|other| *other == id)?;
            return Some(Place(0, at));
        }
        let place = self.seek(compare);
        self.at(place)
            .is_some_and(|(found, _)| found == id)
            .then_some(place)
    }

    /// What stands at a place, and the place behind it.
    pub(crate) fn at(&self, place: Place) -> Option<(u32, Place)> {
        let Place(chunk, at) = place;
        match self.chunk(chunk)?.get(at) {
            Some(id) => Some((*id, Place(chunk, at + 1))),
            None => Some((*self.chunk(chunk + 1)?.first()?, Place(chunk + 1, 1))),
        }
    }

    pub(crate) fn last(&self) -> Option<u32> {
        match self {
            Ordered::Few { .. } => self.chunk(0)?.last().copied(),
            Ordered::Chunks(chunks) => chunks.last()?.last().copied(),
        }
    }

    pub(crate) fn from(&self, place: Place) -> impl Iterator<Item = u32> + '_ {
        let mut next = place;
        std::iter::from_fn(move || {
            let (id, behind) = self.at(next)?;
            next = behind;
            Some(id)
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.from(Place(0, 0))
    }

    /// Adds an id, which is not there, where it belongs.
    pub(crate) fn insert(&mut self, id: u32, compare: impl Fn(u32) -> Ordering) {
        let Place(chunk, at) = self.place_for(compare);
        match self {
            Ordered::Few { len, ids } if usize::from(*len) < INLINE => {
                *len += 1;
                if let Some(moved) = ids.get_mut(at..usize::from(*len)) {
                    moved.rotate_right(1);
                    moved.iter_mut().take(1).for_each(|place| *place = id);
                }
            }
            Ordered::Few { ids, .. } => {
                let mut chunk = Vec::with_capacity(2 * INLINE);
                chunk.extend_from_slice(ids);
                chunk.insert(at, id);
                *self = Ordered::Chunks(Box::new(vec![chunk]));
            }
            Ordered::Chunks(chunks) => {
                let Some(ids) = chunks.get_mut(chunk) else {
                    return;
                };
                ids.insert(at, id);
                if ids.len() > CHUNK {
                    // What comes in order fills chunks; what comes anyhow splits them in the middle.
                    let from = if at + 1 == ids.len() { at } else { CHUNK / 2 };
                    let rest = ids.split_off(from);
                    chunks.insert(chunk + 1, rest);
                }
            }
        }
    }

    /// Takes an id out.
    pub(crate) fn remove(&mut self, id: u32, compare: impl Fn(u32) -> Ordering) {
        let Some(Place(chunk, at)) = self.place_of(id, compare) else {
            return;
        };
        match self {
            Ordered::Few { len, ids } => {
                ids.copy_within(at + 1..usize::from(*len), at);
                *len -= 1;
            }
            Ordered::Chunks(chunks) => {
                let Some(ids) = chunks.get_mut(chunk).filter(|ids| at < ids.len()) else {
                    return;
                };
                ids.remove(at);
                let left = ids.len();
                let next = chunks.get(chunk + 1).map_or(0, Vec::len);
                if left == 0 {
                    chunks.remove(chunk);
                } else if next > 0 && left + next <= CHUNK / 2 {
                    // What became sparse does not stay so.
                    let mut behind = chunks.remove(chunk + 1);
                    if let Some(ids) = chunks.get_mut(chunk) {
                        ids.append(&mut behind);
                    }
                }
                if let [only] = chunks.as_slice()
                    && only.len() <= INLINE / 2
                {
                    let mut ids = [0; INLINE];
                    ids.iter_mut().zip(only).for_each(|(to, from)| *to = *from);
                    *self = Ordered::Few {
                        len: only.len() as u8,
                        ids,
                    };
                }
            }
        }
    }

    /// Bytes allocated.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Ordered::Few { .. } => 0,
            Ordered::Chunks(chunks) => {
                chunks.capacity() * size_of::<Vec<u32>>()
                    + chunks
                        .iter()
                        .map(|chunk| chunk.capacity() * size_of::<u32>())
                        .sum::<usize>()
            }
        }
    }

    fn chunk(&self, chunk: usize) -> Option<&[u32]> {
        match self {
            Ordered::Few { len, ids } => ids.get(..usize::from(*len)).filter(|_| chunk == 0),
            Ordered::Chunks(chunks) => chunks.get(chunk).map(Vec::as_slice),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Ids stand for themselves, backwards: their order is not that of the numbers.
        #[test]
        fn keeps_the_order(steps in prop::collection::vec((any::<bool>(), 0u32..3000), 0..6000)) {
            let mut ordered = Ordered::default();
            let mut model = BTreeSet::new();
            for (add, id) in steps {
                let compare = |other: u32| id.cmp(&other);
                if add && model.insert(std::cmp::Reverse(id)) {
                    ordered.insert(id, compare);
                } else if !add {
                    model.remove(&std::cmp::Reverse(id));
                    ordered.remove(id, compare);
                }
            }
            let expected: Vec<u32> = model.iter().map(|id| id.0).collect();
            prop_assert_eq!(ordered.iter().collect::<Vec<_>>(), expected.clone());
            prop_assert_eq!(ordered.last(), expected.last().copied());
            prop_assert_eq!(ordered.is_empty(), expected.is_empty());
            let from: Vec<u32> = ordered.from(ordered.seek(|id| 1500.cmp(&id))).collect();
            prop_assert_eq!(from, expected.into_iter().filter(|id| *id <= 1500).collect::<Vec<_>>());
        }
    }
}
