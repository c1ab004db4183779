use std::hash::{Hash, Hasher as _};
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use bytes::Bytes;
use rustc_hash::FxHasher;
use smol_str::SmolStr;

use crate::engine::{Crossed, Event, Scope, ServiceOutline};
use crate::model::{ObjectName, Revision};
use crate::wire::MessageWriter;

/// What happened between two revisions, each difference encoded once for all who are told of it.
///
/// Any run of its elements is a valid message. Whoever holds the state at one of its cuts, and folds
/// what [`Stretch::tell`] says of the rest, holds the state at its end.
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
    by_name: Vec<(u64, usize)>,
    by_namespace: Vec<(u64, usize)>,
    /// Whether node scopes are told every element.
    all_for_nodes: bool,
}

/// It cannot be told from here: the log has to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind;

/// What a scope does with an element.
enum Verdict {
    Told,
    NotTold,
    /// Told as a REMOVE.
    Removed,
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
        let told = |entry: &Entry| !matches!(verdict(scope, &entry.about), Ok(Verdict::NotTold));
        self.entries.iter().any(told)
    }

    /// Writes what a scope is told from a place on, until a message is full or all is written;
    /// answers whether all is, and moves the place there.
    ///
    /// Who takes every element shares the encoded bytes. A scope of names or namespaces looks at
    /// their elements alone; of any other kind, at all of them.
    ///
    /// # Errors
    /// A service entered or left this scope, and has to be told from the log.
    pub(super) fn tell(
        &self,
        scope: &Scope,
        place: &mut Place,
        out: &mut MessageWriter,
    ) -> Result<bool, Behind> {
        if self.is_told_whole(scope) {
            if !self.tell_all(place, out) {
                return Ok(false);
            }
        } else {
            let through = match self.candidates(scope, place.entry) {
                Some(some) => self.tell_some(scope, &mut some.into_iter(), place, out)?,
                None => {
                    let mut all = place.entry..self.entries.len();
                    self.tell_some(scope, &mut all, place, out)?
                }
            };
            if !through {
                return Ok(false);
            }
        }
        if let Scope::Node(name) = scope {
            while let Some(node) = self.nodes.get(place.node) {
                place.node += 1;
                if node.name == *name && out.push_encoded(&node.element) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether every element is for this scope.
    fn is_told_whole(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Services(services) => {
                services.names.is_empty()
                    && services.namespaces.is_empty()
                    && services.selector.is_everything()
            }
            Scope::Node(_) => self.index().all_for_nodes,
        }
    }

    /// Writes elements as they stand, as long a run at a time as a message has room for.
    fn tell_all(&self, place: &mut Place, out: &mut MessageWriter) -> bool {
        while let Some(first) = self.entries.get(place.entry) {
            let begin = self.begin(place.entry);
            let most = begin.saturating_add(out.room());
            let rest = self.entries.get(place.entry..).unwrap_or_default();
            let fits = rest.partition_point(|entry| {
                entry.chunk < first.chunk
                    || (entry.chunk == first.chunk && entry.end as usize <= most)
            });
            let last = place.entry.saturating_add(fits.max(1)).saturating_sub(1);
            let elements = self.elements(first.chunk, begin..self.end(last));
            place.entry = last.saturating_add(1);
            if !elements.is_empty() && out.push_encoded(&elements) {
                return false;
            }
        }
        true
    }

    /// Writes those of some elements that the scope is told, those that stand together in one piece.
    fn tell_some(
        &self,
        scope: &Scope,
        some: &mut dyn Iterator<Item = usize>,
        place: &mut Place,
        out: &mut MessageWriter,
    ) -> Result<bool, Behind> {
        let mut run: Option<(u32, Range<usize>)> = None;
        let room = out.room();
        for at in some {
            let Some(entry) = self.entries.get(at) else {
                break;
            };
            let span = self.begin(at)..entry.end as usize;
            match verdict(scope, &entry.about)? {
                Verdict::NotTold => {}
                Verdict::Told => match &mut run {
                    Some((chunk, run))
                        if *chunk == entry.chunk
                            && run.end == span.start
                            && span.end.saturating_sub(run.start) <= room =>
                    {
                        run.end = span.end;
                    }
                    before => {
                        let before = before.replace((entry.chunk, span));
                        if self.flush(before, out) {
                            place.entry = at;
                            return Ok(false);
                        }
                    }
                },
                Verdict::Removed => {
                    if self.flush(run.take(), out) {
                        place.entry = at;
                        return Ok(false);
                    }
                    if out.push(&Event::Remove(entry.about.name().clone())) {
                        place.entry = at.saturating_add(1);
                        return Ok(false);
                    }
                }
            }
        }
        place.entry = self.entries.len();
        Ok(!self.flush(run, out))
    }

    fn flush(&self, run: Option<(u32, Range<usize>)>, out: &mut MessageWriter) -> bool {
        run.is_some_and(|(chunk, span)| out.push_encoded(&self.elements(chunk, span)))
    }

    fn elements(&self, chunk: u32, span: Range<usize>) -> Bytes {
        let chunk = self.chunks.get(chunk as usize);
        chunk
            .filter(|chunk| span.start <= span.end && span.end <= chunk.len())
            .map(|chunk| chunk.slice(span))
            .unwrap_or_default()
    }

    fn begin(&self, entry: usize) -> usize {
        let Some((before, this)) = entry
            .checked_sub(1)
            .and_then(|before| Some((self.entries.get(before)?, self.entries.get(entry)?)))
        else {
            return 0;
        };
        if before.chunk == this.chunk {
            before.end as usize
        } else {
            0
        }
    }

    fn end(&self, entry: usize) -> usize {
        self.entries
            .get(entry)
            .map_or(0, |entry| entry.end as usize)
    }

    /// The entries from one on that a scope of names or namespaces may be told, in order; none: all.
    fn candidates(&self, scope: &Scope, from: usize) -> Option<Vec<usize>> {
        let Scope::Services(services) = scope else {
            return None;
        };
        let index = self.index();
        let (sorted, mut hashes): (_, Box<dyn Iterator<Item = u64>>) = if services.names.is_empty()
        {
            let hashes = services.namespaces.iter().map(|name| hash(name.as_str()));
            (&index.by_namespace, Box::new(hashes))
        } else {
            (&index.by_name, Box::new(services.names.iter().map(hash)))
        };
        let most = services.names.len().max(services.namespaces.len());
        // To look up more than there is would cost more than to look through it.
        if most == 0 || most > self.entries.len() {
            return None;
        }
        let mut found = Vec::new();
        for hash in &mut hashes {
            let first = sorted.partition_point(|(of, _)| *of < hash);
            let same = sorted.iter().skip(first);
            found.extend(
                same.take_while(|(of, _)| *of == hash)
                    .map(|(_, entry)| *entry)
                    .filter(|entry| *entry >= from),
            );
        }
        found.sort_unstable();
        Some(found)
    }

    fn index(&self) -> &Index {
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

/// Whether a scope is told an element.
///
/// # Errors
/// It is a mark that concerns this scope.
fn verdict(scope: &Scope, about: &About) -> Result<Verdict, Behind> {
    Ok(match about {
        About::Update(service) if scope.contains_outline(service) => Verdict::Told,
        About::Update(_) => Verdict::NotTold,
        About::Anew(service) if scope.contains_outline(service) => Verdict::Told,
        About::Anew(service) if scope.may_contain(&service.name) => Verdict::Removed,
        About::Anew(_) => Verdict::NotTold,
        About::Gone(name) if scope.may_contain(name) => Verdict::Told,
        About::Gone(_) => Verdict::NotTold,
        About::Crossed(service, crossed) => {
            let looked_at = match crossed {
                Crossed::Labels => scope.looks_at_labels(),
                Crossed::ClusterIp => matches!(scope, Scope::Node(_)),
            };
            if looked_at && scope.may_contain(&service.name) {
                return Err(Behind);
            }
            Verdict::NotTold
        }
    })
}

/// How far a stretch was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) entry: usize,
    pub(super) node: usize,
}
