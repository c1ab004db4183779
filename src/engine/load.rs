use smol_str::SmolStr;

use crate::model::{Change, Object, Revision};

use super::apply::ApplyError;
use super::state::Engine;

impl Engine {
    /// Puts objects that are not there yet, each as its own source wrote it, at a revision that may be
    /// the head's: so an engine is filled piece by piece with what is all of one revision. Nobody may
    /// have read it at that revision before.
    ///
    /// Cost: as [`Engine::apply`]; least if nodes come first, then pods, then services.
    ///
    /// # Errors
    /// [`ApplyError`]; then nothing of the piece was put.
    pub fn load(
        &mut self,
        revision: Revision,
        objects: Vec<(Object, SmolStr)>,
    ) -> Result<(), ApplyError> {
        let head = self.head;
        if revision < head {
            return Err(ApplyError::Stale { revision, head });
        }
        let pods = objects
            .iter()
            .filter(|(object, _)| matches!(object, Object::Pod(_)));
        if !self.has_room_for(pods.count()) {
            return Err(ApplyError::TooManyPods);
        }
        self.head = revision;
        let mut objects = objects.into_iter().peekable();
        while let Some((object, source)) = objects.next() {
            let mut changes = vec![Change::Put(object)];
            while let Some((object, _)) = objects.next_if(|(_, next)| *next == source) {
                changes.push(Change::Put(object));
            }
            self.change(revision, changes, &source);
        }
        Ok(())
    }
}
