use std::collections::{BTreeSet, HashMap, HashSet};

use smol_str::SmolStr;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::engine::Namespaces;
use crate::model::{Kind, ObjectRef, Revision};

use super::command::Release;
use super::error::CommitError;

/// As many mentioned objects are looked for at a time, while everybody else waits.
const LOOKED_FOR: usize = 256;

/// Names one sync of a source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SyncId {
    source: SmolStr,
    number: u64,
}

impl SyncId {
    /// The source that speaks.
    pub fn source(&self) -> &SmolStr {
        &self.source
    }
}

/// What a sync speaks for.
#[derive(Debug, Clone)]
pub(super) struct SyncScope {
    pub kinds: BTreeSet<Kind>,
    pub namespaces: Namespaces,
    /// The revision at which it began: what was written later is not its to delete.
    pub began: Revision,
}

/// How a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncEnd {
    /// The revision at which what was not mentioned was gone.
    pub revision: Revision,
    /// How many objects were deleted.
    pub deleted: u64,
}

/// A sync that has begun. Dropping it breaks it off: nothing is deleted.
#[derive(Debug)]
pub struct SyncSession {
    pub(super) id: SyncId,
    pub(super) scope: SyncScope,
    /// What is there and was mentioned.
    pub(super) mentioned: HashSet<ObjectRef>,
    /// What was mentioned and is not looked for yet.
    new: Vec<ObjectRef>,
    _place: OwnedSemaphorePermit,
    releases: mpsc::UnboundedSender<Release>,
}

impl SyncSession {
    pub(super) fn new(
        id: SyncId,
        scope: SyncScope,
        place: OwnedSemaphorePermit,
        releases: mpsc::UnboundedSender<Release>,
    ) -> Self {
        SyncSession {
            id,
            scope,
            mentioned: HashSet::new(),
            new: Vec::new(),
            _place: place,
            releases,
        }
    }

    /// Its name, to say that a transaction belongs to it.
    pub fn id(&self) -> &SyncId {
        &self.id
    }

    /// The revision at which it began: what was written later is not its to delete.
    pub fn began(&self) -> Revision {
        self.scope.began
    }

    /// Notes one; answers those that are to be looked for, once they are many.
    pub(super) fn mention(&mut self, object: ObjectRef) -> Option<Vec<ObjectRef>> {
        self.new.push(object);
        (self.new.len() >= LOOKED_FOR).then(|| std::mem::take(&mut self.new))
    }

    /// How many objects are remembered now.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.mentioned.len() + self.new.len()
    }

    /// All that were mentioned, there or not.
    pub(super) fn take_mentioned(&mut self) -> HashSet<ObjectRef> {
        self.mentioned.extend(self.new.drain(..));
        std::mem::take(&mut self.mentioned)
    }
}

impl Drop for SyncSession {
    fn drop(&mut self) {
        // Without its owner there is nothing left that could delete.
        let _ = self.releases.send(Release::Sync(self.id.clone()));
    }
}

/// The newest sync of each source.
#[derive(Debug, Default)]
pub(super) struct Syncs {
    current: HashMap<SmolStr, u64>,
    begun: u64,
}

impl Syncs {
    /// Begins one; an earlier one of the same source is aborted.
    pub(super) fn begin(&mut self, source: SmolStr) -> SyncId {
        self.begun = self.begun.saturating_add(1);
        self.current.insert(source.clone(), self.begun);
        SyncId {
            source,
            number: self.begun,
        }
    }

    /// Whether no later sync of the same source has begun.
    pub(super) fn check(&self, id: &SyncId) -> Result<(), CommitError> {
        if self.current.get(&id.source) == Some(&id.number) {
            Ok(())
        } else {
            Err(CommitError::SyncAborted {
                source_name: id.source.clone(),
            })
        }
    }

    /// Forgets one that is over; a later one of the same source goes on.
    pub(super) fn end(&mut self, id: &SyncId) {
        if self.check(id).is_ok() {
            self.current.remove(&id.source);
        }
    }
}
