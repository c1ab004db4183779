//! Saving every object as it is at one revision, while writes go on.
//!
//! The objects are walked in one order, in pieces, as other catch-up is. What a transaction changes
//! ahead of a walk is kept as it was before, each object once, and told when the walk comes to it. So
//! what is told is the state at which the walk began, whatever the store is; and nothing is kept, or
//! looked at, while nobody saves.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use prost::Message as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::engine::{Engine, ObjectPlace, Stored};
use crate::model::{Object, ObjectRef, Revision};
use crate::wire::encode_stored;

use super::command::Read;
use super::error::{SaveError, Stopped};
use super::handle::Runtime;

/// Bytes that keeping an object takes beside its own.
const AROUND: usize = 192;

/// What saves may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaveOptions {
    /// Most saves under way at one time.
    pub max_saves: usize,
    /// Bytes that one save may keep of what was changed ahead of it. One that would need more is broken
    /// off.
    pub max_kept_bytes: usize,
    /// Objects in a piece: everybody else waits while it is made.
    pub piece: usize,
    /// Endpoints that the hand-made objects in a piece hold together, beyond which it ends.
    pub piece_endpoints: usize,
}

impl Default for SaveOptions {
    fn default() -> Self {
        SaveOptions {
            max_saves: 2,
            max_kept_bytes: 256 << 20,
            piece: 256,
            piece_endpoints: 4_096,
        }
    }
}

/// The saves that are under way.
#[derive(Debug, Clone)]
pub(super) struct Saves(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: SaveOptions,
    places: Arc<Semaphore>,
    /// How many there are: all that a writer looks at while there is none.
    open: AtomicUsize,
    walks: Mutex<Walks>,
}

#[derive(Debug, Default)]
struct Walks {
    begun: u64,
    by_number: BTreeMap<u64, Walk>,
}

/// How far one save has come.
#[derive(Debug, Default)]
struct Walk {
    /// The last object it was told.
    after: Option<ObjectPlace>,
    /// What was changed ahead of it, as it was before; none of what was not there.
    kept: BTreeMap<ObjectPlace, Option<Bytes>>,
    /// About what that takes.
    bytes: usize,
    /// Why it does not go on.
    broken_off: Option<SaveError>,
}

/// An object that is told to a save.
#[derive(Debug, Clone)]
pub enum SavedObject {
    /// It is still as it was.
    Present(Box<Stored<Object>>),
    /// It was changed since: as it was, already encoded.
    Kept(Bytes),
}

impl SavedObject {
    /// The message [`StoredObject`](crate::wire::proto::StoredObject).
    pub fn encode(self) -> Bytes {
        match self {
            SavedObject::Present(stored) => encode(&stored),
            SavedObject::Kept(bytes) => bytes,
        }
    }
}

fn encode(stored: &Stored<Object>) -> Bytes {
    let message = encode_stored(&stored.object, &stored.source);
    message.encode_to_vec().into()
}

/// A bounded part of what is saved.
#[derive(Debug)]
struct Piece {
    objects: Vec<SavedObject>,
    is_last: bool,
}

impl Walk {
    /// Whether an object has to be kept before it is changed.
    fn needs(&self, place: &ObjectPlace) -> bool {
        let ahead = self.after.as_ref().is_none_or(|after| place > after);
        ahead && self.broken_off.is_none() && !self.kept.contains_key(place)
    }

    /// What was kept is let go with the save, not by whoever writes.
    fn break_off(&mut self, why: SaveError) {
        self.broken_off = Some(why);
    }

    fn keep(&mut self, place: ObjectPlace, before: Option<Bytes>, most: usize) {
        let size = size(&place, before.as_ref());
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > most {
            self.break_off(SaveError::TooFarBehind { limit: most });
        } else {
            self.kept.insert(place, before);
        }
    }

    /// Merges what is there with what was kept, in order. Of either at most about as many are passed as may be
    /// in a piece.
    fn piece(&mut self, engine: &Engine, options: &SaveOptions) -> Piece {
        let (most, endpoints) = (options.piece.max(1), options.piece_endpoints.max(1));
        let (present, all_read) = engine.some_objects(self.after.as_ref(), most, endpoints);
        let mut present = present
            .into_iter()
            .map(|stored| (ObjectPlace::from(stored.object.object_ref()), stored))
            .peekable();
        let mut objects = Vec::new();
        for _ in 0..most {
            let kept = self.kept.first_key_value().map(|(place, _)| place);
            let is_kept = match (present.peek(), kept) {
                (Some((place, _)), Some(kept)) => kept <= place,
                (Some(_), None) => false,
                // Others that are there may stand before it.
                (None, Some(_)) if all_read => true,
                (None, _) => break,
            };
            if !is_kept {
                if let Some((place, stored)) = present.next() {
                    self.after = Some(place);
                    objects.push(SavedObject::Present(Box::new(stored)));
                }
                continue;
            }
            if let Some((place, before)) = self.kept.pop_first() {
                self.bytes = self.bytes.saturating_sub(size(&place, before.as_ref()));
                present.next_if(|(there, _)| *there == place);
                self.after = Some(place);
                objects.extend(before.map(SavedObject::Kept));
            }
        }
        let is_last = all_read && present.peek().is_none() && self.kept.is_empty();
        Piece { objects, is_last }
    }
}

/// About what keeping an object takes.
fn size(place: &ObjectPlace, before: Option<&Bytes>) -> usize {
    let name = place.name();
    let names = name.namespace.len().saturating_add(name.name.len());
    names
        .saturating_add(before.map_or(0, Bytes::len))
        .saturating_add(AROUND)
}

impl Saves {
    pub(super) fn new(options: SaveOptions) -> Saves {
        let places = options.max_saves.min(Semaphore::MAX_PERMITS);
        Saves(Arc::new(Shared {
            options,
            places: Arc::new(Semaphore::new(places)),
            open: AtomicUsize::new(0),
            walks: Mutex::default(),
        }))
    }

    /// Keeps objects as they are for the saves that have not come to them. Called on the engine's thread
    /// before they are changed; nothing is asked of `objects` while nobody saves.
    pub(super) fn keep(&self, engine: &Engine, objects: impl IntoIterator<Item = ObjectRef>) {
        if self.0.open.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut walks = self.lock();
        for object in objects {
            let place = ObjectPlace::from(object.clone());
            let mut before = None;
            for walk in walks.by_number.values_mut() {
                if walk.needs(&place) {
                    let before = before
                        .get_or_insert_with(|| engine.get(&object).map(|stored| encode(&stored)));
                    walk.keep(place.clone(), before.clone(), self.0.options.max_kept_bytes);
                }
            }
        }
    }

    /// What is there is about to change in any way: no save goes on.
    pub(super) fn break_off(&self) {
        let mut walks = self.lock();
        let all = walks.by_number.values_mut();
        all.for_each(|walk| walk.break_off(SaveError::Listed));
    }

    /// A place for another, if there is one.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, SaveError> {
        let place = Arc::clone(&self.0.places).try_acquire_owned();
        place.map_err(|_| SaveError::TooMany {
            limit: self.0.options.max_saves,
        })
    }

    /// Begins one. Called on the engine's thread: what is applied from then on is kept for it.
    pub(super) fn begin(&self, place: OwnedSemaphorePermit) -> OpenSave {
        let mut walks = self.lock();
        walks.begun = walks.begun.saturating_add(1);
        let number = walks.begun;
        walks.by_number.insert(number, Walk::default());
        self.0.open.store(walks.by_number.len(), Ordering::Release);
        OpenSave {
            saves: self.clone(),
            number,
            _place: place,
        }
    }

    /// The next piece. Called on the engine's thread.
    fn piece(&self, number: u64, engine: &Engine) -> Result<Piece, SaveError> {
        let mut walks = self.lock();
        let walk = walks.by_number.get_mut(&number).ok_or(Stopped)?;
        match walk.broken_off {
            Some(why) => Err(why),
            None => Ok(walk.piece(engine, &self.0.options)),
        }
    }

    /// Held for a piece at most, by the engine's thread; else for moments.
    fn lock(&self) -> MutexGuard<'_, Walks> {
        self.0.walks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A save that has begun; what is kept for it is let go when this is dropped.
#[derive(Debug)]
pub(super) struct OpenSave {
    saves: Saves,
    number: u64,
    _place: OwnedSemaphorePermit,
}

impl Drop for OpenSave {
    fn drop(&mut self) {
        let mut walks = self.saves.lock();
        let walk = walks.by_number.remove(&self.number);
        let left = walks.by_number.len();
        self.saves.0.open.store(left, Ordering::Release);
        // The engine's thread may want the lock: it does not wait until all is freed.
        drop(walks);
        drop(walk);
    }
}

/// What a save will be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaveContents {
    /// The revision that it is of.
    pub revision: Revision,
    /// When that was committed; none before the first.
    pub commit_time: Option<SystemTime>,
    /// Objects of each kind, as [`ObjectPlace::KINDS`] orders them.
    pub objects: [u64; 5],
}

/// A save that is under way: every object as it was when it began. Dropping it ends it.
#[derive(Debug)]
pub struct SaveSession {
    contents: SaveContents,
    pieces: mpsc::Sender<Read>,
    /// The piece behind the last one, which is made while that is written; none at the end.
    asked: Option<oneshot::Receiver<Result<Piece, SaveError>>>,
    open: OpenSave,
}

impl Runtime {
    /// Begins to save every object as it is now, while writes go on.
    ///
    /// # Errors
    /// Too many saves are under way.
    pub async fn save(&self) -> Result<SaveSession, SaveError> {
        let saves = self.queues().saves.clone();
        let place = saves.place()?;
        let head = self.watch_head();
        let begin = move |engine: &Engine| {
            // The head moves on this thread alone, so it is the engine's.
            let head = *head.borrow();
            let contents = SaveContents {
                revision: head.revision,
                commit_time: head.commit_time,
                objects: engine.object_counts(),
            };
            (contents, saves.begin(place))
        };
        let (contents, open) = self.query(begin).await?;
        let mut session = SaveSession {
            contents,
            pieces: self.queues().catch_ups.clone(),
            asked: None,
            open,
        };
        session.ask().await?;
        Ok(session)
    }
}

impl SaveSession {
    /// What it will be told in all.
    pub fn contents(&self) -> &SaveContents {
        &self.contents
    }

    /// Some more objects, by kind, namespace and name ([`ObjectPlace`]); perhaps none, where those that
    /// there are came later. None at the end.
    ///
    /// # Errors
    /// Too much was changed ahead of it; what it was told is of no use then.
    pub async fn next(&mut self) -> Result<Option<Vec<SavedObject>>, SaveError> {
        let Some(asked) = self.asked.take() else {
            return Ok(None);
        };
        let piece = asked.await.map_err(|_| Stopped)??;
        if !piece.is_last {
            self.ask().await?;
        }
        Ok(Some(piece.objects))
    }

    async fn ask(&mut self) -> Result<(), Stopped> {
        let (reply, asked) = oneshot::channel();
        let (saves, number) = (self.open.saves.clone(), self.open.number);
        let read: Read = Box::new(move |engine| {
            if !reply.is_closed() {
                let _ = reply.send(saves.piece(number, engine));
            }
        });
        self.pieces.send(read).await.map_err(|_| Stopped)?;
        self.asked = Some(asked);
        Ok(())
    }
}
