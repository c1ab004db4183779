use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::model::Revision;
use crate::runtime::{Concern, Ring, Stretch};

use super::listeners::{Interest, Listeners};

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
    sent: AtomicU64,
    /// Since when something waits to be told, likewise, and one more; 0: nothing does.
    waiting: AtomicU64,
}

impl Member {
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// It was sent a checkpoint: nothing waits, unless something came meanwhile.
    pub(super) fn checkpointed(&self, revision: Revision) {
        self.sent.store(revision, Ordering::Relaxed);
        if !self.concern.is_any() {
            self.waiting.store(0, Ordering::Relaxed);
        }
    }

    /// The newest checkpoint that it was sent; 0 before the first.
    pub(super) fn sent(&self) -> Revision {
        self.sent.load(Ordering::Relaxed)
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

    /// There is something for it, which it is going to read.
    pub(super) fn reads(&self) {
        self.audience.reads(&self.member);
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
            listeners: Mutex::new(Listeners::new(usize::try_from(parts).unwrap_or(1))),
            started: Instant::now(),
        }
    }

    /// Takes a seat, in the same moment for all stretches to come.
    pub(super) fn join(self: &Arc<Self>, interest: Interest) -> Seat {
        let mut listeners = self.lock();
        let id = listeners.next_id();
        let member = Arc::new(Member {
            id,
            concern: Concern::default(),
            wake: Notify::new(),
            beat: AtomicBool::new(false),
            told: AtomicU64::new(self.now()),
            wakes: AtomicU64::new(0),
            sent: AtomicU64::new(0),
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
            let concerned = listeners.concerned(&stretch, ring.is_followed_by(&stretch));
            // Before it is there to be read: a stream that has read it waits no more.
            let now = self.now();
            concerned.iter().for_each(|member| member.waits_since(now));
            ring.push(stretch, concerned.iter().map(|member| &member.concern));
            concerned
        };
        for member in &concerned {
            member.wake.notify_one();
        }
        concerned.len()
    }

    /// Something is there for a stream, which is going to read it.
    pub(super) fn reads(&self, member: &Member) {
        // Noted already, unless it came while the stream noted that nothing waits.
        member.waits_since(self.now());
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
        let parts = u32::try_from(self.lock().parts()).unwrap_or(PARTS);
        (heartbeat / 2 / parts).max(SHORTEST)
    }

    /// Wakes those of a part who have been silent for half of `heartbeat`.
    pub(super) fn beat(&self, part: usize, heartbeat: Duration) {
        let listeners = self.lock();
        let now = self.now();
        let long = u64::try_from((heartbeat / 2).as_millis()).unwrap_or(u64::MAX);
        for member in listeners.of_part(part) {
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

#[cfg(test)]
mod tests {
    use smol_str::SmolStr;

    use super::*;
    use crate::engine::{Engine, EngineOptions, Scope, ServiceScope};
    use crate::labels::LabelSet;
    use crate::model::{
        Change, ClusterIp, Kind, Node, Object, ObjectName, ObjectRef, ResolvedTransaction, Service,
    };
    use crate::runtime::{Head, LastChange, RingPosition, Tail, Told};
    use crate::wire::MessageWriter;

    fn service(name: &str, labels: &[(&str, &str)], cluster_ip: bool) -> Change {
        let (namespace, name) = name.split_once('/').unwrap();
        Change::Put(Object::Service(Box::new(Service {
            name: ObjectName::new(namespace, name),
            labels: LabelSet::try_from_pairs(labels.iter().copied()).unwrap(),
            cluster_ip: if cluster_ip {
                ClusterIp::Ips([[10, 0, 0, 1].into()].into_iter().collect())
            } else {
                ClusterIp::Unset
            },
            ..Service::default()
        })))
    }

    fn of(namespaces: &[&str], names: &[(&str, &str)], selector: &str) -> Interest {
        let names = names
            .iter()
            .map(|(namespace, name)| ObjectName::new(*namespace, *name));
        Interest::Endpoints(Arc::new(Scope::Services(ServiceScope {
            namespaces: namespaces.iter().map(|name| SmolStr::from(*name)).collect(),
            names: names.collect(),
            selector: selector.parse().unwrap(),
        })))
    }

    fn of_node(name: &str) -> Interest {
        Interest::Endpoints(Arc::new(Scope::Node(name.into())))
    }

    /// Who is woken by each of these changes, in turn.
    #[test]
    fn a_change_concerns_those_whose_scope_it_touches() {
        let audience = Arc::new(Audience::new(Duration::from_secs(5)));
        let interests = [
            ("everything", of(&[], &[], "")),
            ("blue", of(&["blue", "grey"], &[], "")),
            ("blue/a", of(&[], &[("blue", "a")], "")),
            ("red/a", of(&[], &[("red", "a")], "")),
            ("tier=web", of(&[], &[], "tier=web")),
            ("n1", of_node("n1")),
            ("n2", of_node("n2")),
            ("pods", Interest::Pods(LastChange::default())),
        ];
        let seats: Vec<(&str, Seat)> = interests
            .into_iter()
            .map(|(name, interest)| (name, audience.join(interest)))
            .collect();
        let node = Change::Put(Object::Node(Box::new(Node {
            name: "n2".into(),
            ..Node::default()
        })));
        let name = ObjectName::new("red", "a");
        let delete = Change::Delete(ObjectRef::new(Kind::Service, name));
        let steps: Vec<(Change, &[&str])> = vec![
            (
                service("blue/a", &[], true),
                &["everything", "blue", "blue/a", "tier=web", "n1", "n2"],
            ),
            (
                service("blue/a", &[("tier", "web")], true),
                &["everything", "blue", "blue/a", "tier=web", "n1", "n2"],
            ),
            (
                service("red/a", &[("tier", "db")], false),
                &["everything", "red/a", "tier=web", "n1", "n2"],
            ),
            (node, &["n2"]),
            (delete, &["everything", "red/a", "tier=web", "n1", "n2"]),
        ];
        let mut engine = Engine::new(EngineOptions::default());
        let tail = Arc::new(Tail::new(0, 1 << 20));
        let _watching = tail.watch();
        let ring = Ring::new(Head::default(), 1 << 20, 1 << 20);
        seats
            .iter()
            .for_each(|(_, seat)| seat.member().concern.clear());
        for (i, (change, expected)) in steps.into_iter().enumerate() {
            let transaction = ResolvedTransaction::new([change], "");
            engine.apply(engine.head() + 1, transaction).unwrap();
            tail.append(&engine, None);
            let woken = audience.publish(tail.take().unwrap(), &ring);
            let concerned = seats
                .iter()
                .filter(|(_, seat)| seat.member().concern.is_any());
            let names: Vec<&str> = concerned.map(|(name, _)| *name).collect();
            assert_eq!(
                (names.as_slice(), woken),
                (expected, expected.len()),
                "step {i}"
            );
            seats
                .iter()
                .for_each(|(_, seat)| seat.member().concern.clear());
        }
        drop(seats);
        let listeners = audience.lock();
        assert_eq!(listeners.all().count(), 0);
        assert!(listeners.by_name.is_empty() && listeners.by_namespace.is_empty());
        assert!(listeners.by_node.is_empty() && listeners.by_labels.is_empty());
    }

    /// A stream that reads as fast as anything comes, while the next comes.
    #[test]
    fn a_stream_that_was_told_everything_waits_for_nothing() {
        let audience = Arc::new(Audience::new(Duration::from_secs(5)));
        let scope = Arc::new(Scope::all());
        let join = || audience.join(Interest::Endpoints(Arc::clone(&scope)));
        // It is the last of many.
        let _others: Vec<Seat> = (0..2_000).map(|_| join()).collect();
        let seat = join();
        let member = Arc::clone(seat.member());
        let ring = Arc::new(Ring::new(Head::default(), 1 << 20, 1 << 20));
        const LAST: Revision = 200;
        let told = Arc::new(AtomicU64::new(0));
        let reader = std::thread::spawn({
            let (member, ring, told) = (Arc::clone(&member), Arc::clone(&ring), Arc::clone(&told));
            move || {
                let scope = Scope::all();
                let (mut position, mut out) = (RingPosition::default(), MessageWriter::new(1, 0));
                while position.revision < LAST {
                    if !member.concern.is_any() {
                        std::thread::yield_now();
                        continue;
                    }
                    while ring.tell(&scope, &mut position, &member.concern, &mut out) == Told::Full
                    {
                        drop(out.take_full());
                    }
                    member.checkpointed(position.revision);
                    told.store(position.revision, Ordering::Release);
                }
            }
        });
        let mut engine = Engine::new(EngineOptions::default());
        let tail = Arc::new(Tail::new(0, 1 << 20));
        let _watching = tail.watch();
        for revision in 1..=LAST {
            let change = service("blue/a", &[("at", &revision.to_string())], true);
            let transaction = ResolvedTransaction::new([change], "");
            engine.apply(revision, transaction).unwrap();
            tail.append(&engine, None);
            audience.publish(tail.take().unwrap(), &ring);
            while told.load(Ordering::Acquire) < revision {
                std::thread::yield_now();
            }
            assert_eq!(member.waiting.load(Ordering::Relaxed), 0, "{revision}");
        }
        reader.join().unwrap();
    }

    #[test]
    fn everybody_is_concerned_by_what_was_let_go() {
        let audience = Arc::new(Audience::new(Duration::from_secs(5)));
        let seat = audience.join(of(&[], &[("red", "a")], ""));
        seat.member().concern.clear();
        let mut engine = Engine::new(EngineOptions::default());
        let tail = Arc::new(Tail::new(0, 1 << 20));
        let change = service("blue/a", &[], true);
        engine
            .apply(1, ResolvedTransaction::new([change], ""))
            .unwrap();
        tail.append(&engine, None);
        let ring = Ring::new(Head::default(), 1 << 20, 1 << 20);
        assert_eq!(audience.publish(tail.take().unwrap(), &ring), 1);
        assert!(seat.member().concern.is_any());
        assert_eq!(ring.head().revision, 1);
    }
}
