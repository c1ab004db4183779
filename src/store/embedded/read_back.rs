//! The engine as the state has it: one thread reads and decodes, the other puts it together.

use std::mem;
use std::sync::mpsc::sync_channel;
use std::thread;

use crate::engine::{Engine, EngineOptions, KeptEnd, Restore};

use super::open::{RecoveryProgress, Tell};
use super::state::{Space, State, StateError};
use super::{object, record};

/// After so many, how far it is is told.
const STEP: u64 = 4_096;
/// So many are handed over at once.
const BATCH: usize = 1_024;
/// So many batches wait at most.
const WAITING: usize = 8;

/// Reads everything of a state whose log ends there.
pub(super) fn read_back(
    state: &State,
    rules: EngineOptions,
    end: KeptEnd,
    tell: Tell<'_>,
) -> Result<Engine, StateError> {
    let mut restore = Restore::new(rules);
    let (mut done, of) = (0u64, end.objects);
    piped(
        |hand_on| {
            state.each(Space::Objects, &mut |key, value| {
                hand_on(object::read(key, value)?)
            })
        },
        |object| {
            done += 1;
            if done.is_multiple_of(STEP) {
                tell(RecoveryProgress::Objects { done, of });
            }
            object.restore(&mut restore)
        },
    )?;
    let (mut done, of) = (0u64, end.records);
    piped(
        |hand_on| {
            state.each(Space::Records, &mut |key, value| {
                hand_on(record::read(key, value).ok_or("a record that is none")?)
            })
        },
        |record| {
            done += 1;
            if done.is_multiple_of(STEP) {
                tell(RecoveryProgress::Records { done, of });
            }
            restore.record(record).map_err(|wrong| wrong.to_string())
        },
    )?;
    restore
        .finish(end)
        .map_err(|wrong| StateError::Wrong(wrong.to_string()))
}

type HandOn<'h, T> = &'h mut dyn FnMut(T) -> Result<(), String>;

/// Produces on a thread of its own what is consumed on this one, in order.
fn piped<T: Send>(
    produce: impl FnOnce(HandOn<'_, T>) -> Result<(), StateError> + Send,
    consume: impl FnMut(T) -> Result<(), String>,
) -> Result<(), StateError> {
    let given_up = |_| "nobody reads on".to_owned();
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<Vec<T>>(WAITING);
        let producer = scope.spawn(move || {
            let mut batch = Vec::with_capacity(BATCH);
            produce(&mut |item| {
                batch.push(item);
                if batch.len() < BATCH {
                    return Ok(());
                }
                let full = mem::replace(&mut batch, Vec::with_capacity(BATCH));
                sender.send(full).map_err(given_up)
            })?;
            sender
                .send(batch)
                .map_err(|error| StateError::Wrong(given_up(error)))
        });
        // Dropped with what it was asked last, so that the other thread ends, too.
        let consumed = receiver.into_iter().flatten().try_for_each(consume);
        let produced = producer
            .join()
            .unwrap_or_else(|_| Err(StateError::Wrong("reading it panicked".to_owned())));
        consumed.map_err(StateError::Wrong)?;
        produced
    })
}
