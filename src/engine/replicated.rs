use crate::model::{Object, ObjectRef, Revision};

use super::state::Stored;

/// What a transaction of another process made of one object: all that a replica has to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replicated {
    /// The object is now this, and whose it says: an empty source makes it nobody's, where
    /// [`Engine::apply`](super::Engine::apply) would leave it whose it was.
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
