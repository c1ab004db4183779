use crate::engine::{Engine, EngineOptions};

use super::error::SnapshotError;
use super::reader::SnapshotReader;

/// Objects that are put into the engine together.
const PIECE: usize = 4_096;

/// An engine that holds what a snapshot holds, all of it written at the snapshot's revision. `tell` is
/// told how many objects were read.
///
/// # Errors
/// The snapshot is damaged or cannot be read.
pub fn load(
    snapshot: &mut SnapshotReader,
    rules: EngineOptions,
    tell: &mut dyn FnMut(u64),
) -> Result<Engine, SnapshotError> {
    let revision = snapshot.header().revision;
    let path = snapshot.path().to_owned();
    let mut engine = Engine::new(rules);
    let mut objects = snapshot.objects()?;
    let mut piece = Vec::new();
    let mut done = 0u64;
    loop {
        let next = objects.next().transpose()?;
        let is_last = next.is_none();
        piece.extend(next);
        if piece.len() >= PIECE || is_last {
            done = done.saturating_add(piece.len() as u64);
            // Also without objects: the head is the snapshot's.
            engine
                .load(revision, std::mem::take(&mut piece))
                .map_err(|error| SnapshotError::damaged(&path, error.to_string()))?;
            tell(done);
        }
        if is_last {
            return Ok(engine);
        }
    }
}
