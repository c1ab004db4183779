use std::hint::black_box;

use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::labels::LabelSet;
use crate::model::ObjectName;

use super::names::Sought;
use super::namespaces::NamespaceId;
use super::pods::Index;

/// Ids of the pods that are looked at ahead.
pub(crate) type Ahead = SmallVec<[u32; 64]>;

/// Names of the pods that are looked at ahead: none for what is no pod, or one of a new namespace.
pub(crate) type Names = SmallVec<[Option<Sought>; 64]>;

impl Index {
    /// The first look: at the names alone, of what is to be changed in this order.
    pub(crate) fn seek<'n>(
        &self,
        names: impl Iterator<Item = Option<(&'n ObjectName, Option<&'n LabelSet>)>>,
    ) -> Names {
        // What is to be changed is in order of namespace.
        let mut last: Option<(&str, Option<NamespaceId>)> = None;
        let mut read = 0;
        let mut sought: Names = names
            .map(|name| {
                let (name, labels) = name?;
                // One for each line of memory, or nearly.
                let labels = labels
                    .into_iter()
                    .flat_map(|labels| labels.iter().step_by(2));
                read += labels.map(|(_, value)| value.as_str().len()).sum::<usize>();
                let known = last.filter(|(namespace, _)| *namespace == name.namespace);
                let namespace = match known {
                    Some((_, id)) => id,
                    None => self.namespaces.id(&name.namespace),
                };
                last = Some((&name.namespace, namespace));
                Some(self.names.seek(namespace?, &name.name))
            })
            .collect();
        for sought in sought.iter_mut().flatten() {
            self.names.look_up(sought);
        }
        black_box(read);
        sought
    }

    /// The ids of pods that were sought, found step by step together.
    pub(crate) fn find_all<'n, F: FromIterator<Option<u32>>>(
        &self,
        pods: impl Iterator<Item = Option<&'n ObjectName>>,
        sought: &Names,
    ) -> F {
        let likely = || sought.iter().flatten().filter_map(|sought| sought.likely);
        let records = || likely().filter_map(|id| self.records.get(id));
        let groups = records().filter_map(|record| self.names.group(record.group));
        black_box(groups.map(|group| group.prefix.len()).sum::<usize>());
        let found = pods.zip(sought).map(|(name, sought)| {
            self.names
                .find_sought(&self.records, sought.as_ref()?, &name?.name)
        });
        found.collect()
    }

    /// Reads what changing these pods will read, one kind of thing after another: reads that do not wait
    /// for each other overlap, so that the changes find in the cache what each would have waited for. Of
    /// each its name, and the node of one that is put. Answers the ids of those that are there, nearly
    /// always.
    pub(crate) fn look_ahead<'n>(
        &self,
        pods: impl Iterator<Item = Option<(&'n ObjectName, Option<&'n SmolStr>)>>,
        sought: &Names,
    ) -> Ahead {
        let mut there = Ahead::new();
        // Others of their workloads: labels of a new pod are compared with theirs.
        let mut near = Ahead::new();
        let mut nodes: SmallVec<[&SmolStr; 64]> = SmallVec::new();
        for (pod, sought) in pods.zip(sought) {
            if let Some(likely) = sought.as_ref().and_then(|sought| sought.likely) {
                there.push(likely);
                continue;
            }
            let Some((name, node)) = pod else {
                continue;
            };
            nodes.extend(node);
            if let Some(sought) = sought {
                near.extend(self.names.neighbour(sought.namespace, &name.name));
            }
        }
        self.nodes.look_ahead(nodes.into_iter());
        there.retain(|id| self.records.get(*id).is_some());
        near.dedup();
        let mut read = 0usize;
        let ids = || there.iter().chain(&near);
        let records = || ids().filter_map(|id| self.records.get(*id));
        for record in records() {
            let group = self.names.group(record.group);
            read += group.map_or(0, |group| group.prefix.len());
            read += self.templates.len_of(record.labels);
            read += self.nodes.name(record.node).map_or(0, |name| name.len());
        }
        let mut terms: SmallVec<[_; 256]> = SmallVec::new();
        for record in records() {
            self.templates
                .for_each_pair(record.labels, |pair| terms.push(pair));
        }
        let values = terms.iter().filter_map(|pair| self.dictionary.pair(*pair));
        read += values.map(|term| term.value.as_str().len()).sum::<usize>();
        black_box(read);
        there
    }
}
