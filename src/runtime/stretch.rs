use std::hash::{Hash, Hasher as _};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use bytes::Bytes;
use rustc_hash::FxHasher;
use smol_str::SmolStr;

use crate::engine::{Crossed, Scope, ServiceOutline};
use crate::model::{ObjectName, Revision};

use super::telling::Place;

/// What happened between two revisions, each difference encoded once for all who are told of it.
///
/// Any run of its elements is a valid message. Whoever holds the state at one of its cuts, and folds
/// what it tells of the rest, holds the state at its end.
#[derive(Debug)]
pub struct Stretch {
    pub(super) from: Revision,
    pub(super) to: Revision,
    pub(super) commit_time: Option<SystemTime>,
    /// Where the head stood on the way, oldest first.
    pub(super) cuts: Vec<Cut>,
    /// Elements one behind the other, in pieces that a message has room for: whoever has not taken a
    /// message yet holds its piece, and no more.
    pub(super) chunks: Vec<Bytes>,
    pub(super) entries: Vec<Entry>,
    pub(super) nodes: Vec<NodeEntry>,
    pub(super) index: OnceLock<Index>,
}

/// The head after a group of transactions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) revision: Revision,
    /// Entries, and nodes, up to it.
    pub(super) entries: usize,
    pub(super) nodes: usize,
}

/// One element.
#[derive(Debug)]
pub(super) struct Entry {
    /// In which chunk, and where it ends there. It begins where the one before it ends.
    pub(super) chunk: u32,
    pub(super) end: u32,
    pub(super) about: About,
}

/// Whom an element concerns.
#[derive(Debug)]
pub(super) enum About {
    /// Scopes that contain the service.
    Update(Arc<ServiceOutline>),
    /// The same; those that only may contain it are told that they do not.
    Anew(Arc<ServiceOutline>),
    /// Scopes that may contain the name.
    Gone(Box<ObjectName>),
    /// No element, but a mark: scopes that look at this field of the service read the log.
    Crossed(Arc<ServiceOutline>, Crossed),
}

impl About {
    pub(super) fn name(&self) -> &ObjectName {
        match self {
            About::Update(service) | About::Anew(service) | About::Crossed(service, _) => {
                &service.name
            }
            About::Gone(name) => name,
        }
    }
}

/// A node is new, changed or gone.
#[derive(Debug)]
pub(super) struct NodeEntry {
    pub(super) name: SmolStr,
    pub(super) element: Bytes,
}

/// Entries by hashes of what scopes name, sorted; made when somebody asks.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) by_name: Vec<(u64, usize)>,
    pub(super) by_namespace: Vec<(u64, usize)>,
    /// Whether node scopes are told every element.
    pub(super) all_for_nodes: bool,
}

pub(super) fn hash(of: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = FxHasher::default();
    of.hash(&mut hasher);
    hasher.finish()
}

impl Stretch {
    /// It tells what happened behind this revision,
    pub fn from(&self) -> Revision {
        self.from
    }

    /// up to this one.
    pub fn to(&self) -> Revision {
        self.to
    }

    /// Whether it tells nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.nodes.is_empty()
    }

    /// Approximate bytes that it takes.
    pub fn size(&self) -> usize {
        let chunks = self.chunks.iter().map(|chunk| chunk.len() + 64);
        let nodes = self.nodes.iter().map(|node| node.element.len() + 64);
        chunks.chain(nodes).sum::<usize>()
            + self.entries.len() * (size_of::<Entry>() + 2 * size_of::<(u64, usize)>())
            + self.cuts.len() * size_of::<Cut>()
    }

    /// Where somebody at this revision goes on; none if nobody who read here came to be there.
    pub(super) fn place(&self, revision: Revision) -> Option<Place> {
        if revision == self.from {
            return Some(Place::default());
        }
        let at = self
            .cuts
            .binary_search_by_key(&revision, |cut| cut.revision)
            .ok()?;
        self.cuts.get(at).map(|cut| Place {
            entry: cut.entries,
            node: cut.nodes,
        })
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it speaks of services.
    pub fn has_services(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Names of the services that it speaks of; neighbours differ.
    pub fn names(&self) -> impl Iterator<Item = &ObjectName> {
        let mut last = None;
        let names = self.entries.iter().map(|entry| entry.about.name());
        names.filter(move |name| last.replace(*name) != Some(*name))
    }

    /// Their namespaces; neighbours differ.
    pub fn namespaces(&self) -> impl Iterator<Item = &SmolStr> {
        let mut last = None;
        let namespaces = self.names().map(|name| &name.namespace);
        namespaces.filter(move |name| last.replace(*name) != Some(*name))
    }

    /// Nodes that it speaks of.
    pub fn node_names(&self) -> impl Iterator<Item = &SmolStr> {
        self.nodes.iter().map(|node| &node.name)
    }

    /// Whether it speaks of services that every node's scope may be told of.
    pub fn concerns_nodes(&self) -> bool {
        let mut all = self.entries.iter().map(|entry| &entry.about);
        all.any(|about| match about {
            About::Update(service) => service.has_cluster_ip,
            About::Anew(_) | About::Gone(_) => true,
            About::Crossed(_, crossed) => *crossed == Crossed::ClusterIp,
        })
    }

    /// Whether it has anything to tell of services to a scope. Linear in its elements.
    pub fn concerns(&self, scope: &Scope) -> bool {
        self.entries.iter().any(|entry| entry.about.concerns(scope))
    }

    pub(super) fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            let all = || self.entries.iter().zip(0..);
            let mut by_name: Vec<_> = all()
                .map(|(entry, at)| (hash(entry.about.name()), at))
                .collect();
            let mut by_namespace: Vec<_> = all()
                .map(|(entry, at)| (hash(entry.about.name().namespace.as_str()), at))
                .collect();
            by_name.sort_unstable();
            by_namespace.sort_unstable();
            Index {
                by_name,
                by_namespace,
                all_for_nodes: self.entries.iter().all(|entry| match &entry.about {
                    About::Update(service) | About::Anew(service) => service.has_cluster_ip,
                    About::Gone(_) => true,
                    About::Crossed(_, crossed) => *crossed != Crossed::ClusterIp,
                }),
            }
        })
    }
}
