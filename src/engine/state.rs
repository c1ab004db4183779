use smol_str::SmolStr;

use crate::index::Index;
use crate::model::Revision;
use crate::reconcile::{Differences, Reconciler, Touched};

use super::live_query::LiveQueries;
use super::log::Log;
use super::options::EngineOptions;

/// The engine: facts in by [`Engine::apply`], answers and differences out, at one revision.
///
/// Synchronous and pure: no clock, no I/O, no threads, no randomness, no logging. Two engines that
/// applied the same transactions give the same [`Engine::dump`].
#[derive(Debug, Default)]
pub struct Engine {
    pub(super) options: EngineOptions,
    pub(super) head: Revision,
    pub(super) index: Index,
    pub(super) reconciler: Reconciler,
    pub(super) log: Log,
    pub(super) live_queries: LiveQueries,
    pub(super) scratch: Option<Scratch>,
}

/// What applying a transaction needs room for, kept empty from one to the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) touched: Touched,
    pub(super) differences: Differences,
}

/// An object with the revision and the source that wrote it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<T> {
    /// The object.
    pub object: T,
    /// The revision that wrote it last.
    pub revision: Revision,
    /// Who wrote it, or empty.
    pub source: SmolStr,
}

impl<T> Stored<T> {
    /// The same of another object.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Stored<U> {
        Stored {
            object: f(self.object),
            revision: self.revision,
            source: self.source,
        }
    }
}

impl Engine {
    /// An empty engine at revision 0.
    pub fn new(options: EngineOptions) -> Engine {
        Engine {
            options,
            reconciler: Reconciler::new(options.missing_node),
            ..Engine::default()
        }
    }

    /// The newest revision applied.
    pub fn head(&self) -> Revision {
        self.head
    }

    /// The options it was made with.
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }
}
