use std::collections::BTreeMap;

use smol_str::SmolStr;

use crate::index::Namespaces;
use crate::model::{
    Change, Expectation, Kind, LabelPatch, Object, ObjectRef, Operation, PatchTarget, Precondition,
    ResolvedTransaction, Revision, Transaction,
};
use crate::selector::Selector;

use super::present::Present;
use super::resolve_error::ResolveError;
use super::resolve_transaction::Work;
use super::state::Engine;

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

/// Turns transactions into final states, against an engine and whatever this resolver has let through
/// before: a group of transactions is resolved, stored and applied together, and each sees those
/// before it.
#[derive(Debug)]
pub struct Resolver<'e> {
    pub(super) engine: &'e Engine,
    pub(super) limits: ResolveLimits,
    /// Those let through that change something.
    transactions: Vec<ResolvedTransaction>,
    /// Where the first `indexed` of them left each object: a transaction that none follows is not
    /// looked into again.
    pub(super) written: BTreeMap<ObjectRef, Written>,
    indexed: usize,
    /// Pods that they put.
    pods: usize,
}

/// What a group left of an object.
#[derive(Debug)]
pub(super) struct Written {
    transaction: usize,
    change: usize,
    /// Whose the object is now; none: it is gone.
    source: Option<SmolStr>,
}

impl<'e> Resolver<'e> {
    /// A resolver with nothing under way.
    pub fn new(engine: &'e Engine, limits: ResolveLimits) -> Resolver<'e> {
        Resolver {
            engine,
            limits,
            transactions: Vec::new(),
            written: BTreeMap::new(),
            indexed: 0,
            pods: 0,
        }
    }

    /// Resolves one transaction, and answers what becomes of each object that an operation names or
    /// matches, in order. Later calls see what it does; a refused one leaves no trace.
    ///
    /// Costs a comparison for each object put, where it lies; objects are moved, not copied.
    ///
    /// # Errors
    /// [`ResolveError`].
    pub fn resolve(&mut self, transaction: Transaction) -> Result<Vec<ObjectResult>, ResolveError> {
        self.index_new();
        self.check_size(&transaction)?;
        for (index, precondition) in transaction.preconditions.iter().enumerate() {
            self.check(index, precondition)?;
        }
        let (transaction, results) =
            Work::resolve(self, transaction.operations, transaction.source)?;
        let is_pod = |change: &&Change| matches!(change, Change::Put(Object::Pod(_)));
        let pods = self.pods + transaction.changes().iter().filter(is_pod).count();
        if !self.engine.has_room_for(pods) {
            return Err(ResolveError::TooManyPods);
        }
        self.pods = pods;
        if !transaction.is_empty() {
            self.transactions.push(transaction);
        }
        Ok(results)
    }

    /// The transactions let through that change something, in order.
    pub fn transactions(&self) -> &[ResolvedTransaction] {
        &self.transactions
    }

    /// The same, to store and apply.
    pub fn into_transactions(self) -> Vec<ResolvedTransaction> {
        self.transactions
    }

    /// Notes where transactions let through since left their objects.
    fn index_new(&mut self) {
        while let Some(transaction) = self.transactions.get(self.indexed) {
            let mut new = Vec::with_capacity(transaction.changes().len());
            for (at, change) in transaction.changes().iter().enumerate() {
                let object = change.object_ref();
                let source = match change {
                    Change::Delete(_) => None,
                    // A writer without a name leaves an object whose it was.
                    Change::Put(_) if transaction.source().is_empty() => Some(
                        self.present(&object)
                            .map(|before| before.source().clone())
                            .unwrap_or_default(),
                    ),
                    Change::Put(_) => Some(transaction.source().clone()),
                };
                let written = Written {
                    transaction: self.indexed,
                    change: at,
                    source,
                };
                new.push((object, written));
            }
            self.written.extend(new);
            self.indexed += 1;
        }
    }

    /// An object as the transactions before left it.
    fn present(&self, object: &ObjectRef) -> Option<Present<'_>> {
        self.present_found(object, None)
    }

    /// The same, of a pod that may have been looked for in the engine.
    pub(super) fn present_found(
        &self,
        object: &ObjectRef,
        found: Option<Option<u32>>,
    ) -> Option<Present<'_>> {
        match (self.written.get(object), found) {
            (Some(written), _) => self.written_object(written),
            (None, Some(pod)) => self.engine.index.get(pod?).map(Present::Pod),
            (None, None) => self.engine.present(object),
        }
    }

    /// What the group made of an object, unless it is gone.
    pub(super) fn written_object<'r>(&'r self, written: &'r Written) -> Option<Present<'r>> {
        let transaction = self.transactions.get(written.transaction)?;
        match transaction.changes().get(written.change)? {
            Change::Put(object) => Some(Present::Written(object, written.source.as_ref()?)),
            Change::Delete(_) => None,
        }
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
        let found = match self.written.get(object) {
            Some(written) => written.source.as_ref().map(|_| self.engine.head() + 1),
            None => self.engine.revision_of(object),
        };
        let holds = match expect {
            Expectation::Exists => found.is_some(),
            Expectation::Absent => found.is_none(),
            // A transaction under way has no revision yet that anybody could have been told.
            Expectation::Revision(wanted) => {
                found == Some(*wanted) && !self.written.contains_key(object)
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
}

impl Engine {
    /// Resolves one transaction by itself.
    ///
    /// # Errors
    /// [`ResolveError`].
    pub fn resolve(
        &self,
        transaction: Transaction,
        limits: ResolveLimits,
    ) -> Result<Resolution, ResolveError> {
        let mut resolver = Resolver::new(self, limits);
        let results = resolver.resolve(transaction)?;
        Ok(Resolution {
            transaction: resolver.into_transactions().pop().unwrap_or_default(),
            results,
        })
    }

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

    /// At most `limit` objects of a kind that match, by name.
    pub(super) fn matching(
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
