use smallvec::SmallVec;

use crate::index::Stamp;

use super::recent::Recent;
use super::standing::Owner;

/// Whose selectors match, in order.
pub(crate) type Owners = SmallVec<[Owner; 4]>;

/// Most templates and most classes remembered.
const MAX_TEMPLATES: usize = 65_536;
const MAX_CLASSES: usize = 16_384;
/// A longer list is not remembered: to act on it costs more than to find it again, and what is
/// remembered stays bounded in bytes.
const MAX_OWNERS: usize = 64;

/// When the selectors of a namespace last changed. Never the same for two namespaces, or twice.
pub(crate) type Generation = u64;

/// Which standing selectors match a class: the labels of a pod, reduced to the keys that the
/// selectors of its namespace look at. Remembered for the class and, so that it need not be computed,
/// for the template; one bounded table of each for all namespaces.
///
/// What is remembered counts for the generation it was found in: a selector added or removed gives
/// its namespace another, so that each class is matched anew at its next change and no other.
#[derive(Debug)]
pub(crate) struct ClassCache {
    generations: Generation,
    /// By the stamp of a template.
    templates: Recent<(Generation, Stamp), Owners>,
    /// By the stamps of the pairs of a class.
    classes: Recent<(Generation, Box<[u64]>), Owners>,
}

impl Default for ClassCache {
    fn default() -> Self {
        ClassCache {
            generations: 0,
            templates: Recent::new(MAX_TEMPLATES),
            classes: Recent::new(MAX_CLASSES),
        }
    }
}

impl ClassCache {
    /// How many classes are remembered.
    pub(crate) fn len(&self) -> u64 {
        self.classes.len() as u64
    }

    pub(crate) fn next_generation(&mut self) -> Generation {
        self.generations += 1;
        self.generations
    }

    pub(crate) fn of_template(&mut self, generation: Generation, stamp: Stamp) -> Option<&Owners> {
        self.templates.get(&(generation, stamp))
    }

    /// As [`ClassCache::of_template`], changing nothing.
    pub(crate) fn peek_template(&self, generation: Generation, stamp: Stamp) -> Option<&Owners> {
        self.templates.peek(&(generation, stamp))
    }

    pub(crate) fn remember_template(
        &mut self,
        generation: Generation,
        stamp: Stamp,
        owners: &[Owner],
    ) {
        if owners.len() <= MAX_OWNERS {
            self.templates.insert((generation, stamp), owners.into());
        }
    }

    pub(crate) fn of_class(&mut self, key: &(Generation, Box<[u64]>)) -> Option<&Owners> {
        self.classes.get(key)
    }

    pub(crate) fn remember_class(&mut self, key: (Generation, Box<[u64]>), owners: &[Owner]) {
        if owners.len() <= MAX_OWNERS {
            self.classes.insert(key, owners.into());
        }
    }

    /// Bytes of the tables, without what a class or a list has elsewhere.
    pub(crate) fn bytes(&self) -> u64 {
        self.templates.bytes() + self.classes.bytes()
    }
}
