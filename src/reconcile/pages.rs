/// Elements of one page.
const PAGE: usize = 1_024;

/// A table that grows by a page at a time: growth never copies what is there.
#[derive(Debug, Default)]
pub(crate) struct Pages<T>(Vec<Box<[T]>>);

impl<T: Copy + Default> Pages<T> {
    /// How many elements there is room for.
    pub(crate) fn len(&self) -> usize {
        self.0.len() * PAGE
    }

    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        let index = index as usize;
        self.0.get(index / PAGE)?.get(index % PAGE)
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        let index = index as usize;
        self.0.get_mut(index / PAGE)?.get_mut(index % PAGE)
    }

    /// Makes room for the element of this index.
    pub(crate) fn reach(&mut self, index: u32) {
        while self.len() <= index as usize {
            self.0.push(vec![T::default(); PAGE].into());
        }
    }
}
