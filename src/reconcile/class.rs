use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::index::{Stamp, TemplateId};

use super::standing::Owner;

/// Most classes and most templates remembered by one cache; a full one starts anew.
const MAX_REMEMBERED: usize = 16_384;

/// Which standing selectors match a class: the labels of a pod, reduced to the keys that the
/// selectors look at. Remembered for the class and, so that it need not be computed, for the template.
///
/// An entry counts as long as its generation is the current one: a selector added or removed raises
/// it, so that each class is matched anew at its next change and no other.
#[derive(Debug, Default)]
pub(crate) struct ClassCache {
    generation: u64,
    /// By the stamps of the class's pairs.
    classes: FxHashMap<Box<[u64]>, Entry>,
    templates: FxHashMap<TemplateId, (Stamp, Entry)>,
}

#[derive(Debug)]
struct Entry {
    generation: u64,
    owners: Arc<[Owner]>,
}

impl ClassCache {
    pub(crate) fn len(&self) -> u64 {
        self.classes.len() as u64
    }

    pub(crate) fn raise_generation(&mut self) {
        self.generation += 1;
    }

    pub(crate) fn of_template(&self, id: TemplateId, stamp: Stamp) -> Option<Arc<[Owner]>> {
        let (of, entry) = self.templates.get(&id)?;
        (*of == stamp && entry.generation == self.generation).then(|| entry.owners.clone())
    }

    pub(crate) fn of_class(&self, class: &[u64]) -> Option<Arc<[Owner]>> {
        let entry = self.classes.get(class)?;
        (entry.generation == self.generation).then(|| entry.owners.clone())
    }

    pub(crate) fn remember_class(&mut self, class: &[u64], owners: Arc<[Owner]>) {
        if self.classes.len() >= MAX_REMEMBERED {
            self.classes.clear();
        }
        self.classes.insert(
            class.into(),
            Entry {
                generation: self.generation,
                owners,
            },
        );
    }

    pub(crate) fn remember_template(&mut self, id: TemplateId, stamp: Stamp, owners: Arc<[Owner]>) {
        if self.templates.len() >= MAX_REMEMBERED {
            self.templates.clear();
        }
        self.templates.insert(
            id,
            (
                stamp,
                Entry {
                    generation: self.generation,
                    owners,
                },
            ),
        );
    }

    /// What is remembered of templates and still counts, in no order.
    pub(crate) fn templates(&self) -> impl Iterator<Item = (TemplateId, Stamp, &Arc<[Owner]>)> {
        let current =
            |(_, (_, entry)): &(&TemplateId, &(Stamp, Entry))| entry.generation == self.generation;
        self.templates
            .iter()
            .filter(current)
            .map(|(id, (stamp, entry))| (*id, *stamp, &entry.owners))
    }
}
