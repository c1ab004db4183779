use std::hint::black_box;

use smallvec::SmallVec;
use smol_str::SmolStr;

use super::Posting;
use super::paged::Slots;
use super::table::{IdTable, hash};

/// The nodes that pods name, each with those pods. A node is here as long as a pod names it.
#[derive(Debug, Default)]
pub(crate) struct NodeNames {
    slots: Slots<NodeTerm>,
    by_name: IdTable,
}

#[derive(Debug)]
struct NodeTerm {
    name: SmolStr,
    pods: Posting,
    /// Records that refer to it, also of pods that were replaced in this transaction.
    holders: u32,
}

impl NodeNames {
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn name(&self, id: u32) -> Option<&SmolStr> {
        self.slots.get(id).map(|term| &term.name)
    }

    /// The pods that name a node.
    pub(crate) fn pods(&self, name: &str) -> Option<&Posting> {
        let is = |id| self.slots.get(id).is_some_and(|term| term.name == name);
        let id = self.by_name.find(hash(&name), is)?;
        Some(&self.slots.get(id)?.pods)
    }

    /// The pods that name the node of this id.
    pub(super) fn posting(&self, id: u32) -> Option<&Posting> {
        Some(&self.slots.get(id)?.pods)
    }

    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&SmolStr, &Posting)> {
        self.slots.iter().map(|(_, term)| (&term.name, &term.pods))
    }

    /// Reads what [`NodeNames::acquire`] of these names will read, so that reads overlap.
    pub(super) fn look_ahead<'n>(&self, names: impl Iterator<Item = &'n SmolStr>) {
        let likely = |name: &SmolStr| self.by_name.find(hash(&name.as_str()), |_| true);
        let likely: SmallVec<[u32; 64]> = names.filter_map(likely).collect();
        let names = likely.iter().filter_map(|id| self.name(*id));
        black_box(names.map(|name| name.len()).sum::<usize>());
    }

    /// The node of this name, held by one more.
    pub(crate) fn acquire(&mut self, name: &SmolStr) -> u32 {
        let hashed = hash(&name.as_str());
        let is = |id| self.slots.get(id).is_some_and(|term| term.name == *name);
        if let Some(id) = self.by_name.find(hashed, is) {
            if let Some(term) = self.slots.get_mut(id) {
                term.holders += 1;
            }
            return id;
        }
        let id = self.slots.insert(NodeTerm {
            name: name.clone(),
            pods: Posting::default(),
            holders: 1,
        });
        let slots = &self.slots;
        self.by_name.insert(hashed, id, |id| {
            slots.get(id).map_or(0, |term| hash(&term.name.as_str()))
        });
        id
    }

    pub(crate) fn release(&mut self, id: u32) {
        let Some(term) = self.slots.get_mut(id) else {
            return;
        };
        term.holders -= 1;
        if term.holders == 0
            && let Some(term) = self.slots.remove(id)
        {
            self.by_name.remove(hash(&term.name.as_str()), id);
        }
    }

    /// Puts a pod among those of a node, or takes it out. Answers whether that is looked at: the empty
    /// name is no node.
    pub(crate) fn post(&mut self, id: u32, pod: u32, present: bool) -> bool {
        match self.slots.get_mut(id).filter(|term| !term.name.is_empty()) {
            Some(term) if present => term.pods.insert(pod),
            Some(term) => term.pods.remove(pod),
            None => false,
        }
    }

    /// Bytes of the table, without the postings; bytes of the postings.
    pub(crate) fn bytes(&self) -> (usize, usize) {
        let postings = self.slots.iter().map(|(_, term)| term.pods.bytes());
        (self.slots.bytes() + self.by_name.bytes(), postings.sum())
    }
}
