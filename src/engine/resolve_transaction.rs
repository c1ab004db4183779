use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::index::Namespaces;
use crate::labels::LabelSet;
use crate::model::{
    Change, Kind, LabelPatch, Object, ObjectRef, Operation, PatchTarget, ResolvedTransaction,
};
use crate::selector::Selector;

use super::present::Present;
use super::relabel::Relabelling;
use super::resolve::{ObjectResult, Outcome, Resolver};
use super::resolve_error::ResolveError;
use super::slot::{Now, Slot};

/// A transaction while it is being resolved.
pub(super) struct Work<'r, 'e> {
    resolver: &'r Resolver<'e>,
    /// Those that operations name, sorted, each once; behind them those that selectors found.
    slots: Vec<Slot>,
    named: usize,
    found: BTreeMap<ObjectRef, usize>,
    results: Vec<ObjectResult>,
    source: SmolStr,
}

impl<'r, 'e> Work<'r, 'e> {
    pub(super) fn resolve(
        resolver: &'r Resolver<'e>,
        operations: Vec<Operation>,
        source: SmolStr,
    ) -> Result<(ResolvedTransaction, Vec<ObjectResult>), ResolveError> {
        let mut work = Work {
            resolver,
            slots: Vec::with_capacity(operations.len()),
            named: 0,
            found: BTreeMap::new(),
            results: Vec::with_capacity(operations.len()),
            source,
        };
        let slots = work.name(&operations);
        for (operation, (what, slot)) in operations.into_iter().zip(slots).enumerate() {
            match what {
                Operation::Put(object) => work.put(operation, slot, object)?,
                Operation::Delete(_) => work.delete(operation, slot)?,
                Operation::PatchLabels(patch) => work.patch(operation, slot, &patch)?,
            }
        }
        Ok(work.finish())
    }

    /// Makes a slot for each object that an operation names; answers each operation's.
    fn name(&mut self, operations: &[Operation]) -> Vec<usize> {
        let object = |operation: &Operation| match operation {
            Operation::Put(object) => Some(object.object_ref()),
            Operation::Delete(object) => Some(object.clone()),
            Operation::PatchLabels(patch) => match &patch.target {
                PatchTarget::Object(object) => Some(object.clone()),
                PatchTarget::Selector { .. } => None,
            },
        };
        let mut named: Vec<(ObjectRef, usize)> = operations
            .iter()
            .enumerate()
            .filter_map(|(at, operation)| Some((object(operation)?, at)))
            .collect();
        named.sort_unstable();
        let mut slots = vec![0; operations.len()];
        for (object, operation) in named {
            if self.slots.last().is_none_or(|slot| slot.object != object) {
                self.slots.push(Slot::new(object));
            }
            if let Some(slot) = slots.get_mut(operation) {
                *slot = self.slots.len() - 1;
            }
        }
        self.named = self.slots.len();
        Slot::find_pods(&mut self.slots, self.resolver);
        slots
    }

    fn put(&mut self, operation: usize, slot: usize, object: Object) -> Result<(), ResolveError> {
        let Some(slot) = self.slots.get_mut(slot) else {
            return Ok(());
        };
        check_labels(self.resolver, operation, &object)?;
        let outcome = |equal| match equal {
            None => Outcome::Created,
            Some(true) => Outcome::Unchanged,
            Some(false) => Outcome::Configured,
        };
        let outcome = match &slot.now {
            Now::Untouched => {
                let before = slot.before(self.resolver);
                let equal = before.as_ref().map(|before| before.equals(&object));
                let stays = before
                    .is_none_or(|before| self.source.is_empty() || *before.source() == self.source);
                // What is as it was has not been written, and keeps its revision.
                if equal != Some(true) || !stays {
                    slot.now = Now::There(object);
                    slot.differs = Some(true);
                }
                outcome(equal)
            }
            Now::There(before) => {
                let equal = *before == object;
                slot.now = Now::There(object);
                slot.differs = None;
                outcome(Some(equal))
            }
            Now::Gone => {
                slot.now = Now::There(object);
                slot.differs = None;
                outcome(None)
            }
        };
        let object = slot.object.clone();
        self.record(operation, object, outcome)
    }

    fn delete(&mut self, operation: usize, slot: usize) -> Result<(), ResolveError> {
        let Some(slot) = self.slots.get_mut(slot) else {
            return Ok(());
        };
        let (there, differs) = match &slot.now {
            Now::Untouched => (slot.before(self.resolver).is_some(), Some(true)),
            Now::There(_) => (true, None),
            Now::Gone => (false, None),
        };
        let outcome = if there {
            slot.now = Now::Gone;
            slot.differs = differs;
            Outcome::Deleted
        } else {
            Outcome::NotFound
        };
        let object = slot.object.clone();
        self.record(operation, object, outcome)
    }

    fn patch(
        &mut self,
        operation: usize,
        slot: usize,
        patch: &LabelPatch,
    ) -> Result<(), ResolveError> {
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
        let labels = Relabelling::new(operation, patch);
        match &patch.target {
            PatchTarget::Object(_) => self.patch_one(slot, &labels),
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
                objects.into_iter().try_for_each(|object| {
                    let slot = self.slot_of(object);
                    self.patch_one(slot, &labels)
                })
            }
        }
    }

    fn patch_one(&mut self, slot: usize, labels: &Relabelling<'_>) -> Result<(), ResolveError> {
        let Some(slot) = self.slots.get_mut(slot) else {
            return Ok(());
        };
        let not_found = || ResolveError::NotFound {
            operation: labels.operation,
            object: slot.object.clone(),
        };
        let changed = match &mut slot.now {
            Now::Gone => return Err(not_found()),
            Now::There(object) => {
                let changed = labels.apply(&slot.object, object)?;
                if changed {
                    check_labels(self.resolver, labels.operation, object)?;
                    slot.differs = None;
                }
                changed
            }
            Now::Untouched => {
                let before = slot.before(self.resolver);
                let mut object = before.ok_or_else(not_found)?.object();
                let changed = labels.apply(&slot.object, &mut object)?;
                if changed {
                    check_labels(self.resolver, labels.operation, &object)?;
                    slot.now = Now::There(object);
                    slot.differs = Some(true);
                }
                changed
            }
        };
        let outcome = if changed {
            Outcome::Configured
        } else {
            Outcome::Unchanged
        };
        let object = slot.object.clone();
        self.record(labels.operation, object, outcome)
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

    fn find_slot(&self, object: &ObjectRef) -> Option<usize> {
        let named = self.slots.get(..self.named).unwrap_or_default();
        let named = named.binary_search_by(|slot| slot.object.cmp(object));
        named.ok().or_else(|| self.found.get(object).copied())
    }

    fn slot_of(&mut self, object: ObjectRef) -> usize {
        self.find_slot(&object).unwrap_or_else(|| {
            self.found.insert(object.clone(), self.slots.len());
            self.slots.push(Slot::new(object));
            self.slots.len() - 1
        })
    }

    /// The objects that match now: the engine's answer, corrected for whatever is under way.
    fn matching(
        &self,
        kind: Kind,
        namespaces: &Namespaces,
        selector: &Selector,
    ) -> Result<Vec<ObjectRef>, ResolveError> {
        let limit = self.resolver.limits.max_operations;
        let group = &self.resolver.written;
        let is_touched = |object: &ObjectRef| {
            let slot = self.find_slot(object).and_then(|slot| self.slots.get(slot));
            slot.is_some_and(|slot| !matches!(slot.now, Now::Untouched))
        };
        let matches = |object: &ObjectRef, labels: &LabelSet| {
            object.kind == kind
                && (!kind.is_namespaced() || namespaces.contains(&object.name.namespace))
                && selector.matches(labels)
        };
        // Every object that was changed may take the place of one of the answer.
        let most = limit
            .saturating_add(1)
            .saturating_add(self.slots.len() + group.len());
        let mut found = self
            .resolver
            .engine
            .matching(kind, namespaces, selector, most);
        found.retain(|object| !group.contains_key(object) && !is_touched(object));
        for (object, written) in group {
            if object.kind == kind
                && !is_touched(object)
                && let Some(Present::Written(state, _)) = self.resolver.written_object(written)
                && matches(object, state.labels())
            {
                found.push(object.clone());
            }
        }
        for slot in &self.slots {
            if let Now::There(state) = &slot.now
                && matches(&slot.object, state.labels())
            {
                found.push(slot.object.clone());
            }
        }
        found.sort_unstable();
        if found.len() > limit {
            return Err(ResolveError::TooManyOperations { limit });
        }
        Ok(found)
    }

    /// What the transaction comes to.
    fn finish(self) -> (ResolvedTransaction, Vec<ObjectResult>) {
        let Work {
            resolver,
            slots,
            results,
            source,
            ..
        } = self;
        let changes = slots
            .into_iter()
            .filter_map(|slot| slot.into_change(resolver, &source));
        let changes: Vec<Change> = changes.collect();
        (ResolvedTransaction::new(changes, source), results)
    }
}

fn check_labels(
    resolver: &Resolver<'_>,
    operation: usize,
    object: &Object,
) -> Result<(), ResolveError> {
    let (limit, labels) = (resolver.limits.max_labels, object.labels().len());
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
