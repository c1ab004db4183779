use std::collections::BTreeMap;

use crate::model::{EndpointIdentity, Position};

/// Removed endpoints that are remembered for those who still hold them.
#[derive(Debug, Default)]
pub(crate) struct Removals {
    by_identity: BTreeMap<EndpointIdentity, Position>,
    by_position: BTreeMap<Position, EndpointIdentity>,
}

impl Removals {
    pub(crate) fn len(&self) -> usize {
        self.by_position.len()
    }

    pub(crate) fn insert(&mut self, identity: EndpointIdentity, position: Position) {
        self.by_position.insert(position, identity.clone());
        self.by_identity.insert(identity, position);
    }

    /// The endpoint is there again; answers where its removal stood.
    pub(crate) fn remove(&mut self, identity: &EndpointIdentity) -> Option<Position> {
        let position = self.by_identity.remove(identity)?;
        self.by_position.remove(&position);
        Some(position)
    }

    /// Forgets the oldest; answers where it stood.
    pub(crate) fn forget_oldest(&mut self) -> Option<Position> {
        let (position, identity) = self.by_position.pop_first()?;
        self.by_identity.remove(&identity);
        Some(position)
    }

    pub(crate) fn at(&self, position: Position) -> Option<&EndpointIdentity> {
        self.by_position.get(&position)
    }

    pub(crate) fn positions(&self) -> impl Iterator<Item = (&Position, &EndpointIdentity)> {
        self.by_position.iter()
    }
}
