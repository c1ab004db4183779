use smol_str::SmolStr;

use crate::model::{Change, Object, Revision};

use super::apply::{ApplyError, Origin};
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
        let put = |(object, source)| (Change::Put(object), source);
        let (changes, sources): (Vec<_>, Vec<SmolStr>) = objects.into_iter().map(put).unzip();
        let mut sources = sources.iter();
        self.apply_changes(revision, changes, || Origin {
            revision,
            source: sources.next(),
        });
        Ok(())
    }
}
