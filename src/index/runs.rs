use std::collections::BTreeMap;

/// Items in a page.
const PAGE: usize = 4_096;

/// Short lists that do not change, one behind the other in pages: none has an allocation of its own.
///
/// The place of a list that is taken out is given to the next one of its length. Grows in pieces;
/// only the first page grows as a vector does.
#[derive(Debug)]
pub(crate) struct Runs<T> {
    pages: Vec<Vec<T>>,
    /// Places that are free, by length.
    free: BTreeMap<u32, Vec<u32>>,
}

/// Where a list stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// Page times [`PAGE`], and the place there.
    at: u32,
    len: u32,
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Runs {
            pages: Vec::new(),
            free: BTreeMap::new(),
        }
    }
}

impl Run {
    fn page(self) -> usize {
        self.at as usize / PAGE
    }

    fn places(self) -> std::ops::Range<usize> {
        let first = self.at as usize % PAGE;
        first..first + self.len as usize
    }
}

impl<T: Copy> Runs<T> {
    pub(crate) fn get(&self, run: Run) -> &[T] {
        let page = self.pages.get(run.page());
        page.and_then(|page| page.get(run.places()))
            .unwrap_or_default()
    }

    pub(crate) fn insert(&mut self, items: &[T]) -> Run {
        let len = items.len() as u32;
        if let Some(at) = self.free.get_mut(&len).and_then(Vec::pop) {
            let run = Run { at, len };
            let page = self.pages.get_mut(run.page());
            if let Some(places) = page.and_then(|page| page.get_mut(run.places())) {
                places.copy_from_slice(items);
            }
            return run;
        }
        let has_room = |page: &Vec<T>| page.len() + items.len() <= PAGE;
        if !self.pages.last().is_some_and(has_room) {
            // One that is longer than a page has one to itself.
            let page = if self.pages.is_empty() {
                Vec::new()
            } else {
                Vec::with_capacity(items.len().max(PAGE))
            };
            self.pages.push(page);
        }
        let number = self.pages.len().saturating_sub(1);
        let Some(page) = self.pages.last_mut() else {
            return Run { at: 0, len: 0 };
        };
        let at = (number * PAGE + page.len()) as u32;
        page.extend_from_slice(items);
        Run { at, len }
    }

    pub(crate) fn remove(&mut self, run: Run) {
        self.free.entry(run.len).or_default().push(run.at);
    }

    /// Bytes of the pages.
    pub(crate) fn bytes(&self) -> usize {
        let pages = self.pages.iter().map(Vec::capacity).sum::<usize>();
        let free = self.free.values().map(Vec::capacity).sum::<usize>();
        pages * size_of::<T>() + free * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn gives_back_what_was_put_in(steps in prop::collection::vec((any::<bool>(), 0usize..5), 1..200)) {
            const LENGTHS: [usize; 5] = [0, 1, 7, 1000, PAGE + 3];
            let mut runs = Runs::default();
            let mut model: Vec<(Run, Vec<u32>)> = Vec::new();
            for (at, (add, kind)) in (0u32..).zip(steps) {
                if add {
                    let items: Vec<u32> = (at..).take(LENGTHS[kind]).collect();
                    model.push((runs.insert(&items), items));
                } else if !model.is_empty() {
                    let (run, _) = model.swap_remove(at as usize % model.len());
                    runs.remove(run);
                }
                for (run, items) in &model {
                    prop_assert_eq!(runs.get(*run), items.as_slice());
                }
            }
        }
    }
}
