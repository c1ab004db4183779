//! What of a stretch one scope is told.

use std::ops::Range;

use bytes::Bytes;

use crate::engine::{Crossed, Event, Scope};
use crate::wire::MessageWriter;

use super::stretch::{About, Stretch, hash};

/// It cannot be told from here: the log has to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behind;

/// What a scope does with an element.
enum Verdict {
    Told,
    NotTold,
    /// Told as a REMOVE.
    Removed,
}

/// How far a stretch was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) entry: usize,
    pub(super) node: usize,
}

impl Stretch {
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
}

impl About {
    /// Whether a scope has to do with it.
    pub(super) fn concerns(&self, scope: &Scope) -> bool {
        !matches!(verdict(scope, self), Ok(Verdict::NotTold))
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
