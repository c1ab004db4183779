use smol_str::SmolStr;
use thiserror::Error;

use crate::model::{Change, Kind, ManualKind, Object, ObjectRef, ResolvedTransaction, Revision};
use crate::reconcile::Touched;

use super::state::{Engine, Scratch};
use super::work::Work;

/// So many changes are looked at ahead.
const AHEAD: usize = 64;

/// What applying a transaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    /// The work it took.
    pub work: Work,
}

/// Why a transaction was not applied; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// Its revision is not newer than what is applied already.
    #[error("revision {revision} is not above the head, which is {head}")]
    Stale {
        /// The transaction's revision.
        revision: Revision,
        /// The engine's.
        head: Revision,
    },
    /// There are no pod ids left.
    #[error("there is no room for more pods: 32-bit pod ids are used up")]
    TooManyPods,
}

impl Engine {
    /// Applies a transaction whole, as `revision`.
    ///
    /// Work is bounded by the objects it names, the differences it causes, and the standing selectors
    /// on the label pairs it touches.
    ///
    /// # Errors
    /// [`ApplyError`]; then nothing was changed.
    pub fn apply(
        &mut self,
        revision: Revision,
        transaction: ResolvedTransaction,
    ) -> Result<Applied, ApplyError> {
        if revision <= self.head {
            return Err(ApplyError::Stale {
                revision,
                head: self.head,
            });
        }
        let puts_pod = |change: &&Change| matches!(change, Change::Put(Object::Pod(_)));
        if !self.has_room_for(transaction.changes().iter().filter(puts_pod).count()) {
            return Err(ApplyError::TooManyPods);
        }
        let before = self.work(0);
        let (changes, source) = transaction.into_parts();
        let count = changes.len() as u64;
        self.head = revision;
        self.log.begin(revision);
        let Scratch {
            mut touched,
            mut differences,
        } = std::mem::take(&mut self.scratch);
        let mut changes = changes.into_iter();
        while !changes.as_slice().is_empty() {
            self.look_ahead(changes.as_slice());
            for change in changes.by_ref().take(AHEAD) {
                match change {
                    Change::Put(object) => self.put(object, revision, &source, &mut touched),
                    Change::Delete(object) => self.delete(&object, &mut touched),
                }
            }
        }
        touched.pods.sort();
        self.live_queries
            .update(&self.index, &touched, revision, self.options.retention);
        self.write_nodes(&touched);
        self.write_deleted_services(&touched);
        self.reconciler
            .differences(&self.index, &touched, &mut differences);
        self.write_services(&touched, &differences);
        // Until here pods that are gone kept their ids, and no other pod got one.
        for (id, before) in touched.pods.iter() {
            if let Some(before) = before {
                self.index.release(id, before);
            }
        }
        touched.clear();
        self.scratch = Scratch {
            touched,
            differences,
        };
        let living = self.reconciler.services.len() + self.reconciler.nodes.len();
        self.log
            .limit_deletions(self.options.retention.deleted_names(living));
        Ok(Applied {
            work: self.work(count) - before,
        })
    }

    /// Reads what the next changes will read, in stages, so that many wait for memory together instead
    /// of each for itself.
    fn look_ahead(&self, changes: &[Change]) {
        if changes.len() < 2 {
            return;
        }
        let pods = changes
            .iter()
            .take(AHEAD)
            .filter_map(|change| match change {
                Change::Put(Object::Pod(pod)) => Some(&pod.name),
                Change::Delete(object) if object.kind == Kind::Pod => Some(&object.name),
                _ => None,
            });
        let ids = self.index.look_ahead(pods);
        self.reconciler.look_ahead(&ids);
    }

    /// Whether so many pods more are sure to find room.
    pub(super) fn has_room_for(&self, pods: usize) -> bool {
        self.index.has_room_for(pods)
    }

    fn work(&self, changes: u64) -> Work {
        Work {
            changes,
            postings_touched: self.index.postings_touched(),
            selectors_tested: self.reconciler.selectors_tested
                + self.live_queries.selectors_tested(),
            endpoints_visited: self.reconciler.endpoints_visited,
            records_written: self.log.written(),
        }
    }

    fn put(&mut self, object: Object, revision: Revision, source: &SmolStr, touched: &mut Touched) {
        let source = source.clone();
        match object {
            Object::Pod(pod) => {
                let put = self.index.put(&pod, revision, &source);
                touched.pods.push(put.id, put.before);
            }
            Object::Service(service) => {
                self.reconciler
                    .put_service(&self.index, *service, revision, source, touched);
            }
            Object::Node(node) => self.reconciler.put_node(*node, revision, source, touched),
            Object::Manual(manual) => self
                .reconciler
                .put_manual(*manual, revision, source, touched),
        }
    }

    fn delete(&mut self, object: &ObjectRef, touched: &mut Touched) {
        let name = &object.name;
        match object.kind {
            Kind::Pod => {
                if let Some((id, before)) = self.index.remove(name) {
                    touched.pods.push(id, Some(before));
                }
            }
            Kind::Service => self.reconciler.delete_service(name, touched),
            Kind::Node => {
                if let Some(record) = self.reconciler.delete_node(&name.name, touched) {
                    self.log.drop_named(record.position);
                }
            }
            Kind::Endpoints => self
                .reconciler
                .delete_manual(ManualKind::Endpoints, name, touched),
            Kind::EndpointSlice => {
                self.reconciler
                    .delete_manual(ManualKind::EndpointSlice, name, touched)
            }
        }
    }
}
