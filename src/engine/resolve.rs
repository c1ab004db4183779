use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::index::Namespaces;
use crate::labels::{Key, Value};
use crate::model::{
    Change, Expectation, Kind, LabelPatch, Object, ObjectRef, Operation, PatchTarget, Precondition,
    ResolvedTransaction, Revision, Transaction,
};
use crate::selector::Selector;

use super::resolve_error::ResolveError;
use super::state::{Engine, Stored};

/// Most label patches by selector in one transaction: each evaluates its selector while everybody
/// waits.
const MAX_SELECTOR_PATCHES: usize = 100;

/// What a transaction may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolveLimits {
    /// Most resolved operations: objects put, deleted or patched, each mention counted.
    pub max_operations: usize,
    /// Most labels that one object may have afterwards.
    pub max_labels: usize,
}

impl Default for ResolveLimits {
    fn default() -> Self {
        ResolveLimits {
            max_operations: 10_000,
            max_labels: 256,
        }
    }
}

/// What an operation did to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was not there.
    Created,
    /// It is different now.
    Configured,
    /// It was so already.
    Unchanged,
    /// It is gone.
    Deleted,
    /// It was to be deleted and was not there.
    NotFound,
}

/// What became of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectResult {
    /// Which object.
    pub object: ObjectRef,
    /// What became of it.
    pub outcome: Outcome,
    /// By which operation.
    pub operation: usize,
}

/// A transaction that may be stored and applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolution {
    /// The final state of every object it changes. Empty: there is nothing to do.
    pub transaction: ResolvedTransaction,
    /// What becomes of each object that an operation names or matches, in order.
    pub results: Vec<ObjectResult>,
}

type Overlay = BTreeMap<ObjectRef, Option<(Object, SmolStr)>>;

/// Turns transactions into final states, against an engine and whatever this resolver has let through
/// before: a group of transactions is resolved, stored and applied together, and each sees those
/// before it.
#[derive(Debug)]
pub struct Resolver<'e> {
    engine: &'e Engine,
    limits: ResolveLimits,
    /// Objects that transactions of the group changed.
    group: Overlay,
    /// Pods that they put.
    pods: usize,
}

impl<'e> Resolver<'e> {
    /// A resolver with nothing under way.
    pub fn new(engine: &'e Engine, limits: ResolveLimits) -> Resolver<'e> {
        Resolver {
            engine,
            limits,
            group: Overlay::new(),
            pods: 0,
        }
    }

    /// Resolves one transaction. Later calls see what it does; a refused one leaves no trace.
    ///
    /// # Errors
    /// [`ResolveError`].
    pub fn resolve(&mut self, transaction: Transaction) -> Result<Resolution, ResolveError> {
        self.check_size(&transaction)?;
        for (index, precondition) in transaction.preconditions.iter().enumerate() {
            self.check(index, precondition)?;
        }
        let mut work = Work {
            resolver: self,
            pending: Overlay::new(),
            results: Vec::new(),
            source: transaction.source,
        };
        for (operation, what) in transaction.operations.into_iter().enumerate() {
            match what {
                Operation::Put(object) => work.put(operation, object)?,
                Operation::Delete(object) => work.delete(operation, object)?,
                Operation::PatchLabels(patch) => work.patch(operation, &patch)?,
            }
        }
        let is_pod = |(object, state): &(&ObjectRef, &Option<_>)| {
            object.kind == Kind::Pod && state.is_some()
        };
        let pods = self.pods + work.pending.iter().filter(is_pod).count();
        if !self.engine.has_room_for(pods) {
            return Err(ResolveError::TooManyPods);
        }
        let Work {
            pending,
            results,
            source,
            ..
        } = work;
        let mut changes = Vec::new();
        for (object, state) in pending {
            // What is as it was has not been written, and keeps its revision.
            if self.lookup(&object) == state {
                continue;
            }
            changes.push(match &state {
                Some((after, _)) => Change::Put(after.clone()),
                None => Change::Delete(object.clone()),
            });
            self.group.insert(object, state);
        }
        self.pods = pods;
        Ok(Resolution {
            transaction: ResolvedTransaction::new(changes, source),
            results,
        })
    }

    /// What is asked costs something even where it changes nothing.
    fn check_size(&self, transaction: &Transaction) -> Result<(), ResolveError> {
        let limit = self.limits.max_operations;
        if transaction.operations.len() > limit || transaction.preconditions.len() > limit {
            return Err(ResolveError::TooManyOperations { limit });
        }
        let selects = |operation: &&Operation| {
            matches!(
                operation,
                Operation::PatchLabels(LabelPatch {
                    target: PatchTarget::Selector { .. },
                    ..
                })
            )
        };
        if transaction.operations.iter().filter(selects).count() > MAX_SELECTOR_PATCHES {
            return Err(ResolveError::TooManySelectorPatches {
                limit: MAX_SELECTOR_PATCHES,
            });
        }
        Ok(())
    }

    fn check(&self, index: usize, precondition: &Precondition) -> Result<(), ResolveError> {
        let Precondition { object, expect } = precondition;
        let found = match self.group.get(object) {
            Some(Some(_)) => Some(self.engine.head() + 1),
            Some(None) => None,
            None => self.engine.revision_of(object),
        };
        let holds = match expect {
            Expectation::Exists => found.is_some(),
            Expectation::Absent => found.is_none(),
            // A transaction under way has no revision yet that anybody could have been told.
            Expectation::Revision(wanted) => {
                found == Some(*wanted) && !self.group.contains_key(object)
            }
        };
        if holds {
            return Ok(());
        }
        Err(ResolveError::PreconditionFailed {
            index,
            object: object.clone(),
            expect: *expect,
            found,
        })
    }

    /// An object as the transactions before left it.
    fn lookup(&self, object: &ObjectRef) -> Option<(Object, SmolStr)> {
        match self.group.get(object) {
            Some(state) => state.clone(),
            None => self
                .engine
                .get(object)
                .map(|Stored { object, source, .. }| (object, source)),
        }
    }
}

/// A transaction while it is being resolved.
struct Work<'r, 'e> {
    resolver: &'r Resolver<'e>,
    pending: Overlay,
    results: Vec<ObjectResult>,
    source: SmolStr,
}

impl Work<'_, '_> {
    fn lookup(&self, object: &ObjectRef) -> Option<(Object, SmolStr)> {
        self.pending
            .get(object)
            .cloned()
            .unwrap_or_else(|| self.resolver.lookup(object))
    }

    fn record(
        &mut self,
        operation: usize,
        object: ObjectRef,
        outcome: Outcome,
    ) -> Result<(), ResolveError> {
        let limit = self.resolver.limits.max_operations;
        if self.results.len() >= limit {
            return Err(ResolveError::TooManyOperations { limit });
        }
        self.results.push(ObjectResult {
            object,
            outcome,
            operation,
        });
        Ok(())
    }

    /// Whose an object is after this transaction: a writer without a name leaves it whose it was.
    fn source_over(&self, before: Option<SmolStr>) -> SmolStr {
        if self.source.is_empty() {
            before.unwrap_or_default()
        } else {
            self.source.clone()
        }
    }

    fn put(&mut self, operation: usize, object: Object) -> Result<(), ResolveError> {
        self.check_labels(operation, &object)?;
        let name = object.object_ref();
        let before = self.lookup(&name);
        let outcome = match &before {
            None => Outcome::Created,
            Some((before, _)) if *before == object => Outcome::Unchanged,
            Some(_) => Outcome::Configured,
        };
        self.record(operation, name.clone(), outcome)?;
        let source = self.source_over(before.map(|(_, source)| source));
        self.pending.insert(name, Some((object, source)));
        Ok(())
    }

    fn check_labels(&self, operation: usize, object: &Object) -> Result<(), ResolveError> {
        let (limit, labels) = (self.resolver.limits.max_labels, object.labels().len());
        if labels <= limit {
            return Ok(());
        }
        let object = object.object_ref();
        Err(ResolveError::TooManyLabels {
            operation,
            object,
            labels,
            limit,
        })
    }

    fn delete(&mut self, operation: usize, object: ObjectRef) -> Result<(), ResolveError> {
        let outcome = if self.lookup(&object).is_some() {
            Outcome::Deleted
        } else {
            Outcome::NotFound
        };
        self.record(operation, object.clone(), outcome)?;
        if outcome == Outcome::Deleted {
            self.pending.insert(object, None);
        }
        Ok(())
    }

    fn patch(&mut self, operation: usize, patch: &LabelPatch) -> Result<(), ResolveError> {
        if let Some(key) = patch
            .remove
            .iter()
            .find(|key| patch.set.iter().any(|(set, _)| set == *key))
        {
            return Err(ResolveError::PatchContradicts {
                operation,
                key: key.clone(),
            });
        }
        let kind = match &patch.target {
            PatchTarget::Object(object) => object.kind,
            PatchTarget::Selector { kind, .. } => *kind,
        };
        if matches!(kind, Kind::Endpoints | Kind::EndpointSlice) {
            return Err(ResolveError::KindNotPatchable { operation, kind });
        }
        match &patch.target {
            PatchTarget::Object(object) => self.patch_one(operation, object, patch),
            PatchTarget::Selector {
                kind,
                namespaces,
                selector,
            } => {
                let namespaces = if namespaces.is_empty() {
                    Namespaces::all()
                } else {
                    Namespaces::only(namespaces.iter().cloned())
                };
                let objects = self.matching(*kind, &namespaces, selector)?;
                objects
                    .iter()
                    .try_for_each(|object| self.patch_one(operation, object, patch))
            }
        }
    }

    fn patch_one(
        &mut self,
        operation: usize,
        name: &ObjectRef,
        patch: &LabelPatch,
    ) -> Result<(), ResolveError> {
        let Some((mut object, source)) = self.lookup(name) else {
            return Err(ResolveError::NotFound {
                operation,
                object: name.clone(),
            });
        };
        let before = object.labels().clone();
        let labels = object.labels_mut();
        // Of several values for one key the last counts.
        let wanted: BTreeMap<&Key, &Value> = patch.set.iter().map(|(k, v)| (k, v)).collect();
        for (key, want) in wanted {
            if let Some(have) = before
                .get(key.as_str())
                .filter(|have| *have != want && !patch.overwrite)
            {
                return Err(ResolveError::LabelConflict {
                    operation,
                    object: name.clone(),
                    key: key.clone(),
                    have: have.clone(),
                    want: want.clone(),
                });
            }
            labels.insert(key.clone(), want.clone());
        }
        for key in &patch.remove {
            labels.remove(key.as_str());
        }
        if *labels == before {
            return self.record(operation, name.clone(), Outcome::Unchanged);
        }
        self.check_labels(operation, &object)?;
        self.record(operation, name.clone(), Outcome::Configured)?;
        let source = self.source_over(Some(source));
        self.pending.insert(name.clone(), Some((object, source)));
        Ok(())
    }

    /// The objects that match now: the engine's answer, corrected for whatever is under way.
    fn matching(
        &self,
        kind: Kind,
        namespaces: &Namespaces,
        selector: &Selector,
    ) -> Result<Vec<ObjectRef>, ResolveError> {
        let limit = self.resolver.limits.max_operations;
        let changed = |object: &ObjectRef| {
            self.pending.contains_key(object) || self.resolver.group.contains_key(object)
        };
        // Every object that was changed may take the place of one of the answer.
        let most = limit
            .saturating_add(1)
            .saturating_add(self.pending.len() + self.resolver.group.len());
        let mut found = self
            .resolver
            .engine
            .matching(kind, namespaces, selector, most);
        found.retain(|object| !changed(object));
        let under_way = self
            .resolver
            .group
            .iter()
            .filter(|(object, _)| !self.pending.contains_key(object));
        for (object, state) in self.pending.iter().chain(under_way) {
            let Some((state, _)) = state.as_ref().filter(|_| object.kind == kind) else {
                continue;
            };
            if (!kind.is_namespaced() || namespaces.contains(&object.name.namespace))
                && selector.matches(state.labels())
            {
                found.push(object.clone());
            }
        }
        found.sort_unstable();
        if found.len() > limit {
            return Err(ResolveError::TooManyOperations { limit });
        }
        Ok(found)
    }
}

impl Engine {
    /// The revision that wrote an object last.
    pub fn revision_of(&self, object: &ObjectRef) -> Option<Revision> {
        let name = &object.name;
        match object.kind {
            Kind::Pod => self
                .index
                .find(name)
                .and_then(|id| self.index.get(id))
                .map(|pod| pod.revision()),
            Kind::Service => self
                .reconciler
                .services
                .find(name)
                .map(|record| record.revision),
            Kind::Node => self
                .reconciler
                .nodes
                .get(&name.name)
                .map(|record| record.revision),
            Kind::Endpoints | Kind::EndpointSlice => self.get(object).map(|stored| stored.revision),
        }
    }

    fn matching(
        &self,
        kind: Kind,
        namespaces: &Namespaces,
        selector: &Selector,
        limit: usize,
    ) -> Vec<ObjectRef> {
        match kind {
            Kind::Pod => {
                let ids = self.index.page(selector, namespaces, None, limit);
                let name = |id| Some(ObjectRef::new(Kind::Pod, self.index.get(id)?.name()));
                ids.into_iter().filter_map(name).collect()
            }
            Kind::Service => {
                let services = self.services(selector, namespaces, None, limit);
                services
                    .into_iter()
                    .map(|s| ObjectRef::new(Kind::Service, s.object.name.clone()))
                    .collect()
            }
            Kind::Node => {
                let name = |name: &SmolStr| {
                    ObjectRef::new(Kind::Node, crate::model::ObjectName::cluster(name.clone()))
                };
                self.nodes(selector, None, limit)
                    .into_iter()
                    .map(|node| name(&node.object.name))
                    .collect()
            }
            Kind::Endpoints | Kind::EndpointSlice => Vec::new(),
        }
    }
}
