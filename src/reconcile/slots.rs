/// Places in one page: growth allocates a page and copies nothing.
const PAGE: usize = 256;

/// Values by dense ids, which are reused, the last one freed first.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    pages: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    len: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Slots {
            pages: Vec::new(),
            free: Vec::new(),
            len: 0,
        }
    }
}

impl<T> Slots<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        let (page, place) = split(id);
        self.pages.get(page)?.get(place)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        self.place(id)?.as_mut()
    }

    pub(crate) fn insert(&mut self, value: T) -> u32 {
        self.len += 1;
        if let Some(id) = self.free.pop() {
            if let Some(place) = self.place(id) {
                *place = Some(value);
            }
            return id;
        }
        // Without a free place all pages but the last are full.
        let full = |page: &Vec<Option<T>>| page.len() == PAGE;
        if self.pages.last().is_none_or(full) {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        let pages = self.pages.len();
        match self.pages.last_mut() {
            Some(page) => {
                page.push(Some(value));
                ((pages - 1) * PAGE + page.len() - 1) as u32
            }
            None => 0,
        }
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<T> {
        let value = self.place(id)?.take()?;
        self.free.push(id);
        self.len -= 1;
        Some(value)
    }

    /// Bytes of the places, used and free.
    pub(crate) fn bytes(&self) -> u64 {
        let places = self.pages.len() * PAGE * size_of::<Option<T>>();
        (places + self.free.capacity() * size_of::<u32>()) as u64
    }

    fn place(&mut self, id: u32) -> Option<&mut Option<T>> {
        let (page, place) = split(id);
        self.pages.get_mut(page)?.get_mut(place)
    }
}

fn split(id: u32) -> (usize, usize) {
    (id as usize / PAGE, id as usize % PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reuses_ids_and_grows_in_pages() {
        let mut slots = Slots::default();
        let ids: Vec<u32> = (0..1_000).map(|n| slots.insert(n)).collect();
        assert_eq!(ids, (0..1_000).collect::<Vec<u32>>());
        assert_eq!((slots.remove(7), slots.remove(7)), (Some(7), None));
        assert_eq!((slots.get(7), slots.len()), (None, 999));
        assert_eq!(slots.insert(70), 7);
        assert_eq!((slots.get(7), slots.get(1_000)), (Some(&70), None));
    }
}
