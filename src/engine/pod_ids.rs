use crate::index::Namespaces;
use crate::model::ObjectName;
use crate::selector::Selector;

use super::state::Engine;

/// Pods by number: for an embedder who wants many of them, and of each no more than he asks for.
///
/// An id is a pod's until the next transaction. Afterwards it may be another's.
impl Engine {
    /// Puts the ids of the pods that match into `ids`, in order of id, in place of what it holds.
    /// Linear in the answer; a buffer that is used again costs no allocation.
    pub fn pod_ids(&self, selector: &Selector, namespaces: &Namespaces, ids: &mut Vec<u32>) {
        self.index.select_into(selector, namespaces, ids);
    }

    /// The ids of at most `limit` pods that match and stand behind `after`, by namespace and name.
    pub fn pod_ids_by_name(
        &self,
        selector: &Selector,
        namespaces: &Namespaces,
        after: Option<&ObjectName>,
        limit: usize,
    ) -> Vec<u32> {
        self.index.page(selector, namespaces, after, limit)
    }

    /// The name of the pod that has this id.
    pub fn pod_name(&self, id: u32) -> Option<ObjectName> {
        Some(self.index.get(id)?.name())
    }
}
