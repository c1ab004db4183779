use std::fmt::Write as _;

use crate::model::{IpFamily, ObjectName, Revision, Sequence};
use crate::reconcile::{ServiceRecord, read_identity};

use super::state::Engine;

impl Engine {
    /// Everything there is as text: facts, endpoint sets, and the revision of every record, sorted by
    /// name. The same for any two engines that applied the same transactions; internal ids do not
    /// show. For tests and for comparing replicas.
    pub fn dump(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = self.write_dump(&mut text);
        text
    }

    fn write_dump(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "head {}", self.head)?;
        for (name, record) in self.reconciler.nodes.iter() {
            writeln!(
                out,
                "node {name} at {} by {:?}: {:?}",
                self.written_at(record.position),
                record.source,
                record.node
            )?;
        }
        let mut pods: Vec<(ObjectName, u32)> = self
            .index
            .pods()
            .map(|(id, pod)| (pod.name(), id))
            .collect();
        pods.sort_unstable();
        for (name, id) in pods {
            let Some(pod) = self.index.get(id) else {
                continue;
            };
            writeln!(
                out,
                "pod {name} at {} by {:?}: {:?}",
                pod.revision(),
                pod.source(),
                pod.pod()
            )?;
        }
        for record in self.reconciler.manual.objects() {
            writeln!(
                out,
                "manual at {} by {:?}: {:?}",
                record.revision, record.source, record.object
            )?;
        }
        for (id, record) in self.reconciler.services.iter() {
            self.dump_service(out, record, id)?;
        }
        for (position, record) in self.log.deletions() {
            writeln!(out, "deleted at {}: {record:?}", self.written_at(position))?;
        }
        writeln!(out, "floor {}", self.log.floor().1)
    }

    fn written_at(&self, position: Sequence) -> Revision {
        self.log.revision_of(position).unwrap_or_default()
    }

    fn dump_service(&self, out: &mut String, record: &ServiceRecord, id: u32) -> std::fmt::Result {
        let name = record.service.name();
        let at = record.set.positions;
        writeln!(
            out,
            "service {name} at {} by {:?}, created {} labels {} cluster ip {}: {:?}",
            self.written_at(at.entry),
            record.source(),
            self.written_at(at.created),
            self.written_at(at.labels),
            self.written_at(at.cluster_ip),
            record.service.whole()
        )?;
        for endpoint in self.reconciler.endpoints(&self.index, id) {
            let computed = endpoint
                .identity
                .pod
                .as_ref()
                .and_then(|pod| self.index.find(pod))
                .and_then(|pod| {
                    let family: IpFamily = endpoint.identity.family();
                    self.reconciler
                        .memberships
                        .find(pod, id, family)
                        .map(|membership| membership.position)
                });
            let position = record
                .set
                .manual
                .get(&endpoint.identity)
                .copied()
                .or(computed)
                .unwrap_or_default();
            let revision = self.written_at(position);
            writeln!(out, "  endpoint at {revision}: {endpoint:?}")?;
        }
        let mut removals: Vec<_> = record
            .set
            .removals
            .iter()
            .filter_map(|(position, key)| {
                let identity = read_identity(key, &name.namespace)?;
                Some((identity, self.written_at(position)))
            })
            .collect();
        removals.sort_unstable();
        removals.into_iter().try_for_each(|(identity, revision)| {
            writeln!(out, "  removed at {revision}: {identity}")
        })
    }
}
