//! Applying what other processes wrote to a store that this one follows.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;
use smol_str::SmolStr;
use thiserror::Error;

use crate::model::{Change, Kind, Object, ObjectName, ObjectRef, Revision};

use super::apply::{Applied, ApplyError, Origin};
use super::state::{Engine, Stored};

/// Objects of a first listing that are applied at one go.
const PIECE: usize = 4_096;

/// What a transaction of another process made of one object: all that a replica has to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replicated {
    /// The object is now this, and whose it says: an empty source makes it nobody's, where
    /// [`Engine::apply`] would leave it whose it was.
    Put(Stored<Object>),
    /// The object is gone.
    Delete(ObjectRef),
}

impl Replicated {
    /// Which object.
    pub fn object_ref(&self) -> ObjectRef {
        match self {
            Replicated::Put(stored) => stored.object.object_ref(),
            Replicated::Delete(object) => object.clone(),
        }
    }
}

/// An object of a listing that has not been read yet: one whose revision shows that it did not change
/// need not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<V> {
    /// Which object.
    pub object: ObjectRef,
    /// The revision that wrote it last.
    pub revision: Revision,
    /// What it is to be read from.
    pub value: V,
}

/// Why a listing was not applied. An engine that had applied something before is unchanged; one that
/// was empty is of no use any more.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ListingError<E> {
    /// It is older than what is applied, or there is no room.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// One of its objects cannot be read.
    #[error("{0}")]
    Read(E),
    /// It is of another history: an object is said to be of a revision at which it was not written.
    #[error(
        "{object} is said to have been written by revision {listed}, up to which all was applied, and was not"
    )]
    OtherHistory {
        /// The object.
        object: ObjectRef,
        /// The revision that the listing has of it.
        listed: Revision,
    },
}

/// Changes with where each comes from.
#[derive(Default)]
struct Changes {
    changes: Vec<Change>,
    origins: Vec<(Revision, SmolStr)>,
}

impl Changes {
    fn put(&mut self, object: Object, revision: Revision, source: SmolStr) {
        self.changes.push(Change::Put(object));
        self.origins.push((revision, source));
    }

    fn delete(&mut self, object: ObjectRef, revision: Revision) {
        self.changes.push(Change::Delete(object));
        self.origins.push((revision, SmolStr::default()));
    }
}

impl Engine {
    /// Applies a transaction of another process whole, as `revision`: each object once, each with the
    /// source and the revision it comes with. Nothing to change is a transaction, too: it moves the head.
    ///
    /// Costs what [`Engine::apply`] costs.
    ///
    /// # Errors
    /// [`ApplyError`]; then nothing was changed.
    pub fn apply_replicated(
        &mut self,
        revision: Revision,
        transaction: Vec<Replicated>,
    ) -> Result<Applied, ApplyError> {
        let mut changes = Changes::default();
        for change in transaction {
            match change {
                Replicated::Put(stored) => {
                    changes.put(stored.object, stored.revision, stored.source);
                }
                Replicated::Delete(object) => changes.delete(object, revision),
            }
        }
        self.check(revision, &changes.changes)?;
        Ok(self.apply_all(revision, changes))
    }

    /// Applies everything that there is at `revision`, each object once: those that are listed with
    /// another revision than they have are read and put, and those that are not listed are deleted. One
    /// transaction, however much it changes; of an empty engine, the first.
    ///
    /// Afterwards all that changed stands at `revision` in the log. What happened on the way is not
    /// known: a cursor between the head before and `revision` is answered with a reset, and to an
    /// engine that was empty, any cursor below `revision`. Where something changed and `revision` is the
    /// head already, it is the next one.
    ///
    /// Linear in all objects; those that did not change cost a look-up.
    ///
    /// # Errors
    /// [`ListingError`].
    pub fn apply_listing<V, E>(
        &mut self,
        revision: Revision,
        listed: Vec<Listed<V>>,
        mut read: impl FnMut(&ObjectRef, V) -> Result<(Object, SmolStr), E>,
    ) -> Result<Applied, ListingError<E>> {
        if self.head == 0 && self.object_count() == 0 {
            return self.apply_first_listing(revision, listed, read);
        }
        let before = self.head;
        if revision < before {
            let stale = ApplyError::Stale {
                revision,
                head: before,
            };
            return Err(stale.into());
        }
        let mut there = There::default();
        let mut changes = Changes::default();
        for Listed {
            object,
            revision,
            value,
        } in listed
        {
            there.add(self, &object);
            if self.revision_of(&object) == Some(revision) {
                continue;
            }
            if revision <= before {
                return Err(ListingError::OtherHistory {
                    object,
                    listed: revision,
                });
            }
            let (object, source) = read(&object, value).map_err(ListingError::Read)?;
            changes.put(object, revision, source);
        }
        for object in self.objects_but(&there) {
            changes.delete(object, revision);
        }
        if revision == before && changes.changes.is_empty() {
            return Ok(Applied::default());
        }
        let revision = revision.max(before.saturating_add(1));
        self.check(revision, &changes.changes)?;
        let applied = self.apply_all(revision, changes);
        self.log.pass_over(before, revision);
        Ok(applied)
    }

    /// Piece by piece, as nobody looks at an engine that is empty: so it need not all be in memory in
    /// every form at one time.
    fn apply_first_listing<V, E>(
        &mut self,
        revision: Revision,
        listed: Vec<Listed<V>>,
        mut read: impl FnMut(&ObjectRef, V) -> Result<(Object, SmolStr), E>,
    ) -> Result<Applied, ListingError<E>> {
        self.check(revision, &[])?;
        let pods = |listed: &&Listed<V>| listed.object.kind == Kind::Pod;
        if !self.has_room_for(listed.iter().filter(pods).count()) {
            return Err(ApplyError::TooManyPods.into());
        }
        let before = self.work(0);
        let mut listed = listed.into_iter().peekable();
        let mut objects = 0u64;
        loop {
            let mut piece = Changes::default();
            for Listed {
                object,
                revision,
                value,
            } in listed.by_ref().take(PIECE)
            {
                let (object, source) = read(&object, value).map_err(ListingError::Read)?;
                piece.put(object, revision, source);
            }
            objects = objects.saturating_add(piece.changes.len() as u64);
            self.apply_all(revision, piece);
            if listed.peek().is_none() {
                break;
            }
        }
        self.log.raise_floor(revision);
        Ok(Applied {
            work: self.work(objects) - before,
        })
    }

    fn apply_all(&mut self, revision: Revision, changes: Changes) -> Applied {
        let Changes { changes, origins } = changes;
        let mut origins = origins.iter();
        // There is one for each change.
        self.apply_changes(revision, changes, || match origins.next() {
            Some((revision, source)) => Origin {
                revision: *revision,
                source: Some(source),
            },
            None => Origin {
                revision,
                source: None,
            },
        })
    }

    /// All objects that are not among these.
    fn objects_but(&self, those: &There) -> Vec<ObjectRef> {
        let count = those.pods.len().saturating_add(those.others.len() as u64);
        if count == self.object_count() {
            return Vec::new();
        }
        let pods = self
            .index
            .pods()
            .filter(|(id, _)| !those.pods.contains(*id));
        let pods = pods.map(|(_, pod)| ObjectRef::new(Kind::Pod, pod.name()));
        let services = self.reconciler.services.iter();
        let services =
            services.map(|(_, record)| ObjectRef::new(Kind::Service, record.service.name()));
        let nodes = self.reconciler.nodes.iter();
        let nodes =
            nodes.map(|(name, _)| ObjectRef::new(Kind::Node, ObjectName::cluster(name.clone())));
        let manuals = self.reconciler.manual.objects().map(|record| {
            let manual = &record.object;
            ObjectRef::new(manual.kind.kind(), manual.name.clone())
        });
        let others = services.chain(nodes).chain(manuals);
        pods.chain(others.filter(|object| !those.others.contains(object)))
            .collect()
    }
}

/// Which of an engine's objects are listed.
#[derive(Default)]
struct There {
    pods: RoaringBitmap,
    others: BTreeSet<ObjectRef>,
}

impl There {
    fn add(&mut self, engine: &Engine, object: &ObjectRef) {
        match object.kind {
            Kind::Pod => {
                self.pods.extend(engine.index.find(&object.name));
            }
            _ if engine.revision_of(object).is_some() => {
                self.others.insert(object.clone());
            }
            _ => {}
        }
    }
}
