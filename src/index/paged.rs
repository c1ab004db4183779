/// Items in a page.
const PAGE: usize = 4_096;

/// A table that grows in pieces: what is in it is never copied to make room for more, so that no
/// growth holds anybody up. Only the first page grows as a vector does.
#[derive(Debug)]
pub(crate) struct Paged<T>(Vec<Vec<T>>);

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Paged(Vec::new())
    }
}

impl<T> Paged<T> {
    /// How many items there are.
    pub(crate) fn len(&self) -> usize {
        self.0
            .last()
            .map_or(0, |last| (self.0.len() - 1) * PAGE + last.len())
    }

    pub(crate) fn get(&self, at: u32) -> Option<&T> {
        let at = at as usize;
        self.0.get(at / PAGE)?.get(at % PAGE)
    }

    pub(crate) fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        let at = at as usize;
        self.0.get_mut(at / PAGE)?.get_mut(at % PAGE)
    }

    /// Puts an item behind the last.
    pub(crate) fn push(&mut self, item: T) {
        if self.0.last().is_none_or(|last| last.len() == PAGE) {
            let page = if self.0.is_empty() {
                Vec::new()
            } else {
                Vec::with_capacity(PAGE)
            };
            self.0.push(page);
        }
        if let Some(last) = self.0.last_mut() {
            last.push(item);
        }
    }

    /// Takes the last item.
    pub(crate) fn pop(&mut self) -> Option<T> {
        // One empty page stays, for a length that swings around a page's end.
        if self.0.last().is_some_and(Vec::is_empty) {
            self.0.pop();
        }
        self.0.last_mut()?.pop()
    }

    /// Takes an item out; the last stands there afterwards.
    pub(crate) fn swap_remove(&mut self, at: u32) -> Option<T> {
        if at as usize >= self.len() {
            return None;
        }
        let last = self.pop()?;
        match self.get_mut(at) {
            Some(item) => Some(std::mem::replace(item, last)),
            None => Some(last),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }

    /// Bytes of the pages.
    pub(crate) fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|page| page.capacity() * size_of::<T>())
            .sum()
    }
}

/// A [`Paged`] table whose places are given out again.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    places: Paged<Option<T>>,
    free: Paged<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Slots {
            places: Paged::default(),
            free: Paged::default(),
        }
    }
}

impl<T> Slots<T> {
    /// How many places are taken.
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        self.places.get(id)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        self.places.get_mut(id)?.as_mut()
    }

    /// Takes a place: the one given back last, or a new one.
    pub(crate) fn insert(&mut self, item: T) -> u32 {
        if let Some(id) = self.free.pop() {
            if let Some(place) = self.places.get_mut(id) {
                *place = Some(item);
            }
            return id;
        }
        let id = self.places.len() as u32;
        self.places.push(Some(item));
        id
    }

    /// Gives a place back.
    pub(crate) fn remove(&mut self, id: u32) -> Option<T> {
        let item = self.places.get_mut(id)?.take()?;
        self.free.push(id);
        Some(item)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..)
            .zip(self.places.iter())
            .filter_map(|(id, place)| Some((id, place.as_ref()?)))
    }

    /// Bytes of the table itself.
    pub(crate) fn bytes(&self) -> usize {
        self.places.bytes() + self.free.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer and shorter, around the ends of pages.
    #[test]
    fn grows_and_shrinks_as_a_vector_does() {
        let (mut paged, mut vector) = (Paged::default(), Vec::new());
        let mut next = 0u32;
        for (pushes, takes) in [(2 * PAGE + 3, 5), (4, 9), (7, PAGE + 20), (PAGE, 3 * PAGE)] {
            for _ in 0..pushes {
                paged.push(next);
                vector.push(next);
                next += 1;
            }
            for take in 0..takes.min(vector.len()) {
                if take % 2 == 0 {
                    assert_eq!(paged.pop(), vector.pop());
                } else {
                    let at = take * 31 % vector.len();
                    let taken = Some(vector.swap_remove(at));
                    assert_eq!(paged.swap_remove(at as u32), taken);
                }
                assert_eq!(paged.len(), vector.len());
            }
            assert!(paged.iter().eq(&vector));
            assert_eq!(paged.swap_remove(vector.len() as u32), None);
        }
    }

    #[test]
    fn finds_what_was_put_across_pages() {
        let mut slots = Slots::default();
        let ids: Vec<u32> = (0..3 * PAGE).map(|item| slots.insert(item)).collect();
        assert!(ids.iter().all(|id| slots.get(*id) == Some(&(*id as usize))));
        assert_eq!(slots.remove(7), Some(7));
        assert_eq!(slots.remove(7), None);
        assert_eq!(slots.len(), 3 * PAGE - 1);
        assert_eq!(slots.insert(1), 7);
        assert_eq!(slots.get(7), Some(&1));
        assert_eq!(slots.get(3 * PAGE as u32), None);
    }
}
