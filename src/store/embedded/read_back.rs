//! The engine as the state has it.
//!
//! On one thread: to decode on another was tried, and cost a third more of the processors' time, as what
//! one thread allocates the other frees.

use crate::engine::{Engine, EngineOptions, KeptEnd, Restore};

use super::open::{RecoveryProgress, Tell};
use super::state::{Space, State, StateError};
use super::{object, record};

/// After so many, how far it is is told.
const STEP: u64 = 4_096;

/// Reads everything of a state whose log ends there.
pub(super) fn read_back(
    state: &State,
    rules: EngineOptions,
    end: KeptEnd,
    tell: Tell<'_>,
) -> Result<Engine, StateError> {
    let mut restore = Restore::new(rules);
    let (mut done, of) = (0u64, end.objects);
    state.each(Space::Objects, &mut |key, value| {
        object::read(key, value)?.restore(&mut restore)?;
        done += 1;
        if done.is_multiple_of(STEP) {
            tell(RecoveryProgress::Objects { done, of });
        }
        Ok(())
    })?;
    let (mut done, of) = (0u64, end.records);
    state.each(Space::Records, &mut |key, value| {
        let record = record::read(key, value).ok_or("a record that is none")?;
        restore.record(record).map_err(|wrong| wrong.to_string())?;
        done += 1;
        if done.is_multiple_of(STEP) {
            tell(RecoveryProgress::Records { done, of });
        }
        Ok(())
    })?;
    restore
        .finish(end)
        .map_err(|wrong| StateError::Wrong(wrong.to_string()))
}
