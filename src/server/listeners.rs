use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::engine::Scope;
use crate::model::ObjectName;
use crate::runtime::{LastChange, Stretch};

use super::audience::Member;

/// Services in a stretch beyond which nobody looks at each for each selector: all are woken.
const LOOKED_AT: usize = 64;
/// What one stream watches.
#[derive(Debug, Clone)]
pub(super) enum Interest {
    /// Endpoints of services.
    Endpoints(Arc<Scope>),
    /// Pods of a live query.
    Pods(LastChange),
}

/// The streams, by what concerns them.
#[derive(Debug)]
pub(super) struct Listeners {
    next_id: u64,
    /// All, in as many parts as the time between two signs of life is cut into.
    parts: Vec<FxHashMap<u64, Arc<Member>>>,
    pub(super) by_name: Filed<ObjectName>,
    pub(super) by_namespace: Filed<SmolStr>,
    /// Whoever watches the same node.
    pub(super) by_node: Filed<SmolStr>,
    /// Scopes that look at every service's labels.
    pub(super) by_labels: FxHashMap<u64, Arc<Scope>>,
    /// Scopes of every service.
    everything: FxHashMap<u64, ()>,
    pods: FxHashMap<u64, LastChange>,
}

/// Streams by one key.
type Filed<K> = HashMap<K, SmallVec<[u64; 1]>>;

impl Listeners {
    /// None, in so many parts.
    pub(super) fn new(parts: usize) -> Self {
        Listeners {
            next_id: 0,
            parts: vec![FxHashMap::default(); parts.max(1)],
            by_name: HashMap::new(),
            by_namespace: HashMap::new(),
            by_node: HashMap::new(),
            by_labels: FxHashMap::default(),
            everything: FxHashMap::default(),
            pods: FxHashMap::default(),
        }
    }

    /// An id that nobody has.
    pub(super) fn next_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        id
    }

    /// How many parts there are.
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Those of one part; parts come in turn.
    pub(super) fn of_part(&self, turn: usize) -> impl Iterator<Item = &Arc<Member>> {
        let part = turn.checked_rem(self.parts.len()).unwrap_or(0);
        self.parts.get(part).into_iter().flat_map(FxHashMap::values)
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.parts.iter().flat_map(FxHashMap::values)
    }

    fn part(&self, id: u64) -> usize {
        let parts = self.parts.len() as u64;
        usize::try_from(id.checked_rem(parts).unwrap_or(0)).unwrap_or(0)
    }

    pub(super) fn add(&mut self, member: &Arc<Member>, interest: &Interest) {
        let id = member.id();
        let part = self.part(id);
        if let Some(part) = self.parts.get_mut(part) {
            part.insert(id, Arc::clone(member));
        }
        match interest {
            Interest::Pods(changed) => {
                self.pods.insert(id, changed.clone());
            }
            Interest::Endpoints(scope) => match &**scope {
                Scope::Node(name) => file(&mut self.by_node, name, id),
                Scope::Services(services) if !services.names.is_empty() => {
                    for name in &services.names {
                        file(&mut self.by_name, name, id);
                    }
                }
                Scope::Services(services) if !services.namespaces.is_empty() => {
                    for name in &services.namespaces {
                        file(&mut self.by_namespace, name, id);
                    }
                }
                Scope::Services(services) if services.selector.is_everything() => {
                    self.everything.insert(id, ());
                }
                Scope::Services(_) => {
                    self.by_labels.insert(id, Arc::clone(scope));
                }
            },
        }
    }

    pub(super) fn remove(&mut self, id: u64, interest: &Interest) {
        let part = self.part(id);
        if let Some(part) = self.parts.get_mut(part) {
            part.remove(&id);
        }
        match interest {
            Interest::Pods(_) => {
                self.pods.remove(&id);
            }
            Interest::Endpoints(scope) => match &**scope {
                Scope::Node(name) => unfile(&mut self.by_node, name, id),
                Scope::Services(services) => {
                    for name in &services.names {
                        unfile(&mut self.by_name, name, id);
                    }
                    for name in &services.namespaces {
                        unfile(&mut self.by_namespace, name, id);
                    }
                    self.everything.remove(&id);
                    self.by_labels.remove(&id);
                }
            },
        }
    }

    /// Those who may have to be told something of a stretch, each once. One that does not follow on
    /// what came before says nothing of what lies between.
    pub(super) fn concerned(&self, stretch: &Stretch, follows: bool) -> Vec<Arc<Member>> {
        let mut ids = if follows {
            self.of_services(stretch)
        } else {
            let all = self.parts.iter().flat_map(FxHashMap::keys).copied();
            all.filter(|id| !self.pods.contains_key(id)).collect()
        };
        ids.sort_unstable();
        ids.dedup();
        let member = |id: &u64| self.parts.get(self.part(*id))?.get(id).cloned();
        let mut concerned: Vec<_> = ids.iter().filter_map(member).collect();
        let of_pods = self.pods.iter().filter_map(|(id, changed)| {
            let member = member(id)?;
            (changed.revision() > member.sent()).then_some(member)
        });
        concerned.extend(of_pods);
        concerned
    }

    /// Streams of endpoints that a stretch concerns, perhaps more than once.
    fn of_services(&self, stretch: &Stretch) -> Vec<u64> {
        let mut ids = Vec::new();
        if stretch.has_services() {
            ids.extend(self.everything.keys());
        }
        if stretch.concerns_nodes() {
            ids.extend(self.by_node.values().flatten());
        }
        for name in stretch.node_names() {
            ids.extend(self.by_node.get(name).into_iter().flatten());
        }
        if !self.by_name.is_empty() {
            let names = stretch.names();
            ids.extend(names.filter_map(|name| self.by_name.get(name)).flatten());
        }
        if !self.by_namespace.is_empty() {
            let namespaces = stretch.namespaces();
            ids.extend(
                namespaces
                    .filter_map(|name| self.by_namespace.get(name))
                    .flatten(),
            );
        }
        let looked_at = stretch.len() <= LOOKED_AT;
        let by_labels = self.by_labels.iter();
        ids.extend(
            by_labels
                .filter(|(_, scope)| !looked_at || stretch.concerns(scope))
                .map(|(id, _)| id),
        );
        ids
    }
}

fn file<K: Eq + Hash + Clone>(filed: &mut Filed<K>, key: &K, id: u64) {
    filed.entry(key.clone()).or_default().push(id);
}

fn unfile<K: Eq + Hash>(filed: &mut Filed<K>, key: &K, id: u64) {
    if let Some(ids) = filed.get_mut(key) {
        ids.retain(|other| *other != id);
        if ids.is_empty() {
            filed.remove(key);
        }
    }
}
