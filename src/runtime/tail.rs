use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use smol_str::SmolStr;

use crate::engine::{Engine, Event, Recent};
use crate::model::Revision;
use crate::wire::ElementWriter;

use super::stretch::{About, Cut, Entry, NodeEntry, Stretch};

/// A chunk that has come to this is closed: with the element that is being written, and with a
/// checkpoint, it is still below 64 KiB.
const CHUNK: usize = 56 << 10;
/// An element is closed once it has come to this, so that whoever may not be sent whole chunks finds
/// places to cut.
const ELEMENT: usize = 2 << 10;

/// What was committed and is not yet in the ring: written by the engine's thread, taken by whoever
/// distributes it. Nothing is encoded while nobody watches.
#[derive(Debug)]
pub struct Tail {
    growing: Mutex<Growing>,
    watchers: AtomicUsize,
    max_bytes: usize,
}

/// Somebody watches, for as long as this is held.
#[derive(Debug)]
pub struct Watching(Arc<Tail>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Tail {
    /// Nothing yet, behind this revision. Holds at most about so many bytes: if they are not taken in
    /// time, they are let go.
    pub fn new(head: Revision, max_bytes: usize) -> Tail {
        Tail {
            growing: Mutex::new(Growing::new(head)),
            watchers: AtomicUsize::new(0),
            max_bytes,
        }
    }

    /// From here on, what is committed is encoded. Whoever asks the engine's thread anything
    /// afterwards, and is told a revision, finds here what is committed behind it.
    pub fn watch(self: &Arc<Self>) -> Watching {
        self.watchers.fetch_add(1, Ordering::Relaxed);
        Watching(Arc::clone(self))
    }

    /// Writes what was committed since the last time. Done on the engine's thread, before the head
    /// moves. Cost: as [`Engine::recent`].
    pub fn append(&self, engine: &Engine, commit_time: Option<SystemTime>) {
        let mut growing = self.lock();
        let behind = growing.to;
        growing.to = engine.head();
        growing.commit_time = commit_time;
        let told = self.watchers.load(Ordering::Relaxed) > 0
            && engine.recent(behind, &mut |recent| growing.write(&recent));
        growing.cut();
        if !told || growing.bytes > self.max_bytes {
            growing.let_go();
        }
    }

    /// Takes what was committed since the last time; none if nothing was.
    pub fn take(&self) -> Option<Stretch> {
        let mut growing = self.lock();
        if growing.cuts.is_empty() && !growing.gone {
            return None;
        }
        let next = Growing::new(growing.to);
        let taken = mem::replace(&mut *growing, next);
        // The engine's thread may want to append: it does not wait for what follows.
        drop(growing);
        Some(taken.finish())
    }

    fn lock(&self) -> MutexGuard<'_, Growing> {
        self.growing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Growing {
    from: Revision,
    to: Revision,
    commit_time: Option<SystemTime>,
    cuts: Vec<Cut>,
    chunks: Vec<Vec<u8>>,
    /// Writes the last chunk.
    writer: ElementWriter,
    entries: Vec<Entry>,
    nodes: Vec<NodeEntry>,
    /// Of all chunks but the last.
    bytes: usize,
    /// Something before `from` was let go.
    gone: bool,
}

impl Growing {
    fn new(head: Revision) -> Growing {
        Growing {
            from: head,
            to: head,
            commit_time: None,
            cuts: Vec::new(),
            chunks: Vec::new(),
            writer: ElementWriter::default(),
            entries: Vec::new(),
            nodes: Vec::new(),
            bytes: 0,
            gone: false,
        }
    }

    fn let_go(&mut self) {
        *self = Growing {
            commit_time: self.commit_time,
            gone: true,
            ..Growing::new(self.to)
        };
    }

    fn write(&mut self, recent: &Recent<'_>) {
        match recent {
            Recent::Service(service, event) => {
                let anew = matches!(event, Event::Replace(_));
                self.element(event, || {
                    if anew {
                        About::Anew(Arc::clone(service))
                    } else {
                        About::Update(Arc::clone(service))
                    }
                });
            }
            Recent::Gone(name) => {
                let name = Box::new((*name).clone());
                self.element(&Event::Remove((*name).clone()), || About::Gone(name));
            }
            Recent::Crossed(service, crossed) => {
                self.close();
                self.entry(About::Crossed(Arc::clone(service), *crossed));
                self.close();
            }
            Recent::Node(event) => {
                let name: SmolStr = match event {
                    Event::Node(node) => node.name.clone(),
                    Event::NodeRemoved(name) => name.clone(),
                    _ => return,
                };
                let mut alone = ElementWriter::default();
                alone.event(event);
                let element = alone.take().into();
                self.nodes.push(NodeEntry { name, element });
            }
        }
    }

    fn element(&mut self, event: &Event, about: impl FnOnce() -> About) {
        if self.writer.len() >= CHUNK {
            self.close();
            let chunk = self.writer.take();
            self.bytes = self.bytes.saturating_add(chunk.len());
            self.chunks.push(chunk);
        }
        if let Some(begin) = self.writer.event(event) {
            self.end_at(begin);
            self.entry(about());
        }
        if self.writer.open_len() >= ELEMENT {
            self.close();
        }
    }

    fn entry(&mut self, about: About) {
        let chunk = u32::try_from(self.chunks.len()).unwrap_or(u32::MAX);
        let end = u32::try_from(self.writer.len()).unwrap_or(u32::MAX);
        self.entries.push(Entry { chunk, end, about });
    }

    /// The last entry ends where the next begins, unless that is in another chunk.
    fn end_at(&mut self, begin: usize) {
        let chunk = self.chunks.len();
        if let Some(last) = self.entries.last_mut()
            && last.chunk as usize == chunk
        {
            last.end = u32::try_from(begin).unwrap_or(u32::MAX);
        }
    }

    fn close(&mut self) {
        self.writer.close();
        self.end_at(self.writer.len());
    }

    /// The head is here.
    fn cut(&mut self) {
        self.close();
        self.cuts.push(Cut {
            revision: self.to,
            entries: self.entries.len(),
            nodes: self.nodes.len(),
        });
    }

    fn finish(mut self) -> Stretch {
        self.chunks.push(self.writer.take());
        Stretch {
            cuts: self.cuts,
            chunks: self.chunks.into_iter().map(Into::into).collect(),
            entries: self.entries,
            nodes: self.nodes,
            from: self.from,
            to: self.to,
            commit_time: self.commit_time,
            index: OnceLock::new(),
        }
    }
}
