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
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Slots {
            places: Paged::default(),
            free: Vec::new(),
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
        self.places.bytes() + self.free.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
