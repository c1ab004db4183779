use smol_str::SmolStr;
use thiserror::Error;

use crate::index::{Names, Sought};
use crate::model::{Change, Kind, ManualKind, Object, ObjectRef, ResolvedTransaction, Revision};
use crate::reconcile::Touched;

use super::state::{Engine, Scratch};
use super::work::Work;

/// So many changes are looked at ahead.
pub(super) const AHEAD: usize = 64;

/// What applying a transaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    /// The work it took.
    pub work: Work,
}

/// Which revision an object is put by, and whose it is then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'o> {
    pub(super) revision: Revision,
    /// None: it stays whose it was, or is nobody's.
    pub(super) source: Option<&'o SmolStr>,
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
        self.check(revision, transaction.changes())?;
        let (changes, source) = transaction.into_parts();
        let source = Some(&source).filter(|source| !source.is_empty());
        Ok(self.apply_changes(revision, changes, || Origin { revision, source }))
    }

    /// Whether such changes can be applied.
    pub(super) fn check(&self, revision: Revision, changes: &[Change]) -> Result<(), ApplyError> {
        if revision <= self.head {
            return Err(ApplyError::Stale {
                revision,
                head: self.head,
            });
        }
        let puts_pod = |change: &&Change| matches!(change, Change::Put(Object::Pod(_)));
        if !self.has_room_for(changes.iter().filter(puts_pod).count()) {
            return Err(ApplyError::TooManyPods);
        }
        Ok(())
    }

    /// Applies changes that were checked; `origin` is asked once for each, in order.
    pub(super) fn apply_changes<'o>(
        &mut self,
        revision: Revision,
        changes: Vec<Change>,
        mut origin: impl FnMut() -> Origin<'o>,
    ) -> Applied {
        let before = self.work(0);
        let count = changes.len() as u64;
        self.head = revision;
        self.log.begin(revision);
        let Scratch {
            mut touched,
            mut differences,
        } = self.scratch.take().unwrap_or_default();
        let mut changes = changes.into_iter();
        while !changes.as_slice().is_empty() {
            let names = self.look_ahead(changes.as_slice());
            for (sought, change) in names.iter().zip(changes.by_ref()) {
                let sought = sought.as_ref();
                let origin = origin();
                match change {
                    Change::Put(object) => self.put(object, origin, sought, &mut touched),
                    Change::Delete(object) => self.delete(&object, sought, &mut touched),
                }
            }
            self.index.settle();
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
        self.scratch = Some(Scratch {
            touched,
            differences,
        });
        let living = self.reconciler.services.len() + self.reconciler.nodes.len();
        self.log
            .limit_deletions(self.options.retention.deleted_names(living));
        Applied {
            work: self.work(count) - before,
        }
    }

    /// Reads what the next changes will read, in stages, so that many wait for memory together instead
    /// of each for itself. Answers, for each of these changes, what was found out of a pod's name.
    fn look_ahead(&self, changes: &[Change]) -> Names {
        if changes.len() == 1 {
            return std::iter::once(None).collect();
        }
        let changes = changes.get(..AHEAD).unwrap_or(changes);
        let pods = || {
            changes.iter().map(|change| match change {
                Change::Put(Object::Pod(pod)) => Some((&pod.name, Some(&**pod))),
                Change::Delete(object) if object.kind == Kind::Pod => Some((&object.name, None)),
                _ => None,
            })
        };
        let labels = pods().map(|pod| pod.map(|(name, pod)| (name, pod.map(|pod| &pod.labels))));
        let names = self.index.seek(labels);
        let nodes = pods().map(|pod| pod.map(|(name, pod)| (name, pod.map(|pod| &pod.node_name))));
        let ids = self.index.look_ahead(nodes, &names);
        let positions = self.reconciler.look_ahead(&ids);
        self.log.look_ahead(&positions);
        names
    }

    /// Whether so many pods more are sure to find room.
    pub(super) fn has_room_for(&self, pods: usize) -> bool {
        self.index.has_room_for(pods)
    }

    pub(super) fn work(&self, changes: u64) -> Work {
        Work {
            changes,
            postings_touched: self.index.postings_touched(),
            selectors_tested: self.reconciler.selectors_tested
                + self.live_queries.selectors_tested(),
            endpoints_visited: self.reconciler.endpoints_visited,
            records_written: self.log.written(),
        }
    }

    fn put(
        &mut self,
        object: Object,
        Origin { revision, source }: Origin<'_>,
        sought: Option<&Sought>,
        touched: &mut Touched,
    ) {
        match object {
            Object::Pod(pod) => {
                let put = self.index.put(&pod, revision, source, sought);
                touched.pods.push(put.id, put.before);
            }
            Object::Service(service) => {
                self.reconciler.put_service(
                    &self.index,
                    *service,
                    revision,
                    source.cloned(),
                    touched,
                );
            }
            Object::Node(node) => {
                self.reconciler
                    .put_node(*node, revision, source.cloned(), touched);
            }
            Object::Manual(manual) => {
                self.reconciler
                    .put_manual(*manual, revision, source.cloned(), touched);
            }
        }
    }

    fn delete(&mut self, object: &ObjectRef, sought: Option<&Sought>, touched: &mut Touched) {
        let name = &object.name;
        match object.kind {
            Kind::Pod => {
                if let Some((id, before)) = self.index.remove(name, sought) {
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
