use std::collections::BTreeMap;

use crate::model::{EndpointIdentity, Sequence};

/// Removed endpoints that are remembered for those who still hold them.
#[derive(Debug, Default)]
pub(crate) struct Removals {
    by_identity: BTreeMap<EndpointIdentity, Sequence>,
    by_position: BTreeMap<Sequence, EndpointIdentity>,
}

impl Removals {
    pub(crate) fn len(&self) -> usize {
        self.by_position.len()
    }

    pub(crate) fn insert(&mut self, identity: EndpointIdentity, position: Sequence) {
        self.by_position.insert(position, identity.clone());
        self.by_identity.insert(identity, position);
    }

    /// The endpoint is there again; answers where its removal stood.
    pub(crate) fn remove(&mut self, identity: &EndpointIdentity) -> Option<Sequence> {
        let position = self.by_identity.remove(identity)?;
        self.by_position.remove(&position);
        Some(position)
    }

    /// Forgets the oldest; answers where it stood.
    pub(crate) fn forget_oldest(&mut self) -> Option<Sequence> {
        let (position, identity) = self.by_position.pop_first()?;
        self.by_identity.remove(&identity);
        Some(position)
    }

    pub(crate) fn at(&self, position: Sequence) -> Option<&EndpointIdentity> {
        self.by_position.get(&position)
    }

    pub(crate) fn positions(&self) -> impl Iterator<Item = (&Sequence, &EndpointIdentity)> {
        self.by_position.iter()
    }
}
