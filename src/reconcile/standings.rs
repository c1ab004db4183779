use smol_str::SmolStr;

use crate::index::{IdTable, Slots, hash};

use super::standing::Standing;

/// The selectors that stand in each namespace. A namespace is here as long as it has any.
///
/// One look-up for each pod that is created or relabelled, so it is not searched by comparing names.
#[derive(Debug, Default)]
pub(crate) struct Standings {
    slots: Slots<(SmolStr, Standing)>,
    by_name: IdTable,
}

impl Standings {
    fn id(&self, namespace: &str) -> Option<u32> {
        let is = |id| {
            let slot = self.slots.get(id);
            slot.is_some_and(|(name, _)| name == namespace)
        };
        self.by_name.find(hash(&namespace), is)
    }

    pub(crate) fn get(&self, namespace: &str) -> Option<&Standing> {
        self.slots
            .get(self.id(namespace)?)
            .map(|(_, standing)| standing)
    }

    pub(super) fn get_mut(&mut self, namespace: &str) -> Option<&mut Standing> {
        self.slots
            .get_mut(self.id(namespace)?)
            .map(|(_, standing)| standing)
    }

    /// Those of a namespace, which is added if it is new.
    pub(super) fn enter(&mut self, namespace: &SmolStr) -> Option<&mut Standing> {
        if self.id(namespace).is_none() {
            let id = self.slots.insert((namespace.clone(), Standing::default()));
            let slots = &self.slots;
            self.by_name.insert(hash(&namespace.as_str()), id, |id| {
                slots.get(id).map_or(0, |(name, _)| hash(&name.as_str()))
            });
        }
        self.get_mut(namespace)
    }

    pub(super) fn remove(&mut self, namespace: &str) {
        if let Some(id) = self.id(namespace) {
            self.by_name.remove(hash(&namespace), id);
            self.slots.remove(id);
        }
    }

    /// All of them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&SmolStr, &Standing)> {
        self.slots
            .iter()
            .map(|(_, (name, standing))| (name, standing))
    }

    /// Bytes, without those of long lists.
    pub(super) fn bytes(&self) -> u64 {
        let tables = (self.slots.bytes() + self.by_name.bytes()) as u64;
        self.iter()
            .map(|(_, standing)| standing.bytes())
            .fold(tables, u64::wrapping_add)
    }
}
