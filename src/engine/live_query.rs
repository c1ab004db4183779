use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};
use std::ops::ControlFlow;

use roaring::RoaringBitmap;
use slab::Slab;
use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::index::{Index, Namespaces, PodRef, TemplateId};
use crate::model::{ObjectName, Revision};
use crate::reconcile::{ClassCache, Owner, Selectors, Standing, StandingSelector, Touched};
use crate::selector::Selector;

use super::event::{PodEvent, Progress};
use super::options::Retention;
use super::position::Position;
use super::state::Engine;

/// A live query that is open: a runtime registration, no part of the engine's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LiveQueryId(u32);

/// What stands at a position of a live query's log.
#[derive(Debug)]
enum PodRecord {
    Pod(u32),
    Removed(ObjectName),
}

/// One selector in some namespaces, its members, and the order of their changes.
#[derive(Debug)]
struct LiveQuery {
    selector: Selector,
    namespaces: Namespaces,
    users: u32,
    /// Pods that match.
    members: RoaringBitmap,
    /// Those that changed since the query was opened, each with the position of its last change.
    positions: BTreeMap<u32, Position>,
    /// Changes since the query was opened.
    log: BTreeMap<Position, PodRecord>,
    removals: BTreeMap<ObjectName, Position>,
    /// Where the removals stand in the log, so that the oldest is found without reading the rest.
    removed_at: BTreeSet<Position>,
    /// A cursor before it is started over: the query was not open then, or a removal was forgotten.
    floor: Position,
}

/// The live queries that are open, each once however many follow it.
#[derive(Debug, Default)]
pub(crate) struct LiveQueries {
    queries: Slab<LiveQuery>,
    ids: BTreeMap<(Selector, Namespaces), u32>,
    /// Selectors that look in all namespaces.
    everywhere: Standing,
    /// Selectors that look in some, by namespace.
    by_namespace: BTreeMap<SmolStr, Standing>,
    classes: ClassCache,
    selectors_tested: u64,
    /// Those whose members changed since they were taken.
    changed: BTreeSet<u32>,
}

/// Where a follower of a live query is.
#[derive(Debug, Clone)]
pub struct PodWalk {
    position: Position,
    /// A first listing: the next pod id.
    listing: Option<u32>,
    reset: bool,
    checkpoint: Option<Revision>,
}

impl PodWalk {
    /// A walk from the beginning, or from a cursor: the revision of a checkpoint of the same epoch and
    /// query.
    pub fn new(cursor: Option<Revision>) -> PodWalk {
        PodWalk {
            position: cursor.map_or(Position::START, Position::end_of),
            listing: None,
            reset: cursor.is_none(),
            checkpoint: cursor,
        }
    }

    /// The last checkpoint that was told, or the cursor it began with.
    pub fn checkpoint(&self) -> Option<Revision> {
        self.checkpoint
    }
}

impl LiveQueries {
    pub(crate) fn len(&self) -> u64 {
        self.queries.len() as u64
    }

    pub(crate) fn selectors_tested(&self) -> u64 {
        self.selectors_tested
    }

    /// Approximate bytes of the queries' memberships and logs.
    pub(crate) fn bytes(&self) -> u64 {
        let entry = |count: usize, size: usize| (count * size) as u64;
        let one = |query: &LiveQuery| {
            query.members.serialized_size() as u64
                + entry(query.positions.len(), size_of::<(u32, Position)>())
                + entry(query.log.len(), size_of::<(Position, PodRecord)>())
                + entry(query.removals.len(), size_of::<(ObjectName, Position)>())
                + entry(query.removed_at.len(), size_of::<Position>())
        };
        self.queries.iter().map(|(_, query)| one(query)).sum()
    }

    /// The queries that a pod with these labels, there, is a member of, in order.
    fn matching(&mut self, index: &Index, pod: Option<PodRef<'_>>) -> SmallVec<[u32; 2]> {
        let mut found = SmallVec::new();
        let with_template = |pod: PodRef<'_>| {
            Some((
                pod.namespace().clone(),
                pod.template(),
                index.template_stamp(pod.template())?,
            ))
        };
        let Some((namespace, id, template)) = pod.and_then(with_template) else {
            return found;
        };
        let here = self.by_namespace.get_mut(&namespace);
        for standing in std::iter::once(&mut self.everywhere).chain(here) {
            found.extend(standing.matching(
                id,
                template,
                index,
                &self.queries,
                &mut self.classes,
                &mut self.selectors_tested,
            ));
        }
        found.sort_unstable();
        found
    }

    /// Moves the touched pods in the queries that they are in, enter or leave.
    pub(crate) fn update(
        &mut self,
        index: &Index,
        touched: &Touched,
        revision: Revision,
        retention: Retention,
    ) {
        if self.queries.is_empty() {
            return;
        }
        let mut next = Position { revision, index: 0 };
        for (pod, before) in touched.pods.iter() {
            let now_there = index.get(pod);
            let now = self.matching(index, now_there);
            let labels_before = before.map(|before| index.before(before));
            let same = |before: PodRef<'_>| {
                now_there.is_some_and(|now| now.template() == before.template())
            };
            let was = match labels_before {
                Some(before) if !same(before) => self.matching(index, Some(before)),
                _ => SmallVec::new(),
            };
            for id in &now {
                if let Some(query) = self.queries.get_mut(*id as usize) {
                    query.put(pod, now_there.map(PodRef::name).as_ref(), next);
                    next.index += 1;
                    self.changed.insert(*id);
                }
            }
            for id in was.iter().filter(|id| now.binary_search(id).is_err()) {
                if let (Some(query), Some(before)) = (self.queries.get_mut(*id as usize), before) {
                    query.remove(pod, index.before(before).name(), next, retention);
                    next.index += 1;
                    self.changed.insert(*id);
                }
            }
        }
    }
}

impl LiveQueries {
    /// Compares each query's members with a scan of all pods.
    pub(crate) fn verify(&self, index: &Index, report: &mut dyn FnMut(String)) {
        let mut templates = index.templates_by_namespace();
        let all: BTreeSet<TemplateId> = templates.values().flatten().copied().collect();
        self.everywhere
            .verify(all, index, &self.queries, &self.classes, report);
        for (namespace, standing) in &self.by_namespace {
            let here = templates.remove(namespace.as_str()).unwrap_or_default();
            standing.verify(here, index, &self.queries, &self.classes, report);
        }
        for (_, query) in &self.queries {
            let matches = |(_, pod): &(u32, PodRef<'_>)| {
                query.namespaces.contains(pod.namespace()) && query.selector.matches(&pod.labels())
            };
            let expected: BTreeSet<u32> = index.pods().filter(matches).map(|(id, _)| id).collect();
            let moved = query
                .positions
                .keys()
                .all(|pod| query.members.contains(*pod));
            if !moved || !query.members.iter().eq(expected.iter().copied()) {
                report(format!(
                    "live query {} has {} members, {} pods match",
                    query.selector,
                    query.members.len(),
                    expected.len()
                ));
            }
        }
    }
}

impl Selectors for Slab<LiveQuery> {
    fn standing(&self, query: Owner) -> Option<StandingSelector<'_>> {
        Some(StandingSelector::Any(&self.get(query as usize)?.selector))
    }
}

impl LiveQuery {
    fn put(&mut self, pod: u32, name: Option<&ObjectName>, position: Position) {
        if !self.members.insert(pod) {
            if let Some(left) = self.positions.insert(pod, position) {
                self.log.remove(&left);
            }
            self.log.insert(position, PodRecord::Pod(pod));
            return;
        }
        self.positions.insert(pod, position);
        if let Some(left) = name.and_then(|name| self.removals.remove(name)) {
            self.removed_at.remove(&left);
            self.log.remove(&left);
        }
        self.log.insert(position, PodRecord::Pod(pod));
    }

    fn remove(&mut self, pod: u32, name: ObjectName, position: Position, retention: Retention) {
        if !self.members.remove(pod) {
            return;
        }
        if let Some(left) = self.positions.remove(&pod) {
            self.log.remove(&left);
        }
        self.log.insert(position, PodRecord::Removed(name.clone()));
        self.removals.insert(name, position);
        self.removed_at.insert(position);
        while self.removals.len() > retention.removals(self.members.len()) {
            let Some(oldest) = self.removed_at.pop_first() else {
                return;
            };
            if let Some(PodRecord::Removed(name)) = self.log.remove(&oldest) {
                self.removals.remove(&name);
            }
            self.floor = oldest;
        }
    }
}

impl Engine {
    /// Follows a selector: from now on its members' changes are kept in order. The same selector and
    /// namespaces are shared; each opening needs a [`Engine::close_live_query`]. Costs one evaluation
    /// of the selector, a few bits for each pod that matches, and more for each that changes.
    pub fn open_live_query(&mut self, selector: &Selector, namespaces: &Namespaces) -> LiveQueryId {
        let live = &mut self.live_queries;
        let what = (selector.clone(), namespaces.clone());
        if let Some(id) = live.ids.get(&what) {
            if let Some(query) = live.queries.get_mut(*id as usize) {
                query.users += 1;
            }
            return LiveQueryId(*id);
        }
        let now = Position::end_of(self.head);
        let query = LiveQuery {
            selector: selector.clone(),
            namespaces: namespaces.clone(),
            users: 1,
            members: self.index.select(selector, namespaces),
            positions: BTreeMap::new(),
            log: BTreeMap::new(),
            removals: BTreeMap::new(),
            removed_at: BTreeSet::new(),
            floor: now,
        };
        let id = live.queries.insert(query) as u32;
        match namespaces.names() {
            _ if selector.is_nothing() => {}
            None => live
                .everywhere
                .insert(id, selector, &self.index, &mut live.classes),
            Some(names) => {
                for name in names {
                    let standing = live.by_namespace.entry(name.clone()).or_default();
                    standing.insert(id, selector, &self.index, &mut live.classes);
                }
            }
        }
        live.ids.insert(what, id);
        LiveQueryId(id)
    }

    /// Follows it no longer; the last follower's leave frees it.
    pub fn close_live_query(&mut self, id: LiveQueryId) {
        let live = &mut self.live_queries;
        let Some(query) = live.queries.get_mut(id.0 as usize) else {
            return;
        };
        query.users -= 1;
        if query.users > 0 {
            return;
        }
        let query = live.queries.remove(id.0 as usize);
        live.changed.remove(&id.0);
        match query.namespaces.names() {
            _ if query.selector.is_nothing() => {}
            None => live
                .everywhere
                .remove(id.0, &query.selector, &mut live.classes),
            Some(names) => {
                for name in names {
                    if let Some(standing) = live.by_namespace.get_mut(name) {
                        standing.remove(id.0, &query.selector, &mut live.classes);
                        if standing.is_empty() {
                            live.by_namespace.remove(name);
                        }
                    }
                }
            }
        }
        live.ids.remove(&(query.selector, query.namespaces));
    }

    /// How many live queries are open; the same one counts once.
    pub fn live_queries(&self) -> u64 {
        self.live_queries.len()
    }

    /// Pods of all live queries that are open, each counted in each. Linear in live queries.
    pub fn live_query_members(&self) -> u64 {
        let queries = self.live_queries.queries.iter();
        queries.map(|(_, query)| query.members.len()).sum()
    }

    /// The live queries with a pod that came, went or was written since this was asked last, in order.
    pub fn take_changed_live_queries(&mut self) -> impl Iterator<Item = LiveQueryId> + use<> {
        let changed = std::mem::take(&mut self.live_queries.changed);
        changed.into_iter().map(LiveQueryId)
    }

    /// Brings a follower of a live query nearer to the head, as [`Engine::catch_up`] does for services.
    pub fn catch_up_pods(
        &self,
        id: LiveQueryId,
        walk: &mut PodWalk,
        max_records: usize,
        sink: &mut dyn FnMut(PodEvent) -> ControlFlow<()>,
    ) -> Progress {
        let Some(query) = self.live_queries.queries.get(id.0 as usize) else {
            return Progress::More;
        };
        if walk
            .checkpoint
            .is_some_and(|checkpoint| checkpoint > self.head)
        {
            // The cursor comes from a replica that is ahead: up to this head, all has been told.
            return Progress::Head(self.head);
        }
        let mut left = max_records;
        let is_in_gap = |cursor| self.log.is_in_gap(cursor);
        if walk.reset || walk.position < query.floor || walk.checkpoint.is_some_and(is_in_gap) {
            *walk = PodWalk {
                position: Position::end_of(self.head),
                listing: Some(0),
                reset: false,
                ..walk.clone()
            };
            if sink(PodEvent::Reset).is_break() {
                return Progress::More;
            }
        }
        if let Some(first) = walk.listing {
            for pod in query.members.range(first..) {
                if left == 0 {
                    return Progress::More;
                }
                left -= 1;
                walk.listing = pod.checked_add(1);
                let position = query.positions.get(&pod);
                let before = position.is_none_or(|at| *at <= walk.position);
                if before && self.tell_pod(pod, sink).is_break() {
                    return Progress::More;
                }
            }
            walk.listing = None;
        }
        for (position, record) in query.log.range((Excluded(walk.position), Unbounded)) {
            if left == 0 {
                return Progress::More;
            }
            left -= 1;
            walk.position = *position;
            let told = match record {
                PodRecord::Pod(pod) => self.tell_pod(*pod, sink),
                PodRecord::Removed(name) => sink(PodEvent::Removed(name.clone())),
            };
            if told.is_break() {
                return Progress::More;
            }
        }
        walk.position = Position::end_of(self.head);
        walk.checkpoint = Some(self.head);
        Progress::Head(self.head)
    }

    fn tell_pod(
        &self,
        id: u32,
        sink: &mut dyn FnMut(PodEvent) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match self.index.get(id) {
            Some(pod) => sink(PodEvent::Pod {
                pod: pod.pod(),
                revision: pod.revision(),
            }),
            None => ControlFlow::Continue(()),
        }
    }
}
