use bytes::Bytes;

use crate::engine::{Listed, Stored};
use crate::model::{Object, Revision};

use super::EtcdError;

/// How far a listing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListProgress {
    /// Objects read.
    pub objects: u64,
    /// Of so many.
    pub of: u64,
}

/// Every object at one revision, by kind and name, as bytes that are read when they are asked for.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    pub(super) revision: Revision,
    pub(super) objects: Vec<Listed<Bytes>>,
}
