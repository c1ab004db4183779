use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use smol_str::SmolStr;
use tokio::sync::Notify;

use crate::engine::Scope;
use crate::model::ObjectName;
use crate::runtime::{Concern, Ring, Stretch};

/// What one stream watches.
#[derive(Debug, Clone)]
pub(super) enum Interest {
    /// Endpoints of services.
    Endpoints(Arc<Scope>),
    /// Pods of a live query: it is not known beforehand whom a change concerns.
    Pods,
}

/// One stream, as those see it who have something to tell it.
#[derive(Debug)]
pub(super) struct Member {
    id: u64,
    pub concern: Concern,
    wake: Notify,
    /// It has been silent for long.
    beat: AtomicBool,
    /// When it was last sent something, in milliseconds since the start.
    told: AtomicU64,
    wakes: AtomicU64,
    /// Since when something waits to be told, likewise, and one more; 0: nothing does.
    waiting: AtomicU64,
}

impl Member {
    /// It was sent a checkpoint: nothing waits, unless something came meanwhile.
    pub(super) fn checkpointed(&self) {
        if !self.concern.is_any() {
            self.waiting.store(0, Ordering::Relaxed);
        }
    }

    fn waits_since(&self, now: u64) {
        let since = now.saturating_add(1);
        // It may wait already; then for longer.
        let _ = (self.waiting).compare_exchange(0, since, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Waits until there is something to tell, or silence has been long; counts.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
        self.wakes.fetch_add(1, Ordering::Relaxed);
    }

    /// How often its stream has been woken.
    pub(super) fn wakes(&self) -> u64 {
        self.wakes.load(Ordering::Relaxed)
    }

    /// Whether silence has been long.
    pub(super) fn take_beat(&self) -> bool {
        self.beat.swap(false, Ordering::Relaxed)
    }
}

/// Who listens, by what concerns them.
#[derive(Debug)]
pub(super) struct Audience {
    listeners: Mutex<Listeners>,
    started: Instant,
}

#[derive(Debug)]
struct Listeners {
    next_id: u64,
    /// All, in as many parts as the time between two signs of life is cut into.
    parts: Vec<FxHashMap<u64, Arc<Member>>>,
    by_name: Filed<ObjectName>,
    by_namespace: Filed<SmolStr>,
    /// Whoever watches the same node.
    by_node: Filed<SmolStr>,
    /// Scopes that look at every service's labels.
    by_labels: FxHashMap<u64, Arc<Scope>>,
    /// Scopes of every service.
    everything: FxHashMap<u64, ()>,
    pods: FxHashMap<u64, ()>,
}

/// Streams by one key.
type Filed<K> = HashMap<K, SmallVec<[u64; 1]>>;

/// Services in a stretch beyond which nobody looks at each for each selector: all are woken.
const LOOKED_AT: usize = 64;
/// Most parts that the time between two signs of life is cut into.
const PARTS: u32 = 64;
/// The shortest time between two looks for silence.
const SHORTEST: Duration = Duration::from_millis(1);

/// A place in the audience; dropping it gives it up.
#[derive(Debug)]
pub(super) struct Seat {
    audience: Arc<Audience>,
    member: Arc<Member>,
    interest: Interest,
}

impl Seat {
    pub(super) fn member(&self) -> &Arc<Member> {
        &self.member
    }

    /// It was sent something just now.
    pub(super) fn told(&self) {
        let now = self.audience.now();
        self.member.told.store(now, Ordering::Relaxed);
        self.member.beat.store(false, Ordering::Relaxed);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.audience.lock().remove(self.member.id, &self.interest);
    }
}

impl Audience {
    /// Nobody yet. `heartbeat` is the longest silence.
    pub(super) fn new(heartbeat: Duration) -> Audience {
        // A look at each every half of it: who was told something just after one is found by the next
        // but one at the latest.
        let half = heartbeat / 2;
        let parts = (half.as_millis() / (20 * SHORTEST.as_millis())).clamp(1, PARTS.into());
        Audience {
            listeners: Mutex::new(Listeners {
                next_id: 0,
                parts: vec![FxHashMap::default(); usize::try_from(parts).unwrap_or(1)],
                by_name: HashMap::new(),
                by_namespace: HashMap::new(),
                by_node: HashMap::new(),
                by_labels: FxHashMap::default(),
                everything: FxHashMap::default(),
                pods: FxHashMap::default(),
            }),
            started: Instant::now(),
        }
    }

    /// Takes a seat, in the same moment for all stretches to come.
    pub(super) fn join(self: &Arc<Self>, interest: Interest) -> Seat {
        let mut listeners = self.lock();
        let id = listeners.next_id;
        listeners.next_id = id.wrapping_add(1);
        let member = Arc::new(Member {
            id,
            concern: Concern::default(),
            wake: Notify::new(),
            beat: AtomicBool::new(false),
            told: AtomicU64::new(self.now()),
            wakes: AtomicU64::new(0),
            waiting: AtomicU64::new(self.now().saturating_add(1)),
        });
        listeners.add(&member, &interest);
        Seat {
            audience: Arc::clone(self),
            member,
            interest,
        }
    }

    /// Adds a stretch to the ring, and wakes those whom it concerns. Answers how many.
    pub(super) fn publish(&self, stretch: Stretch, ring: &Ring) -> usize {
        let stretch = Arc::new(stretch);
        let concerned = {
            // Whoever joins does so before it is added, and is woken, or after, and finds it.
            let listeners = self.lock();
            let concerned = if ring.is_followed_by(&stretch) {
                listeners.concerned(&stretch)
            } else {
                listeners.all().cloned().collect()
            };
            ring.push(stretch, concerned.iter().map(|member| &member.concern));
            concerned
        };
        let now = self.now();
        for member in &concerned {
            member.waits_since(now);
            member.wake.notify_one();
        }
        concerned.len()
    }

    /// For how long something has waited to be told to a stream.
    pub(super) fn waited(&self, member: &Member) -> Duration {
        match member.waiting.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => Duration::from_millis(self.now().saturating_add(1).saturating_sub(since)),
        }
    }

    /// How often [`Audience::beat`] is to be called, part after part.
    pub(super) fn period(&self, heartbeat: Duration) -> Duration {
        let parts = u32::try_from(self.lock().parts.len()).unwrap_or(PARTS);
        (heartbeat / 2 / parts).max(SHORTEST)
    }

    /// Wakes those of a part who have been silent for half of `heartbeat`.
    pub(super) fn beat(&self, part: usize, heartbeat: Duration) {
        let listeners = self.lock();
        let now = self.now();
        let long = u64::try_from((heartbeat / 2).as_millis()).unwrap_or(u64::MAX);
        let parts = listeners.parts.len();
        let Some(part) = listeners.parts.get(part.checked_rem(parts).unwrap_or(0)) else {
            return;
        };
        for member in part.values() {
            if now.saturating_sub(member.told.load(Ordering::Relaxed)) >= long {
                member.beat.store(true, Ordering::Relaxed);
                member.wake.notify_one();
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Listeners> {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listeners {
    fn all(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.parts.iter().flat_map(FxHashMap::values)
    }

    fn part(&self, id: u64) -> usize {
        let parts = self.parts.len() as u64;
        usize::try_from(id.checked_rem(parts).unwrap_or(0)).unwrap_or(0)
    }

    fn add(&mut self, member: &Arc<Member>, interest: &Interest) {
        let id = member.id;
        let part = self.part(id);
        if let Some(part) = self.parts.get_mut(part) {
            part.insert(id, Arc::clone(member));
        }
        match interest {
            Interest::Pods => {
                self.pods.insert(id, ());
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

    fn remove(&mut self, id: u64, interest: &Interest) {
        let part = self.part(id);
        if let Some(part) = self.parts.get_mut(part) {
            part.remove(&id);
        }
        match interest {
            Interest::Pods => {
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

    /// Those who may have to be told something of a stretch, each once.
    fn concerned(&self, stretch: &Stretch) -> Vec<Arc<Member>> {
        let mut ids: Vec<u64> = self.pods.keys().copied().collect();
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
        ids.sort_unstable();
        ids.dedup();
        let member = |id: &u64| self.parts.get(self.part(*id))?.get(id).cloned();
        ids.iter().filter_map(member).collect()
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
