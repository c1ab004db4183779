//! The engine as the state has it.
//!
//! One thread reads and decodes, another puts the engine together. What the first has allocated, the other
//! gives back to it when it is done with it: to free what another thread has allocated costs as much again.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use crate::engine::{Engine, EngineOptions, KeptEnd, KeptRecord, Restore};
use crate::model::Object;
use crate::wire::PodReader;

use super::object::{self, KeptObject};
use super::open::{RecoveryProgress, Tell};
use super::record;
use super::state::{Space, State, StateError};

/// So many are handed on at once, and then how far it is is told.
const CHUNK: usize = 1_024;
/// So many chunks may wait.
const AHEAD: usize = 8;

/// What was read, in the order of the state.
enum Chunk {
    Objects(Vec<KeptObject>),
    Records(Vec<KeptRecord>),
}

/// What was put in.
#[expect(dead_code, reason = "it is only dropped")]
enum Used {
    Objects(Vec<Object>),
    Records(Vec<KeptRecord>),
}

/// Reads everything of a state whose log ends there.
pub(super) fn read_back(
    state: &State,
    rules: EngineOptions,
    end: KeptEnd,
    tell: Tell<'_>,
) -> Result<Engine, StateError> {
    let (chunks, queue) = sync_channel(AHEAD);
    let (used, garbage) = channel();
    thread::scope(|scope| {
        let reader = thread::Builder::new()
            .name("reader".to_owned())
            .spawn_scoped(scope, move || read(state, &chunks, &garbage))
            .map_err(lsm_tree::Error::Io)?;
        // What does not fit ends the reading, too.
        let restored = put_together(queue, &used, rules, end, tell);
        let read = match reader.join() {
            Ok(read) => read,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        // What was read before a fault comes first.
        let restore = restored.map_err(StateError::Wrong)?;
        read?;
        restore
            .finish(end)
            .map_err(|wrong| StateError::Wrong(wrong.to_string()))
    })
}

/// Reads and decodes until nobody listens any more.
fn read(
    state: &State,
    chunks: &SyncSender<Chunk>,
    garbage: &Receiver<Used>,
) -> Result<(), StateError> {
    let gone = || StateError::Wrong("nobody listens".to_owned());
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut pods = PodReader::default();
    state.each(Space::Objects, &mut |key, value| {
        chunk.push(object::read(key, value, &mut pods)?);
        if chunk.len() == CHUNK {
            garbage.try_iter().for_each(drop);
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK));
            let sent = chunks.send(Chunk::Objects(full));
            sent.map_err(|_| gone().to_string())?;
        }
        Ok(())
    })?;
    chunks.send(Chunk::Objects(chunk)).map_err(|_| gone())?;
    let mut chunk = Vec::with_capacity(CHUNK);
    state.each(Space::Records, &mut |key, value| {
        chunk.push(record::read(key, value).ok_or("a record that is none")?);
        if chunk.len() == CHUNK {
            garbage.try_iter().for_each(drop);
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK));
            let sent = chunks.send(Chunk::Records(full));
            sent.map_err(|_| gone().to_string())?;
        }
        Ok(())
    })?;
    chunks.send(Chunk::Records(chunk)).map_err(|_| gone())
}

/// Puts in what is read, up to the first thing that does not fit.
fn put_together(
    queue: Receiver<Chunk>,
    used: &Sender<Used>,
    rules: EngineOptions,
    end: KeptEnd,
    tell: Tell<'_>,
) -> Result<Restore, String> {
    let mut restore = Restore::new(rules);
    restore.expect(end.objects);
    let (mut objects, mut records) = (0u64, 0u64);
    for chunk in queue {
        match chunk {
            Chunk::Objects(chunk) => {
                objects = objects.saturating_add(chunk.len() as u64);
                for object in chunk {
                    object.restore(&mut restore)?;
                }
                // The reader may be through with objects, and gone.
                let _ = used.send(Used::Objects(restore.take_used()));
                let (done, of) = (objects, end.objects);
                tell(RecoveryProgress::Objects { done, of });
            }
            Chunk::Records(chunk) => {
                records = records.saturating_add(chunk.len() as u64);
                let put = restore.records(&chunk);
                put.map_err(|wrong| wrong.to_string())?;
                let _ = used.send(Used::Records(chunk));
                let (done, of) = (records, end.records);
                tell(RecoveryProgress::Records { done, of });
            }
        }
    }
    Ok(restore)
}
