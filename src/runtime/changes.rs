use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

use crate::engine::{Scope, TouchedNames};
use crate::model::Revision;

/// Most revisions remembered.
const MAX_REVISIONS: usize = 4_096;
/// Most names remembered of all of them.
const MAX_NAMES: usize = 65_536;

/// What the newest revisions touched, for subscribers to see without a question to the engine's
/// thread that there is nothing for them.
#[derive(Debug, Default)]
pub(super) struct Changes(RwLock<Ring>);

#[derive(Debug, Default)]
struct Ring {
    newest_last: VecDeque<(Revision, Arc<TouchedNames>)>,
    names: usize,
    /// Everything behind this revision is there.
    since: Revision,
}

impl Changes {
    /// Remembers a revision, the newest. Must be done before the head moves there.
    pub(super) fn record(&self, revision: Revision, touched: TouchedNames) {
        let mut ring = self.0.write().unwrap_or_else(PoisonError::into_inner);
        ring.names = ring.names.saturating_add(touched.len());
        ring.newest_last.push_back((revision, Arc::new(touched)));
        while ring.newest_last.len() > MAX_REVISIONS || ring.names > MAX_NAMES {
            let Some((revision, forgotten)) = ring.newest_last.pop_front() else {
                return;
            };
            ring.names = ring.names.saturating_sub(forgotten.len());
            ring.since = revision;
        }
    }

    /// Whether nothing behind `from`, up to `to`, can be in scope; false also if it is not known.
    /// Linear in the names touched there.
    pub(super) fn spare(&self, scope: &Scope, from: Revision, to: Revision) -> bool {
        let between: Vec<Arc<TouchedNames>> = {
            let ring = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if from < ring.since || from > to {
                return false;
            }
            let first = ring
                .newest_last
                .partition_point(|(revision, _)| *revision <= from);
            ring.newest_last
                .range(first..)
                .take_while(|(revision, _)| *revision <= to)
                .map(|(_, touched)| Arc::clone(touched))
                .collect()
        };
        !between.iter().any(|touched| touched.concern(scope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ServiceScope;
    use crate::model::ObjectName;

    fn name(name: &str) -> ObjectName {
        ObjectName::new("default", name)
    }

    fn scope(service: &str) -> Scope {
        Scope::Services(ServiceScope {
            names: [name(service)].into(),
            ..ServiceScope::default()
        })
    }

    fn touched(services: &[&str], nodes: &[&str]) -> TouchedNames {
        TouchedNames {
            services: services.iter().map(|service| name(service)).collect(),
            nodes: nodes.iter().map(|node| (*node).into()).collect(),
        }
    }

    #[test]
    fn only_what_lies_between_counts() {
        let changes = Changes::default();
        changes.record(1, touched(&["a"], &[]));
        changes.record(2, touched(&["b"], &[]));
        changes.record(3, touched(&["a"], &[]));
        assert!(changes.spare(&scope("a"), 1, 2));
        assert!(!changes.spare(&scope("a"), 1, 3));
        assert!(!changes.spare(&scope("a"), 0, 2));
        assert!(changes.spare(&scope("c"), 0, 3));
        assert!(!changes.spare(&scope("c"), 3, 2));
    }

    #[test]
    fn a_node_looks_at_every_service_and_at_itself() {
        let changes = Changes::default();
        changes.record(1, touched(&[], &["node-1"]));
        changes.record(2, touched(&[], &[]));
        changes.record(3, touched(&["a"], &[]));
        let node = |name: &str| Scope::Node(name.into());
        assert!(!changes.spare(&node("node-1"), 0, 1));
        assert!(changes.spare(&node("node-2"), 0, 2));
        assert!(!changes.spare(&node("node-2"), 2, 3));
    }

    #[test]
    fn what_is_forgotten_spares_nobody() {
        let changes = Changes::default();
        for revision in 1..=MAX_REVISIONS as Revision + 1 {
            changes.record(revision, touched(&["a"], &[]));
        }
        assert!(!changes.spare(&scope("b"), 0, 2));
        assert!(changes.spare(&scope("b"), 1, 2));
        let many: Vec<String> = (0..=MAX_NAMES).map(|i| format!("s{i}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let last = MAX_REVISIONS as Revision + 2;
        changes.record(last, touched(&many, &[]));
        assert!(!changes.spare(&scope("b"), last - 1, last));
        assert!(changes.spare(&scope("b"), last, last));
    }
}
