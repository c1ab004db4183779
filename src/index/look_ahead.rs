use std::hint::black_box;

use smallvec::SmallVec;

use crate::model::ObjectName;

use super::pods::Index;

/// Ids of the pods that are looked at ahead.
pub(crate) type Ahead = SmallVec<[u32; 64]>;

impl Index {
    /// Reads what changing these pods will read, one kind of thing after another: reads that do not wait
    /// for each other overlap, so that the changes find in the cache what each would have waited for.
    /// Answers the ids of those that are there, nearly always.
    pub(crate) fn look_ahead<'n>(&self, names: impl Iterator<Item = &'n ObjectName>) -> Ahead {
        let mut ids: Ahead = names
            .filter_map(|name| {
                let namespace = self.namespaces.id(&name.namespace)?;
                self.names.likely(namespace, &name.name)
            })
            .collect();
        let mut read = 0usize;
        ids.retain(|id| self.records.get(*id).is_some());
        for id in &ids {
            if let Some(record) = self.records.get(*id) {
                let group = self.names.group(record.group);
                read += group.map_or(0, |group| group.prefix.len());
                read += self.templates.len_of(record.labels);
            }
        }
        black_box(read);
        ids
    }
}
