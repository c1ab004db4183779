use std::time::Instant;

use bytes::Bytes;

use crate::engine::{Applied, Engine, Listed, ListingError};
use crate::model::Revision;

use super::keys::Keys;
use super::value::decode;
use super::{Contact, EtcdError, Placed};

/// How far a listing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListProgress {
    /// Keys read.
    pub keys: u64,
    /// Of so many.
    pub of: u64,
}

/// Every object at one revision, as bytes that are read when they are needed.
#[derive(Debug, Clone)]
pub struct Listing {
    pub(super) keys: Keys,
    pub(super) revision: Revision,
    pub(super) read_at: Revision,
    pub(super) asked_at: Instant,
    pub(super) objects: Vec<Listed<Bytes>>,
    pub(super) requests: Vec<Placed>,
}

impl Listing {
    /// The newest revision that changed something of ours: the engine's head, once it is applied. All
    /// replicas come to it.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The revision at which all was read: what is to be followed comes behind it.
    pub fn read_at(&self) -> Revision {
        self.read_at
    }

    /// What it says of how far the store is. It was asked before the first of it was read.
    pub fn contact(&self) -> Contact {
        Contact {
            at: self.asked_at,
            revision: self.read_at,
            ours: self.revision,
        }
    }

    /// What was written under request ids lastly, in no order; taken out of it.
    pub fn take_requests(&mut self) -> Vec<Placed> {
        std::mem::take(&mut self.requests)
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Makes an engine that is empty, or that followed the same history up to an earlier revision,
    /// equal to this: [`Engine::apply_listing`].
    ///
    /// # Errors
    /// [`ListingError`].
    pub fn apply_to(self, engine: &mut Engine) -> Result<Applied, ListingError<EtcdError>> {
        let keys = self.keys;
        engine.apply_listing(self.revision, self.objects, |object, value| {
            decode(&keys, object, value)
        })
    }
}
