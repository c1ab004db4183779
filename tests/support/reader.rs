//! A subscriber: folds what it is sent, and knows what it may be sent.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;

use selectord::engine::{Engine, Event, Held, Progress, Scope, View, Walk};
use selectord::model::Revision;

use super::oracle::{Cut, Oracle};

/// What subscribers were sent, to show that a run met what it is there for.
#[derive(Debug, Default)]
pub struct Seen {
    pub resets: Cell<u64>,
    pub replaces: Cell<u64>,
    pub entries: Cell<u64>,
    pub endpoints: Cell<u64>,
    pub removed: Cell<u64>,
    pub removes: Cell<u64>,
    pub nodes: Cell<u64>,
    pub nodes_removed: Cell<u64>,
    pub checkpoints: Cell<u64>,
    pub offers: Cell<u64>,
    pub rewritten: Cell<u64>,
}

impl Seen {
    fn count(&self, event: &Event) {
        let counter = match event {
            Event::Reset => &self.resets,
            Event::Replace(_) => &self.replaces,
            Event::Entry(_) => &self.entries,
            Event::Rewritten { .. } => &self.rewritten,
            Event::Endpoint { .. } => &self.endpoints,
            Event::Removed { .. } => &self.removed,
            Event::Remove(_) => &self.removes,
            Event::Node(_) => &self.nodes,
            Event::NodeRemoved(_) => &self.nodes_removed,
        };
        counter.set(counter.get() + 1);
    }

    /// The names of what was never seen.
    pub fn missing(&self) -> Vec<&'static str> {
        let all = [
            ("reset", &self.resets),
            ("replace", &self.replaces),
            ("entry", &self.entries),
            ("endpoint", &self.endpoints),
            ("removed", &self.removed),
            ("remove", &self.removes),
            ("node", &self.nodes),
            ("node removed", &self.nodes_removed),
            ("checkpoint", &self.checkpoints),
            ("offer", &self.offers),
        ];
        all.into_iter()
            .filter(|(_, count)| count.get() == 0)
            .map(|(name, _)| name)
            .collect()
    }
}

/// What a subscriber may need to read before it is at the head, and what it has been allowed to.
///
/// A record is read once by the walk and at most once more after a REPLACE of its service; so
/// whoever was allowed twice the records there were, and twice those written since, has read
/// faster than records changed and is owed a checkpoint.
#[derive(Debug, Clone, Default)]
struct Account {
    allowed: u64,
    owing: u64,
}

#[derive(Clone)]
pub struct Reader {
    pub scope: Scope,
    pub view: View,
    /// The last checkpoint, and what was held at it.
    pub applied: Option<(Revision, View)>,
    /// It says what it holds where its cursor is of no use, in parts of so many; 0: it does not.
    offers: usize,
    /// What it has yet to say.
    unsaid: VecDeque<Held>,
    walk: Walk,
    account: Account,
    /// Transactions since the last checkpoint.
    pub waited: u64,
}

impl Reader {
    /// A subscriber of `scope` with nothing yet.
    pub fn new(scope: Scope, engine: &Engine) -> Reader {
        let walk = Walk::new(scope.clone(), None);
        let account = Account {
            allowed: 0,
            owing: records(engine),
        };
        Reader {
            scope,
            view: View::default(),
            applied: None,
            offers: 0,
            unsaid: VecDeque::new(),
            walk,
            account,
            waited: 0,
        }
    }

    /// From the next subscription on it can say what it holds, in parts of so many.
    pub fn offering(self, offers: usize) -> Reader {
        Reader { offers, ..self }
    }

    /// Another scope, for which the cursor is void: what is held is in doubt, or offered.
    pub fn rescope(&mut self, scope: Scope, engine: &Engine) {
        let mut view = std::mem::take(&mut self.view);
        if self.offers == 0 {
            view.apply(Event::Reset);
        }
        *self = Reader {
            view,
            ..Reader::new(scope, engine).offering(self.offers)
        };
        self.walk = self.walk.clone().offering(self.offers > 0);
    }

    /// Comes back, perhaps to another engine, with the cursor of its last checkpoint; with what it
    /// held then, or with whatever it has been sent since as well.
    pub fn reconnect(&mut self, keep_uncommitted: bool, engine: &Engine) {
        let cursor = self.applied.as_ref().map(|(revision, _)| *revision);
        if !keep_uncommitted {
            self.view = self
                .applied
                .as_ref()
                .map(|(_, view)| view.clone())
                .unwrap_or_default();
        }
        if cursor.is_none() && self.offers == 0 {
            self.view.apply(Event::Reset);
        }
        self.unsaid.clear();
        self.walk = Walk::new(self.scope.clone(), cursor).offering(self.offers > 0);
        self.account = Account {
            allowed: 0,
            owing: records(engine),
        };
    }

    /// A transaction wrote this many records, not counting the endpoints of services whose fields
    /// it changed.
    pub fn written(&mut self, records: u64) {
        self.account.owing += records;
        self.waited += 1;
    }

    /// Reads one piece, stopping early after `events` events. Answers whether it is at a
    /// checkpoint, where it holds exactly what the oracle says.
    pub fn read(
        &mut self,
        engine: &Engine,
        oracle: &Oracle,
        records: usize,
        events: usize,
        seen: &Seen,
    ) -> Result<bool, String> {
        let mut sent = 0;
        let mut wrong = None;
        let view = &mut self.view;
        let progress = engine.catch_up(&mut self.walk, records, &mut |event| {
            sent += 1;
            seen.count(&event);
            if let Err(why) = expected(view, &event) {
                wrong.get_or_insert(why);
            }
            view.apply(event);
            if sent >= events {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if let Some(why) = wrong {
            return Err(why);
        }
        if sent > events {
            return Err(format!("{sent} events, though {events} were enough"));
        }
        match progress {
            Progress::Head(revision) => self
                .checkpoint(revision, oracle, engine, seen)
                .map(|()| true),
            Progress::Offer { first } => {
                self.say(first, engine, seen);
                Ok(false)
            }
            // The head has yet to come to where this subscriber is.
            Progress::More if self.is_ahead_of(engine) => Ok(false),
            Progress::More => {
                self.account.allowed += if sent >= events {
                    sent.min(records) as u64
                } else {
                    records as u64
                };
                let Account { allowed, owing } = self.account;
                if allowed > 2 * owing + 2 {
                    return Err(format!(
                        "no checkpoint: {allowed} records read, of which {owing} can have been new"
                    ));
                }
                Ok(false)
            }
        }
    }

    /// Says what it holds, or a part more of it.
    fn say(&mut self, first: bool, engine: &Engine, seen: &Seen) {
        if first {
            seen.offers.set(seen.offers.get() + 1);
            self.view.trust();
            self.unsaid = self.view.held(None).collect();
            // Each of these is read, and each service there is may be hashed.
            self.account.owing += self.unsaid.len() as u64 + records(engine);
        }
        let part = self.offers.min(self.unsaid.len());
        let part = self.unsaid.drain(..part).collect();
        self.walk.offer(part, self.unsaid.is_empty());
    }

    /// Whether it has applied more than this engine, a replica, knows of.
    pub fn is_ahead_of(&self, engine: &Engine) -> bool {
        self.applied
            .as_ref()
            .is_some_and(|(revision, _)| *revision > engine.head())
    }

    fn checkpoint(
        &mut self,
        revision: Revision,
        oracle: &Oracle,
        engine: &Engine,
        seen: &Seen,
    ) -> Result<(), String> {
        seen.checkpoints.set(seen.checkpoints.get() + 1);
        if let Some((before, _)) = &self.applied
            && revision < *before
        {
            return Err(format!("checkpoint {revision} after checkpoint {before}"));
        }
        self.view.checkpoint();
        let cut = oracle
            .state_at(revision)
            .ok_or(format!("checkpoint at {revision}, which is no revision"))?;
        holds(&self.view, cut, &self.scope)?;
        self.applied = Some((revision, self.view.clone()));
        self.account = Account {
            allowed: 0,
            owing: records(engine),
        };
        self.waited = 0;
        Ok(())
    }
}

/// All records an engine has.
fn records(engine: &Engine) -> u64 {
    let stats = engine.stats();
    stats.log_records + stats.remembered_removals
}

/// Whether the event can be folded into what is held: news of a service that is not held is not
/// news of anything.
pub fn expected(view: &View, event: &Event) -> Result<(), String> {
    let service = match event {
        Event::Entry(entry) => &entry.service.name,
        Event::Endpoint { service, .. }
        | Event::Removed { service, .. }
        | Event::Rewritten { service, .. } => service,
        _ => return Ok(()),
    };
    if view.services().contains_key(service) {
        Ok(())
    } else {
        Err(format!("{service} is not held, yet told of: {event:?}"))
    }
}

/// Whether the view is this cut, as far as the scope goes.
pub fn holds(view: &View, cut: &Cut, scope: &Scope) -> Result<(), String> {
    let expected = cut.services_in(scope);
    if *view.services() != expected {
        let names = expected.keys().chain(view.services().keys());
        let wrong: BTreeMap<_, _> = names
            .filter(|name| view.services().get(*name) != expected.get(*name))
            .map(|name| (name, (view.services().get(name), expected.get(name))))
            .collect();
        let wrong: String = wrong
            .into_iter()
            .map(|(name, (held, right))| {
                format!("\n  {name}\n    held:  {held:?}\n    right: {right:?}")
            })
            .collect();
        return Err(format!(
            "at checkpoint {} of `{scope}`:{wrong}",
            cut.revision
        ));
    }
    let expected = cut.nodes_in(scope);
    if *view.nodes() != expected {
        return Err(format!(
            "at checkpoint {} of `{scope}`: nodes held {:?}, right {expected:?}",
            cut.revision,
            view.nodes()
        ));
    }
    Ok(())
}
