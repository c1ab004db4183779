use smallvec::SmallVec;

use crate::index::Stamp;

use super::recent::Recent;
use super::standing::Owner;

/// Whose selectors match, in order.
pub(crate) type Owners = SmallVec<[Owner; 4]>;

/// Most classes remembered.
const MAX_CLASSES: usize = 65_536;
/// A longer list is not remembered: to act on it costs more than to find it again, and what is
/// remembered stays bounded in bytes.
const MAX_OWNERS: usize = 64;

/// When the selectors of a namespace last changed. Never the same for two namespaces, or twice.
pub(crate) type Generation = u64;

/// Which standing selectors match a class: the pods of one label set, as their namespace's selectors
/// were at one generation. One bounded table for all namespaces.
///
/// A selector added or removed gives its namespace another generation, so that each class is matched
/// anew at its next change and no other.
#[derive(Debug)]
pub(crate) struct ClassCache {
    generations: Generation,
    /// By generation, and the stamp of the label set.
    classes: Recent<(Generation, Stamp), Owners>,
}

impl Default for ClassCache {
    fn default() -> Self {
        ClassCache {
            generations: 0,
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

    pub(crate) fn get(&mut self, generation: Generation, stamp: Stamp) -> Option<&Owners> {
        self.classes.get(&(generation, stamp))
    }

    /// As [`ClassCache::get`], changing nothing.
    pub(crate) fn peek(&self, generation: Generation, stamp: Stamp) -> Option<&Owners> {
        self.classes.peek(&(generation, stamp))
    }

    pub(crate) fn remember(&mut self, generation: Generation, stamp: Stamp, owners: &[Owner]) {
        if owners.len() <= MAX_OWNERS {
            self.classes.insert((generation, stamp), owners.into());
        }
    }

    /// Bytes of the table, without the lists that do not fit their places.
    pub(crate) fn bytes(&self) -> u64 {
        self.classes.bytes()
    }
}
