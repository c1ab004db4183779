use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::ObjectName;

use super::PortName;

/// Something that is of one service port.
pub(super) trait OfPort: Clone + PartialEq {
    /// Which port it is of.
    fn port(&self) -> &Arc<PortName>;
}

/// The ports of all services, as they are to be and as they were last written.
#[derive(Debug)]
pub(super) struct Services<P> {
    now: BTreeMap<ObjectName, Vec<P>>,
    /// What services that changed since the last write were then.
    before: BTreeMap<ObjectName, Vec<P>>,
}

/// A port as it was and as it is to be.
pub(super) type Step<P> = (Option<P>, Option<P>);

impl<P> Default for Services<P> {
    fn default() -> Services<P> {
        Services {
            now: BTreeMap::new(),
            before: BTreeMap::new(),
        }
    }
}

impl<P: OfPort> Services<P> {
    /// The ports of a service.
    pub(super) fn get(&self, name: &ObjectName) -> &[P] {
        self.now.get(name).map_or(&[], Vec::as_slice)
    }

    /// Makes the ports of a service these. Answers those that differ, in order of their names.
    pub(super) fn put(&mut self, name: &ObjectName, new: Vec<P>) -> Vec<(Arc<PortName>, Step<P>)> {
        let old = self.now.remove(name).unwrap_or_default();
        // Two ports of one name cannot be: the second would take the first one's items with it.
        let by_name = |all: &[P]| -> BTreeMap<Arc<PortName>, P> {
            let pairs = all.iter().rev().map(|p| (p.port().clone(), p.clone()));
            pairs.collect()
        };
        let (mut was, mut is) = (by_name(&old), by_name(&new));
        let names: BTreeSet<_> = was.keys().chain(is.keys()).cloned().collect();
        if !new.is_empty() {
            self.now.insert(name.clone(), new);
        }
        self.before.entry(name.clone()).or_insert(old);
        let steps = names.into_iter().map(|port| {
            let step = (was.remove(&port), is.remove(&port));
            (port, step)
        });
        steps.filter(|(_, (was, is))| was != is).collect()
    }

    /// What a service that cannot be as it is may be instead: what it was when last written; or, if it
    /// is that, or that was tried already, nothing. None: it is nothing already.
    pub(super) fn instead(&self, name: &ObjectName, is_again: bool) -> Option<Vec<P>> {
        let now = self.get(name);
        let before = self.before.get(name).map_or(&[][..], Vec::as_slice);
        if now.is_empty() && (before.is_empty() || is_again) {
            return None;
        }
        Some(match is_again || now == before {
            true => Vec::new(),
            false => before.to_vec(),
        })
    }

    /// What was to be written has been.
    pub(super) fn settle(&mut self) {
        self.before.clear();
    }
}
