use std::cmp::Ordering;

use super::services::ServiceId;

/// Most ids in a chunk.
const CHUNK: usize = 256;

/// Services in order of name. Only ids are kept, in chunks: names are looked at where they stand.
#[derive(Debug, Default)]
pub(crate) struct NameOrder {
    chunks: Vec<Vec<ServiceId>>,
}

/// A place in the order: a chunk, and a place in it.
pub(crate) type Place = (usize, usize);

impl NameOrder {
    /// The place of the service that `compare` finds equal to what is sought, or else the place where it
    /// would stand. `compare` says how a service's name orders beside what is sought.
    pub(crate) fn find(&self, compare: impl Fn(ServiceId) -> Ordering) -> Result<Place, Place> {
        let before = |ids: &Vec<ServiceId>| ids.last().is_some_and(|id| compare(*id).is_lt());
        let chunk = self.chunks.partition_point(before);
        let ids = self.chunks.get(chunk).map_or(&[][..], Vec::as_slice);
        match ids.binary_search_by(|id| compare(*id)) {
            Ok(at) => Ok((chunk, at)),
            Err(at) => Err((chunk, at)),
        }
    }

    /// The service at a place.
    pub(crate) fn get(&self, (chunk, at): Place) -> Option<ServiceId> {
        self.chunks.get(chunk)?.get(at).copied()
    }

    /// Puts a service where [`NameOrder::find`] said that it would stand.
    pub(crate) fn insert(&mut self, (mut chunk, mut at): Place, id: ServiceId) {
        if chunk == self.chunks.len() {
            // Behind all others: at the end of the last chunk.
            if self.chunks.is_empty() {
                self.chunks.push(Vec::new());
            }
            chunk = self.chunks.len() - 1;
            at = self.chunks.last().map_or(0, Vec::len);
        }
        let Some(ids) = self.chunks.get_mut(chunk) else {
            return;
        };
        ids.insert(at, id);
        if ids.len() > CHUNK {
            let mut later = ids.split_off(CHUNK / 2);
            later.reserve_exact(CHUNK - later.len());
            ids.shrink_to(CHUNK);
            self.chunks.insert(chunk + 1, later);
        }
    }

    /// Takes out the service at a place.
    pub(crate) fn remove(&mut self, (chunk, at): Place) {
        let Some(ids) = self.chunks.get_mut(chunk) else {
            return;
        };
        ids.remove(at);
        let left = ids.len();
        let next = self.chunks.get(chunk + 1).map_or(0, Vec::len);
        if left == 0 {
            self.chunks.remove(chunk);
        } else if next > 0 && left + next <= CHUNK / 2 {
            let mut later = self.chunks.remove(chunk + 1);
            if let Some(ids) = self.chunks.get_mut(chunk) {
                ids.append(&mut later);
            }
        }
    }

    /// The services from a place on.
    pub(crate) fn from(&self, (chunk, at): Place) -> impl Iterator<Item = ServiceId> {
        let chunks = self.chunks.get(chunk..).unwrap_or_default();
        chunks.iter().flatten().skip(at).copied()
    }

    /// Bytes it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let ids: usize = self.chunks.iter().map(Vec::capacity).sum();
        (ids * size_of::<ServiceId>() + self.chunks.capacity() * size_of::<Vec<ServiceId>>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Ids that stand for themselves: the order is that of a sorted set.
        #[test]
        fn is_a_sorted_set(steps in prop::collection::vec((0u32..2_000, 0u8..3), 0..4_000), from in 0u32..2_000) {
            let (mut order, mut model) = (NameOrder::default(), BTreeSet::new());
            let growing = (0..2_000).map(|id| (id * 7 % 2_000, 1));
            let shrinking = (0..1_500).map(|id| (id * 11 % 2_000, 0));
            for (id, put) in growing.chain(shrinking).chain(steps) {
                match (order.find(|other| other.cmp(&id)), put > 0) {
                    (Ok(place), false) => { order.remove(place); model.remove(&id); }
                    (Err(place), true) => { order.insert(place, id); model.insert(id); }
                    (Ok(place), true) => prop_assert_eq!(order.get(place), Some(id)),
                    (Err(_), false) => prop_assert!(!model.contains(&id)),
                }
            }
            let (Ok(place) | Err(place)) = order.find(|other| other.cmp(&from));
            prop_assert!(order.from(place).eq(model.range(from..).copied()));
            prop_assert!(order.from((0, 0)).eq(model));
        }
    }
}
